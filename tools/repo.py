"""What the checks need to know of the source tree: its files, and the names of its tests."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tracked(root=ROOT, *patterns):
    """Paths below root that git tracks, relative to it, without those that were deleted but not yet committed."""
    out = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=root, check=True, capture_output=True)
    paths = [pathlib.PurePosixPath(name) for name in out.stdout.decode().split("\0") if name]
    return [path for path in paths if (root / path).is_file()]


_COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def without_comments(text, strings=True):
    """C++ source with comments blanked, line by line; with strings=False what stands in quotes is emptied too."""

    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return "\n" * found.count("\n")
        return found if strings else '""' + "\n" * found.count("\n")

    return _COMMENT_OR_STRING.sub(blank, text)


_GTEST = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
_CTEST = re.compile(r"\badd_test\(\s*NAME\s+([\w.-]+)")
_CTEST_BY = re.compile(r"^\s*aceward_(interop|fuzz)\(\s*([\w-]+)", re.MULTILINE)
_SCRIPT_FUNCTION = re.compile(r"^\s*(?:def\s+)?(test_\w+)\s*\(", re.MULTILINE)


def test_names(root=ROOT):
    """Every test that exists, by the names under which documents may cite it: `Suite.Name` of GoogleTest, CTest's own
    names, `interop.NAME` for a script interop/NAME.py or .sh and for each test_… function in it."""
    names = set()
    for path in tracked(root):
        if path.name.endswith("_test.cc"):
            text = without_comments((root / path).read_text(), strings=False)
            names.update(f"{suite}.{name}" for suite, name in _GTEST.findall(text))
        elif path.name == "CMakeLists.txt":
            text = re.sub(r"#[^\n]*", "", (root / path).read_text())
            names.update(_CTEST.findall(text))
            names.update(f"{kind}.{name}" for kind, name in _CTEST_BY.findall(text))
        elif path.parts[0] == "interop" and path.suffix in (".py", ".sh"):
            names.add(f"interop.{path.stem}")
            names.update(f"interop.{name}" for name in _SCRIPT_FUNCTION.findall((root / path).read_text()))
    return {name for name in names if "DISABLED_" not in name}


def without_parameter(name):
    """`Suite.Name` of a parameterized test's `Instance/Suite.Name/Value`; other names as they are."""
    suite, dot, test = name.partition(".")
    return suite.rpartition("/")[2] + dot + test.partition("/")[0]


def table_rows(text, columns):
    """The rows of every Markdown table in text that has this many columns, as lists of stripped cells, with the line
    number. Heads and the rules under them are left out; `\\|` within a cell is a bar."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith("|") or re.fullmatch(r"[|\s:-]+", line):
            continue
        if number < len(lines) and re.fullmatch(r"\|[|\s:-]*-[|\s:-]*", lines[number]):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if len(cells) == columns:
            yield number, cells
