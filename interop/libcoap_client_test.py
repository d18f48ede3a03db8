"""coap-client-gnutls at our resource server: usage libcoap_client_test.py OUR-PROGRAM."""

import os
import subprocess
import sys
import unittest

import peers

OURS = sys.argv.pop(1)
AS_HINT = b"\xa2\x01\x78\x18coaps://as.example/token\x05\x62rs"


class LibcoapClient(unittest.TestCase):
    def setUp(self):
        server = peers.our_server(OURS)
        self.folder, self.plain, self.secure = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)

    def file(self, name):
        return os.path.join(self.folder, name)

    def upload(self, token, expected="2.01"):
        answer = peers.libcoap_client(f"coap://{self.plain}/authz-info", "-m", "post", "-t", "61", "-f",
                                      self.file(token))
        self.assertEqual(answer.code, expected, answer.log)

    def get(self, path, *options, method="get", seconds=20):
        return peers.libcoap_client(f"coaps://{self.secure}/{path}", "-m", method, *options, seconds=seconds)

    def psk(self):
        return "-u", peers.read(self.folder, "psk.identity"), "-k", peers.read(self.folder, "psk.key")

    def assert_answer(self, answer, code, payload=None):
        self.assertEqual(answer.code, code, answer.log)
        if payload is not None:
            self.assertEqual(answer.payload, payload)

    def test_public_resource_needs_nothing(self):
        self.assert_answer(peers.libcoap_client(f"coap://{self.plain}/hello"), "2.05", b"hello")

    def test_protected_resource_sends_hints_without_protection(self):
        answer = peers.libcoap_client(f"coap://{self.plain}/temp")
        self.assert_answer(answer, "4.01")
        self.assertIn("Content-Format:19", answer.log)
        self.assertIn(AS_HINT.hex(), answer.log)

    def test_non_confirmable_request(self):
        self.assert_answer(peers.libcoap_client(f"coap://{self.plain}/hello", "-N"), "2.05", b"hello")

    def test_psk_with_the_kid_as_identity(self):
        self.upload("psk.cwt")
        self.assert_answer(self.get("temp", *self.psk()), "2.05", b"22.3 C")

    def test_psk_with_the_token_as_identity(self):
        answer = self.get("temp", "-u", peers.read(self.folder, "inline.cwt"), "-k",
                          peers.read(self.folder, "inline.key"))
        self.assert_answer(answer, "2.05", b"22.3 C")

    def test_other_resource_and_other_method_are_refused(self):
        self.upload("psk.cwt")
        self.assert_answer(self.get("led", *self.psk()), "4.03")
        self.assert_answer(self.get("temp", *self.psk(), method="delete"), "4.05")

    def test_unknown_identity_is_refused_in_the_handshake(self):
        answer = self.get("temp", *self.psk())  # before its token was uploaded
        self.assertIsNone(answer.code, answer.log)
        self.assertEqual(answer.alerts, [47])  # illegal_parameter, RFC 9202 section 3.3.2

    def test_wrong_key_gets_no_answer(self):
        self.upload("psk.cwt")
        # Records that do not verify are dropped silently (RFC 6347 section 4.1.2.7), so the client waits in vain.
        answer = self.get("temp", *self.psk()[:2], "-k", "anotherkeyanothe", seconds=2)
        self.assertIsNone(answer.code, answer.log)

    def test_raw_public_key(self):
        self.upload("raw.cwt")
        self.assert_answer(self.get("temp", "-M", self.file("raw.pem")), "2.05", b"22.3 C")
        self.assert_answer(self.get("led", "-M", self.file("raw.pem")), "4.03")

    def test_raw_public_key_without_a_token_is_refused_in_the_handshake(self):
        self.upload("raw.cwt")
        answer = self.get("temp", "-M", self.file("stranger.pem"))
        self.assertIsNone(answer.code, answer.log)
        self.assertEqual(answer.alerts, [42])  # bad_certificate

    def test_tokens_that_are_not_good_are_refused(self):
        self.upload("expired.cwt", "4.01")
        self.upload("other-audience.cwt", "4.03")
        self.upload("forged.cwt", "4.01")
        answer = peers.libcoap_client(f"coap://{self.plain}/authz-info", "-m", "post", "-t", "60", "-f",
                                      self.file("raw.cwt"))
        self.assert_answer(answer, "4.15")


class OurProgram(unittest.TestCase):
    def test_wrong_usage(self):
        done = subprocess.run([OURS], stderr=subprocess.DEVNULL, timeout=20, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
