#!/usr/bin/env python3
"""Makes docs/reasons.md from every reasons.h: `--write` writes it, `--check` fails if it is stale or wrong."""

import re
import sys

import repo

DOCUMENT = "docs/reasons.md"
CLASSES = {"malformed", "unsupported", "peer_misbehaved", "denied", "internal"}
_REASON = re.compile(r"inline\s+constexpr\s+Reason\s+(\w+)\s*(?:=\s*)?\{(.*?)\}\s*;", re.DOTALL)
_LITERAL = re.compile(r'"((?:\\.|[^"\\])*)"')
_CLASS = re.compile(r"ErrorClass::(\w+)")

HEAD = """# Reasons

Every refusal has a stable id. The server logs and counts it, the client prints it with what to check; on the wire
stands no more than the standard asks for. This file is made from the `reasons.h` of each module by `./dev format`.

| id | class | what happened | what to check | module |
|---|---|---|---|---|
"""


def literals(text):
    """String literals of text; those that stand side by side are one, as for the compiler."""
    joined = re.sub(r'"\s*\n\s*"', "", text)
    return [re.sub(r"\\(.)", r"\1", found) for found in _LITERAL.findall(joined)]


def parse(text, module):
    """The reasons of one header as dictionaries; raises ValueError for one that is not in the form we read."""
    text = repo.without_comments(text)
    reasons = []
    for name, body in _REASON.findall(text):
        strings, kind = literals(body), _CLASS.search(body)
        if len(strings) != 3 or not kind:
            raise ValueError(f"{module}: {name} is not {{id, class, what, check}}")
        reasons.append(dict(zip(("id", "what", "check"), strings), name=name, error_class=kind.group(1), module=module))
    if len(reasons) != len(re.findall(r"\bReason\s+\w+\s*[={]", text)):
        raise ValueError(f"{module}: a Reason is not written as `inline constexpr Reason id{{…}};`")
    return reasons


def problems(reasons):
    seen = {}
    for reason in reasons:
        where = f"{reason['module']}: {reason['id']}"
        if reason["id"] != reason["name"]:
            yield f"{where}: the constant is called {reason['name']}"
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", reason["id"]):
            yield f"{where}: an id is lower-case words joined by underscores"
        if reason["error_class"] not in CLASSES:
            yield f"{where}: there is no class {reason['error_class']}"
        if not reason["what"] or not reason["check"]:
            yield f"{where}: says nothing"
        if reason["id"] in seen:
            yield f"{where}: {seen[reason['id']]} has this id too"
        seen[reason["id"]] = reason["module"]


def render(reasons):
    def cell(text):
        return text.replace("|", "\\|")

    rows = sorted(reasons, key=lambda reason: reason["id"])
    return HEAD + "".join(
        f"| `{r['id']}` | {r['error_class']} | {cell(r['what'])} | {cell(r['check'])} | {r['module']} |\n" for r in rows)


def collect(root):
    reasons = []
    for path in repo.tracked(root, "*reasons.h"):
        module = str(path.parent).removeprefix("aceward/")
        reasons += parse((root / path).read_text(), module)
    return reasons


def main(arguments, root=repo.ROOT):
    try:
        reasons = collect(root)
    except ValueError as error:
        print(error)
        return 1
    wrong = list(problems(reasons))
    print("".join(line + "\n" for line in wrong), end="")
    document = root / DOCUMENT
    if arguments == ["--write"]:
        document.write_text(render(reasons))
    elif arguments == ["--check"]:
        if not document.is_file() or document.read_text() != render(reasons):
            print(f"{DOCUMENT} is stale: ./dev format writes it")
            return 1
    else:
        print("usage: reasons.py --write|--check")
        return 2
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
