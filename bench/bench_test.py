"""Whether aceward-bench runs and reports in the form that is promised: usage bench_test.py PROGRAM."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)


class Bench(unittest.TestCase):
    def test_report(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "figures.json"
            done = subprocess.run([PROGRAM, "--brief", "--json", str(file)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=100, check=False)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            rows = json.loads(file.read_text())
        names = [row["name"] for row in rows]
        for wanted in ("token issued, signed, raw public key", "token verified, signed, raw public key",
                       "token issued and synced to disk", "token introspected", "token taken at authz-info",
                       "protected GET in a DTLS session, both sides", "DTLS handshake, PSK, both sides",
                       "DTLS handshake, raw public keys, both sides", "plain GET, together, aceward",
                       "plain GET in steady state", "an idle peer, aceward", "a DTLS session, aceward"):
            self.assertIn(wanted, names)
        for row in rows:
            self.assertEqual(list(row), ["name", "value", "unit", "compared_with", "ratio", "goal", "note"])
            self.assertIn(row["unit"], ("ns", "octets", "allocations"))
            (self.assertGreater if row["unit"] == "ns" else self.assertGreaterEqual)(row["value"], 0)
            self.assertIn(row["name"], done.stdout.decode())
            if row["compared_with"] is None:
                self.assertIsNone(row["ratio"])
            else:
                self.assertIn(row["compared_with"], names)
                self.assertGreater(row["ratio"], 0)


if __name__ == "__main__":
    unittest.main()
