#!/usr/bin/env python3
"""clang-tidy on the sources that changed; tidy.py [--all] [--base COMMIT] [--jobs N] [--most N].

The base is where this branch left origin/main; on main itself, or where there is no such branch, the ten last commits.
With more than --most files the newest are taken, so that the check ends in minutes. build/lint holds the compile
commands (CMake preset "lint").
"""

import argparse
import concurrent.futures
import json
import re
import subprocess
import sys

import repo

# So many commits are looked back where no branch says where the change began.
LOOK_BACK = 10


def git(root, *arguments):
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def find_base(root):
    """The commit to compare with, or nothing where the history is too short: then every file counts as changed."""
    head = git(root, "rev-parse", "HEAD")
    merge_base = git(root, "merge-base", "HEAD", "origin/main")
    if merge_base and merge_base != head:
        return merge_base
    return git(root, "rev-parse", "--verify", "--quiet", f"HEAD~{LOOK_BACK}")


def changed(root, base):
    """Changed files, the most recently committed first, those not committed before all."""
    if not base:
        return [str(path) for path in repo.tracked(root, "*.h", "*.cc")]
    names = git(root, "diff", "--name-only", "HEAD").splitlines()
    names += git(root, "log", "--format=", "--name-only", f"{base}..HEAD").splitlines()
    return [name for name in dict.fromkeys(names) if name.endswith((".h", ".cc")) and (root / name).is_file()]


def units(names, compiled):
    """The translation units to check: a changed source, and for a changed header the source or test beside it."""
    found = {}
    for name in names:
        stem = re.sub(r"\.(h|cc)$", "", name)
        candidates = [name] if name.endswith(".cc") else [f"{stem}.cc", f"{stem}_test.cc"]
        match = next((candidate for candidate in candidates if candidate in compiled), None)
        if match:
            found[match] = True
    return list(found)


def run_one(root, name):
    command = ["clang-tidy-19", "-p", "build/lint", "--quiet", "--warnings-as-errors=*",
               "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-DASIO_HAS_CO_AWAIT",
               "--extra-arg=-DASIO_HAS_STD_COROUTINE", name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.returncode, done.stdout + ("" if done.returncode == 0 else done.stderr)


def main(root=repo.ROOT):
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--base")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=int, default=24)
    options = parser.parse_args()
    entries = json.loads((root / "build/lint/compile_commands.json").read_text())
    compiled = {str(repo.pathlib.Path(entry["file"]).relative_to(root)) for entry in entries
                if repo.pathlib.Path(entry["file"]).is_relative_to(root)}
    chosen = sorted(compiled) if options.all else units(changed(root, options.base or find_base(root)), compiled)
    if not options.all and len(chosen) > options.most:
        print(f"clang-tidy: the {options.most} newest of {len(chosen)} changed files; --all takes every file")
        chosen = chosen[:options.most]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, (status, output) in zip(chosen, pool.map(lambda name: run_one(root, name), chosen)):
            if status != 0:
                print(f"{name}:\n{output}", flush=True)
                failed += 1
    print(f"clang-tidy: {len(chosen)} files, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
