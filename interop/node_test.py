"""npm's `coap` and we, both ways: usage node_test.py OUR-PROGRAM FOLDER, where `npm install --prefix FOLDER coap` was.

Not part of ./dev test, which must not need npm's registry: ./dev interop runs it.
"""

import contextlib
import json
import os
import subprocess
import sys
import unittest

import peers

OURS = sys.argv.pop(1)
FOLDER = os.path.abspath(sys.argv.pop(1))
sys.argv.insert(1, OURS)  # as libcoap_features_test wants it
from libcoap_features_test import BODY, InFile, ask  # noqa: E402

PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_peer.js")


def node(*words):
    """npm's coap as a client; returns [(code, payload)]."""
    done = subprocess.run([peers.program("node"), PEER, FOLDER, *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [(answer["code"], answer["payload"].encode("latin1")) for answer in answers]


@contextlib.contextmanager
def node_server():
    server = subprocess.Popen([peers.program("node"), PEER, FOLDER, "server"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    try:
        words = server.stdout.readline().decode().split()
        if words[:1] != ["ready"]:
            raise AssertionError(f"node says {words}")
        yield f"coap://{peers.LOOPBACK}:{words[1]}"
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait(timeout=20)


class NodeClient(unittest.TestCase):
    """npm's coap at our server. It knows no Echo, so it is believed to be where it says."""

    def setUp(self):
        server = peers.our_server(OURS, "plugtest", "open")
        _, plain, _ = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        self.uri = f"coap://{plain}"

    def test_get(self):
        self.assertEqual(node("get", f"{self.uri}/test"), [("2.05", b"The test resource")])
        self.assertEqual(node("get", f"{self.uri}/nothing")[0][0], "4.04")

    def test_separate_response(self):
        self.assertEqual(node("get", f"{self.uri}/separate"), [("2.05", b"It took a while")])

    def test_large_get(self):
        for size in ((), ("block", "64")):
            [(code, payload)] = node("get", f"{self.uri}/large", *size)
            self.assertEqual(code, "2.05")
            self.assertTrue(payload.startswith(b"line 0 of a large resource\n"))
            self.assertGreaterEqual(len(payload), 2000)

    def test_large_put(self):
        with InFile() as body:
            self.assertEqual(node("put", f"{self.uri}/large-update", "body", body)[0][0], "2.04")
        self.assertEqual(node("get", f"{self.uri}/large-update"), [("2.05", BODY)])

    def test_observe(self):
        states = node("get", f"{self.uri}/obs", "observe", "3")
        self.assertEqual([code for code, _ in states], ["2.05"] * 3)
        self.assertEqual(len({payload for _, payload in states}), 3)

    def test_discovery(self):
        self.assertIn(b"</test>", node("get", f"{self.uri}/.well-known/core")[0][1])


class NodeServer(unittest.TestCase):
    """Our client at npm's coap."""

    def test_get(self):
        with node_server() as uri:
            self.assertEqual(ask("get", f"{uri}/hello"), [("2.05", b"hello from node")])
            self.assertEqual(ask("get", f"{uri}/nothing")[0][0], "4.04")

    def test_separate_response(self):
        with node_server() as uri:
            self.assertEqual(ask("get", f"{uri}/separate"), [("2.05", b"late")])

    def test_large_get(self):
        with node_server() as uri:
            for size in ((), ("block", "64")):
                [(code, payload)] = ask("get", f"{uri}/large", *size)
                self.assertEqual(code, "2.05")
                self.assertEqual(payload, b"".join(b"node %d\n" % i for i in range(200)))

    def test_observe(self):
        with node_server() as uri:
            states = ask("get", f"{uri}/ticks", "observe", "3")
            self.assertEqual([payload for _, payload in states], [b"tick 0", b"tick 1", b"tick 2"])


if __name__ == "__main__":
    unittest.main()
