#!/usr/bin/env python3
"""Weakens the code by one line at a time and wants a named test to fail.

mutants.py run [NAME…]   apply, build, test and revert each of mutants/*.patch in a copy of the tree
mutants.py check         every patch still applies and names a test that exists
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import repo

FIELDS = ("Test", "Target", "Why")
TEST_SECONDS = 120


class Broken(Exception):
    """The mutant says nothing about the tests: it does not apply, does not compile, or its test does not run."""


def read_patch(path):
    """The header's fields and the number of lines that the patch takes out and puts in."""
    head, _, diff = path.read_text().partition("\n--- ")
    fields = dict(re.findall(r"^(\w+):\s*(.+)$", head, re.MULTILINE))
    missing = [field for field in FIELDS if field not in fields]
    if missing:
        raise Broken(f"the header has no {missing[0]}:")
    body = diff.partition("\n@@")[2]
    changes = [line for line in body.splitlines() if re.match(r"[+-](?![+-]{2} )", line)]
    if not changes:
        raise Broken("the patch changes nothing")
    return {"name": path.stem, "path": path, **fields, "changes": len(changes)}


def apply(path, tree, *options):
    # The copy lies inside the repository's folder, where git would look for its paths from the top.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(["git", "apply", *options, str(path)], cwd=tree, env=environment, capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise Broken("does not apply: " + done.stderr.strip().replace("\n", "; "))


def patches(root, names=()):
    found = sorted((root / "mutants").glob("*.patch"))
    if not names:
        return found
    chosen = [path for path in found if any(path.stem == name or path.stem.split("-")[0] == name for name in names)]
    if len(chosen) < len(names):
        raise SystemExit(f"mutants: known are {', '.join(path.stem for path in found)}")
    return chosen


def check(root=repo.ROOT):
    wrong, tests, seen = 0, repo.test_names(root), {}
    for path in patches(root):
        try:
            mutant = read_patch(path)
            apply(path, root, "--check")
            if repo.without_parameter(mutant["Test"]) not in tests:
                raise Broken(f"there is no test {mutant['Test']}")
            number = path.stem.split("-")[0]
            if number in seen:
                raise Broken(f"{seen[number]} has this number too")
            seen[number] = path.stem
        except Broken as error:
            print(f"mutants/{path.name}: {error}")
            wrong += 1
    return 1 if wrong else 0


def copy_tree(root, tree):
    """Brings tree to what root holds; a file that did not change keeps its time, so that nothing is built again."""
    wanted = subprocess.run(["git", "ls-files", "-zco", "--exclude-standard"], cwd=root, check=True,
                            capture_output=True).stdout.decode().split("\0")
    wanted = {name for name in wanted if name and (root / name).is_file()}
    tree.mkdir(parents=True, exist_ok=True)
    for old in tree.rglob("*"):
        name = old.relative_to(tree)
        if old.is_file() and name.parts[0] != "build" and str(name) not in wanted:
            old.unlink()
    for name in wanted:
        source, target = root / name, tree / name
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


class Bench:
    """The copy of the tree, built without optimization, and how its tests are run."""

    def __init__(self, root):
        self.tree = root / "build/mutants/tree"
        self.build = self.tree / "build/mutants"
        copy_tree(root, self.tree)
        # Tests that read vectors from beside the tree find them beside the copy too.
        beside, link = root.parent / "shared", self.tree.parent / "shared"
        if beside.is_dir() and not link.exists():
            link.symlink_to(beside)
        self._run(["cmake", "--preset", "mutants"])

    def _run(self, command):
        done = subprocess.run(command, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Broken(f"`{' '.join(command)}` failed:\n" + "\n".join(done.stdout.splitlines()[-30:]))
        return done.stdout

    def make(self, *targets):
        self._run(["cmake", "--build", str(self.build), "-j", str(os.cpu_count()), "--target", *sorted(set(targets))])

    def passes(self, mutant):
        """Runs the mutant's test; raises Broken when it did not run."""
        known = {test["name"]: test for test in
                 json.loads(self._run(["ctest", "--test-dir", str(self.build), "--show-only=json-v1"]))["tests"]}
        if mutant["Test"] in known:
            command = known[mutant["Test"]]["command"]
            return self._finish(command, lambda output: True)
        if mutant["Target"] not in known or "command" not in known[mutant["Target"]]:
            raise Broken(f"CTest has no test {mutant['Target']}")
        # A parameterized test is called Instance/Suite.Name/0.
        names = f"{mutant['Test']}:{mutant['Test']}/*:*/{mutant['Test']}/*"
        command = [*known[mutant["Target"]]["command"], f"--gtest_filter={names}"]
        return self._finish(command, lambda output: re.search(r"^\[\s+OK \] ", output, re.MULTILINE))

    def _finish(self, command, ran):
        try:
            done = subprocess.run(command, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=TEST_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode != 0:
            return False
        if not ran(done.stdout.decode(errors="replace")):
            raise Broken("the test does not exist in this program, or skips itself")
        return True


def try_one(bench, mutant):
    """True when the named test noticed."""
    apply(mutant["path"], bench.tree)
    try:
        bench.make(mutant["Target"])
        return not bench.passes(mutant)
    finally:
        apply(mutant["path"], bench.tree, "--reverse")


def passes_unchanged(bench, mutant):
    """None when the named test passes without the mutant, else why it is of no use."""
    try:
        return None if bench.passes(mutant) else Broken("the test fails without the mutant")
    except Broken as error:
        return error


def run(names, root=repo.ROOT):
    chosen = [read_patch(path) for path in patches(root, names)]
    bench = Bench(root)
    print(f"building {len({m['Target'] for m in chosen})} tests unchanged", flush=True)
    bench.make(*(mutant["Target"] for mutant in chosen))
    # All of them before the first mutant: afterwards a program on disk may be that of a mutant.
    sound = {mutant["name"]: passes_unchanged(bench, mutant) for mutant in chosen}
    bad = 0
    print(f"{'mutant':<44}{'test':<74}result")
    for mutant in chosen:
        started = time.monotonic()
        note = ""
        try:
            if sound[mutant["name"]] is not None:
                raise sound[mutant["name"]]
            caught = try_one(bench, mutant)
            result = "caught" if caught else "SURVIVED"
            bad += not caught
        except Broken as error:
            result, note = "BROKEN", f"\n    {error}"
            bad += 1
        print(f"{mutant['name']:<44}{mutant['Test']:<74}{result} ({time.monotonic() - started:.0f} s){note}", flush=True)
    print(f"{len(chosen) - bad} of {len(chosen)} mutants caught")
    return 1 if bad else 0


def main(arguments):
    try:
        if arguments[:1] == ["run"]:
            return run(arguments[1:])
        if arguments == ["check"]:
            return check()
    except Broken as error:
        print(f"mutants: {error}")
        return 1
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
