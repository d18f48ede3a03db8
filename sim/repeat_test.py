#!/usr/bin/env python3
"""A seed is a run, whatever process it runs in: the hashes of all scenarios, DTLS handshakes included, are compared
between two processes with different numbers of threads."""

import json
import subprocess
import sys


def hashes(program, *options):
    run = subprocess.run([program, "--seeds", "6", "--json", "-", *options], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=True)
    return {one["scenario"]: one["hash"] for one in json.loads(run.stdout)["scenarios"]}


def main():
    program, listed = sys.argv[1], sys.argv[2:]
    first, second = hashes(program), hashes(program, "--jobs", "3")
    assert set(first) == set(listed), f"sim/CMakeLists.txt does not play {set(first) ^ set(listed)}"
    assert first == second, {name: (first[name], second[name]) for name in first if first[name] != second[name]}
    assert len(set(first.values())) == len(first), "two scenarios are the same"
    other = hashes(program, "--first", "100")
    assert all(other[name] != first[name] for name in first), "the seed makes no difference"

    refused = subprocess.run([program, "--scenario", "no-such"], capture_output=True, text=True)
    assert refused.returncode == 2 and "no-such" in refused.stderr, refused
    trace = subprocess.run([program, "--scenario", "plain-requests", "--first", "2", "--seeds", "1", "--trace"],
                           capture_output=True, text=True)
    assert trace.returncode == 0 and "Uri-Path" in trace.stdout and "== hash" in trace.stdout, trace.stdout[:500]


main()
