#!/usr/bin/env python3
"""Reads docs/conformance/*.md and says, a line a standard, what is covered by a test that exists.

conformance.py [--quiet] [STANDARD…]: --quiet prints only what is wrong. Exit code 1 when a row names a test or a file
that does not exist, or claims more than it shows.
"""

import re
import sys

import repo

STATES = ("covered", "open", "otherwise")


def names_in(cell):
    """`A.B`, `C.D` or a plain list, with commas or spaces; a dash or nothing is none."""
    return [name for name in re.split(r"[,;\s]+", re.sub(r"<br\s*/?>", " ", cell).replace("`", "")) if name.strip("-–—")]


def read(text):
    """The requirements of one document: dictionaries with line, section, requirement, where, tests, state."""
    for line, (section, requirement, where, test, state) in repo.table_rows(text, 5):
        yield {"line": line, "section": section.strip("§` "), "requirement": requirement, "where": names_in(where),
               "tests": names_in(test), "state": state.strip("` ").lower()}


def problems(row, tests, root, divergences):
    if not row["section"] or not row["requirement"]:
        yield "a requirement has a section and a text"
    if row["state"] not in STATES:
        yield f"the state is one of {', '.join(STATES)}, not '{row['state']}'"
    for test in row["tests"]:
        if test not in tests:
            yield f"there is no test {test}"
    for where in row["where"]:
        if not (root / where).exists():
            yield f"there is no file {where}"
    if row["state"] == "covered" and not row["tests"]:
        yield "covered by which test?"
    if row["state"] == "covered" and not row["where"]:
        yield "covered where?"
    if row["state"] == "otherwise" and row["section"] not in divergences:
        yield f"docs/divergences.md does not say what we do otherwise in section {row['section']}"


def divergent_sections(text, standard):
    """The sections that docs/divergences.md has a row for, of a standard named as its conformance file (rfc9202)."""
    digits = re.sub(r"\D", "", standard) or standard
    sections = set()
    for _, cells in repo.table_rows(text, 4):
        if digits in cells[0]:
            sections.update(re.findall(r"[A-Z0-9]+(?:\.[0-9]+)*", cells[1]))
    return sections


def main(arguments, root=repo.ROOT):
    quiet = "--quiet" in arguments
    wanted = [name.removesuffix(".md") for name in arguments if not name.startswith("-")]
    tests, failed = repo.test_names(root), 0
    folder = root / "docs/conformance"
    documents = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    unknown = set(wanted) - {path.stem for path in documents}
    if unknown:
        print(f"there is no docs/conformance/{unknown.pop()}.md")
        return 2
    divergences = (root / "docs/divergences.md").read_text() if (root / "docs/divergences.md").is_file() else ""
    if not quiet:
        print(f"{'standard':<14}{'requirements':>13}{'covered':>9}{'open':>6}{'otherwise':>11}")
    for path in documents:
        if wanted and path.stem not in wanted:
            continue
        rows = list(read(path.read_text()))
        wrong = [(row, what) for row in rows
                 for what in problems(row, tests, root, divergent_sections(divergences, path.stem))]
        if not rows:
            wrong.append(({"line": 1}, "has no row `| section | requirement | where | test | state |`"))
        for row, what in wrong:
            print(f"{path.relative_to(root)}:{row['line']}: {what}", file=sys.stdout if quiet else sys.stderr)
        failed += len(wrong)
        if not quiet:
            count = {state: sum(row["state"] == state for row in rows) for state in STATES}
            print(f"{path.stem:<14}{len(rows):>13}{count['covered']:>9}{count['open']:>6}{count['otherwise']:>11}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
