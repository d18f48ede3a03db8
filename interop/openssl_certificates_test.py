"""openssl s_client over DTLS 1.2 at our server, with X.509 certificates that openssl made, and session tickets: usage
openssl_certificates_test.py OUR-PROGRAM."""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import unittest

import peers

OURS = sys.argv.pop(1)
CONFIGURATION = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[server]
subjectAltName = DNS:door.example
extendedKeyUsage = serverAuth
keyUsage = digitalSignature
[client]
extendedKeyUsage = clientAuth
keyUsage = digitalSignature
"""
GET_TEST = b"\x40\x01\x12\x34\xb4test"  # a confirmable GET of /test
CONTENT = b"\x60\x45\x12\x34"  # its acknowledgement with 2.05
CCM_8 = "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"


class Authority:
    """Files of certificates and keys in a folder."""

    def __init__(self, folder):
        self.folder = folder
        with open(self.path("openssl.cnf"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        for name in ("ca", "stranger"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256",
                         "-days", "2", "-config", "openssl.cnf", "-extensions", "ca", "-subj", f"/CN={name}", "-keyout",
                         f"{name}.key", "-out", f"{name}.pem")
        self.issue("server", "server", "ca")
        self.issue("client", "01-23-45-67-89-AB-CD-EF", "ca")
        self.issue("forged", "01-23-45-67-89-AB-CD-EF", "stranger", "client")

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *words):
        subprocess.run([peers.program("openssl"), *words], cwd=self.folder, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)

    def issue(self, name, subject, issuer, kind=None):
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config",
                     "openssl.cnf", "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
                     "-set_serial", str(len(name) + 100), "-days", "2", "-sha256", "-extfile", "openssl.cnf",
                     "-extensions", kind or name, "-out", f"{name}.pem")


@contextlib.contextmanager
def our_server(folder):
    server = subprocess.Popen([OURS, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        words = server.stdout.readline().decode().split()
        if words[:1] != ["ready"]:
            raise AssertionError(f"our server says {words}")
        yield words[2]
    finally:
        server.stdin.close()
        server.stdout.close()
        if server.wait(timeout=20) != 0:
            raise AssertionError("our server ended with an error")


class OpensslCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.authority = Authority(folder)
        cls.secure = cls.enterClassContext(our_server(folder))

    def ask(self, *words, certificate="client"):
        """What s_client prints, up to the answer to a request or its own end."""
        identity = () if certificate is None else ("-cert", f"{certificate}.pem", "-key", f"{certificate}.key")
        client = subprocess.Popen([peers.program("openssl"), "s_client", "-dtls1_2", "-connect", self.secure, "-CAfile",
                                   "ca.pem", "-verify_return_error", *identity, *words], cwd=self.authority.folder,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        give_up = threading.Timer(20, client.kill)
        give_up.start()
        seen = b""
        try:
            with contextlib.suppress(BrokenPipeError):
                client.stdin.write(GET_TEST)
                client.stdin.flush()
            while CONTENT not in seen:
                octets = os.read(client.stdout.fileno(), 4096)
                if not octets:
                    break
                seen += octets
        finally:
            with contextlib.suppress(BrokenPipeError):
                client.stdin.close()
            client.stdout.close()
            client.wait(timeout=30)
            give_up.cancel()
        return seen

    def test_both_certificates_hold(self):
        for suite in (CCM_8, "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-CHACHA20-POLY1305"):
            with self.subTest(suite=suite):
                seen = self.ask("-verify_hostname", "door.example", "-cipher", suite)
                self.assertIn(CONTENT, seen)
                self.assertIn(b"Cipher is " + suite.split(":", maxsplit=1)[0].encode(), seen)
                self.assertIn(b"Extended master secret: yes", seen)

    def test_the_server_is_not_somebody_else(self):
        seen = self.ask("-verify_hostname", "window.example")
        self.assertNotIn(CONTENT, seen)
        self.assertIn(b"hostname mismatch", seen.lower())

    def test_a_client_without_a_certificate_is_refused(self):
        seen = self.ask(certificate=None)
        self.assertNotIn(CONTENT, seen)
        self.assertIn(b"SSL alert number 40", seen)

    def test_a_client_of_another_authority_is_refused(self):
        seen = self.ask(certificate="forged")
        self.assertNotIn(CONTENT, seen)
        self.assertIn(b"SSL alert number 48", seen)

    def test_a_session_is_resumed_by_its_ticket(self):
        first = self.ask("-sess_out", "session.pem")
        self.assertIn(CONTENT, first)
        self.assertIn(b"New, ", first)
        second = self.ask("-sess_in", "session.pem")
        self.assertIn(CONTENT, second)
        self.assertIn(b"Reused, ", second)


if __name__ == "__main__":
    unittest.main()
