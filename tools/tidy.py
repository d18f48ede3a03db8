#!/usr/bin/env python3
"""clang-tidy on the sources that changed; tidy.py [--all] [--base COMMIT] [--jobs N] [--most N] [--seconds S].

The base is where this branch left origin/main; on main itself, or where there is no such branch, the ten last commits.
With more than --most files the newest are taken, and after --seconds no further one is begun, so that the check ends in
minutes on a slow machine too; it says what it left out. build/lint holds the compile
commands (CMake preset "lint").
"""

import argparse
import concurrent.futures
import json
import re
import subprocess
import sys
import time

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
    # GoogleTest's macros make the analyzer four times as slow (23 s for a test of 118 lines), and it finds nothing there.
    fewer = ["--checks=-clang-analyzer-*"] if name.endswith("_test.cc") else []
    command = ["clang-tidy-19", "-p", "build/lint", "--quiet", "--warnings-as-errors=*",
               "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-DASIO_HAS_CO_AWAIT",
               "--extra-arg=-DASIO_HAS_STD_COROUTINE", *fewer, name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    return done.returncode, done.stdout or done.stderr


def main(root=repo.ROOT):
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--base")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=150)
    options = parser.parse_args()
    entries = json.loads((root / "build/lint/compile_commands.json").read_text())
    compiled = {str(repo.pathlib.Path(entry["file"]).relative_to(root)) for entry in entries
                if repo.pathlib.Path(entry["file"]).is_relative_to(root)}
    chosen = sorted(compiled) if options.all else units(changed(root, options.base or find_base(root)), compiled)
    if not options.all and len(chosen) > options.most:
        print(f"clang-tidy: the {options.most} newest of {len(chosen)} changed files; --all takes every file")
        chosen = chosen[:options.most]
    failed = left_out = 0
    deadline = time.monotonic() + options.seconds

    def within_time(name):
        if not options.all and time.monotonic() > deadline:
            return None
        return run_one(root, name)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, result in zip(chosen, pool.map(within_time, chosen)):
            if result is None:
                left_out += 1
            elif result[0] != 0:
                print(f"{name}:\n{result[1]}", flush=True)
                failed += 1
    print(f"clang-tidy: {len(chosen) - left_out} files, {failed} with findings"
          + (f"; no time for {left_out} older ones" if left_out else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
