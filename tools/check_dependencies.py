#!/usr/bin/env python3
"""The packages that ./dev installs and those that docs/dependencies.md explains must be the same, set by set."""

import re
import sys

import repo


def installed(text):
    """{set: packages} from the arrays `packages_SET=(…)` of dev."""
    return {name: set(packages.split()) for name, packages in re.findall(r"^packages_(\w+)=\(([^)]*)\)", text, re.MULTILINE)}


def documented(text):
    """{set: packages} from rows `| set | packages | what for |`; a row may have several sets and packages."""
    found = {}
    for _, (sets, packages, _) in repo.table_rows(text, 3):
        for name in re.split(r"[,\s]+", sets):
            found.setdefault(name, set()).update(re.findall(r"`([^`]+)`", packages))
    return found


def problems(dev, document):
    for name in sorted(dev.keys() | document.keys()):
        for package in sorted(dev.get(name, set()) - document.get(name, set())):
            yield f"docs/dependencies.md does not say what {package} ({name}) is for"
        for package in sorted(document.get(name, set()) - dev.get(name, set())):
            yield f"./dev does not install {package} ({name})"


def main(root=repo.ROOT):
    wrong = list(problems(installed((root / "dev").read_text()), documented((root / "docs/dependencies.md").read_text())))
    print("".join(line + "\n" for line in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
