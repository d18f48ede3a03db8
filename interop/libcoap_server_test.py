"""Our client stack and `aceward` at coap-server-gnutls: usage libcoap_server_test.py OUR-PROGRAM ACEWARD."""

import os
import subprocess
import sys
import tempfile
import unittest

import peers

OURS = sys.argv.pop(1)
ACEWARD = os.path.abspath(sys.argv.pop(1))
KEY = "0123456789abcdef"
GREETING = "This is a test server made with libcoap"


def get(*arguments):
    """(Code, payload), or (error and its id, whatever follows)."""
    done = subprocess.run([OURS, "get", *arguments], stdout=subprocess.PIPE, timeout=40, check=False)
    first, _, rest = done.stdout.decode(errors="replace").partition("\n")
    return first if first.startswith("error") else first.split()[0], rest


class LibcoapServer(unittest.TestCase):
    def test_plain_get(self):
        with peers.libcoap_server() as port:
            code, payload = get(f"coap://{peers.LOOPBACK}:{port}/")
            self.assertEqual(code, "2.05")
            self.assertIn(GREETING, payload)
            self.assertEqual(get(f"coap://{peers.LOOPBACK}:{port}/nothing-there")[0], "4.04")

    def test_plain_get_by_the_command_line(self):
        def aceward_get(uri):
            with tempfile.TemporaryDirectory() as empty:  # no configuration is found, and none is needed
                done = subprocess.run([ACEWARD, "get", uri], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=40,
                                      check=False, cwd=empty, env={**os.environ, "HOME": empty})
            return done.returncode, done.stdout.decode()

        with peers.libcoap_server() as port:
            status, payload = aceward_get(f"coap://{peers.LOOPBACK}:{port}/")
            self.assertEqual(status, 0)
            self.assertIn(GREETING, payload)
            self.assertEqual(aceward_get(f"coap://{peers.LOOPBACK}:{port}/nothing-there")[0], 4)

    def test_separate_response(self):
        with peers.libcoap_server() as port:
            code, payload = get(f"coap://{peers.LOOPBACK}:{port}/async?1")
            self.assertEqual((code, payload.strip()), ("2.05", "done"))

    def test_psk(self):
        with peers.libcoap_server("-k", KEY) as port:
            code, payload = get(f"coaps://{peers.LOOPBACK}:{port + 1}/", "psk", "somebody", KEY)
            self.assertEqual(code, "2.05")
            self.assertIn(GREETING, payload)

    def test_raw_public_key_of_the_server_is_compared(self):
        with peers.our_server(OURS) as (folder, _, _):
            def key(name):
                return os.path.join(folder, name)

            with peers.libcoap_server("-M", key("raw.pem"), "-n") as port:
                uri = f"coaps://{peers.LOOPBACK}:{port + 1}/"
                code, payload = get(uri, "raw", key("stranger.pem"), key("raw-public.pem"))
                self.assertEqual(code, "2.05")
                self.assertIn(GREETING, payload)
            with peers.libcoap_server("-M", key("stranger.pem"), "-n") as port:
                uri = f"coaps://{peers.LOOPBACK}:{port + 1}/"
                self.assertEqual(get(uri, "raw", key("raw.pem"), key("raw-public.pem"))[0],
                                 "error server_key_unexpected")


if __name__ == "__main__":
    unittest.main()
