#!/usr/bin/env python3
"""Runs the examples: `examples_test.py SERVER CLIENT FOREIGN_LOOP OBSERVE [unittest arguments]`."""

import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).parent
PROGRAMS = {}
FOREIGN = re.compile(r"lib(gnutls|ssl|crypto|sodium|sqlite3|nettle|hogweed)\b")
PATIENCE = 20


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


class Examples(unittest.TestCase):
    def serve(self):
        """Starts the server on a free port; returns its resource's URI."""
        server = subprocess.Popen([PROGRAMS["server"], "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server.stdout.readline().strip()

    def test_the_client_asks_the_server(self):
        uri = self.serve()
        self.assertRegex(uri, r"^coap://127\.0\.0\.1:\d+/hello$")
        asked = run(PROGRAMS["client"], uri)
        self.assertEqual((asked.returncode, asked.stdout), (0, "Hello from Aceward\n"), asked.stderr)

    def test_a_resource_that_is_not_there_is_no_success(self):
        asked = run(PROGRAMS["client"], self.serve().replace("/hello", "/other"))
        self.assertEqual(asked.returncode, 1)

    def test_a_uri_that_is_none_is_explained(self):
        asked = run(PROGRAMS["client"], "hello")
        self.assertEqual(asked.returncode, 1)
        self.assertIn("URI", asked.stderr)

    def test_a_foreign_loop_drives_the_engine(self):
        asked = run(PROGRAMS["foreign_loop"])
        self.assertEqual((asked.returncode, asked.stdout), (0, "Hello to 127.0.0.1\n"), asked.stderr)

    def test_an_observer_hears_of_each_change(self):
        told = run(PROGRAMS["observe"])
        self.assertEqual((told.returncode, told.stdout), (0, "20 degrees\n21 degrees\n22 degrees\n"), told.stderr)

    def test_none_is_linked_with_tls_or_a_database(self):
        for name, program in PROGRAMS.items():
            linked = run("ldd", program)
            self.assertEqual(linked.returncode, 0, linked.stderr)
            self.assertIn("libc.so", linked.stdout)
            self.assertIsNone(FOREIGN.search(linked.stdout), f"{name}: {linked.stdout}")
            # A static library that slipped in shows by its symbols.
            symbols = run("nm", "-C", program).stdout
            self.assertIn("aceward::coap::", symbols)
            self.assertNotRegex(symbols, r"aceward::(tls|crypto|store|ace)::", name)

    def test_a_server_and_a_client_are_ten_lines_each(self):
        for name in ("coap_server.cc", "coap_client.cc"):
            body = (HERE / name).read_text().split("int main", 1)[1].split("\n", 1)[1].rsplit("}", 1)[0]
            lines = [line for line in body.splitlines() if line.strip()]
            self.assertLessEqual(len(lines), 10, f"{name}: {lines}")


if __name__ == "__main__":
    PROGRAMS = dict(zip(("server", "client", "foreign_loop", "observe"), sys.argv[1:5]))
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
