"""Plays the demonstration and looks at what it printed: usage demo_test.py PROGRAM."""

import base64
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
CHAPTERS_SAY = ["4.01 Unauthorized", "2.01 Created", "2.05 Content", "4.03 Forbidden", "4.05 Method Not Allowed",
                "2.04 Changed", "DTLS session closed", "/ AS / 1 : \"coaps://", "PSK identity", "hint_as_not_allowed"]


def spellings(secret):
    """How octets might stand in a text."""
    plain = secret.hex()
    pairs = [plain[i:i + 2] for i in range(0, len(plain), 2)]
    yield secret
    for text in (plain, plain.upper(), ":".join(pairs), " ".join(pairs), base64.b64encode(secret).decode().rstrip("="),
                 base64.urlsafe_b64encode(secret).decode().rstrip("=")):
        yield text.encode()


class Demo(unittest.TestCase):
    def play(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            keys = pathlib.Path(folder) / "keys"
            inside = pathlib.Path(folder) / "tmp"
            inside.mkdir()
            done = subprocess.run([PROGRAM, "--write-keys", str(keys), *options], stdout=subprocess.PIPE, timeout=100,
                                  stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(inside)}, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-3000:].decode(errors="replace") + done.stderr.decode())
            self.assertEqual(list(inside.iterdir()), [], "the temporary directory is gone")
            secrets = [bytes.fromhex(line) for line in keys.read_text().splitlines()]
        return done.stdout, secrets

    def test_plays_and_prints_no_key(self):
        output, secrets = self.play()
        # Four private keys, the key of AS and RS, client B's, and the two that the AS made for client B.
        self.assertEqual(sorted(map(len, secrets)), [16] * 4 + [32] * 4)
        for secret in secrets:
            for spelling in spellings(secret):
                self.assertFalse(spelling in output, "a key was printed")
        self.assertNotIn(b"\x1b", output, "colours in a pipe")
        for text in CHAPTERS_SAY:
            self.assertTrue(text.encode() in output, text)

    def test_quiet_prints_the_table_alone(self):
        output, _ = self.play("--quiet")
        lines = output.decode().splitlines()
        self.assertTrue(lines[0].lstrip().startswith("chapter"), lines[0])
        self.assertLess(len(lines), 20)

    def test_fails_aloud(self):
        done = subprocess.run([PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False,
                              env={**os.environ, "TMPDIR": "/nonexistent"})
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"store_unavailable", done.stdout)

    def test_refuses_what_it_does_not_know(self):
        done = subprocess.run([PROGRAM, "--loud"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
                              check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
