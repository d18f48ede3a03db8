"""What of CoAP beyond one request libcoap and we do together: usage libcoap_features_test.py OUR-PROGRAM.

Block-wise transfer both ways, observation, ping and discovery, plain, with a pre-shared key and with raw public keys.
"""

import os
import subprocess
import sys
import tempfile
import unittest

import peers

OURS = sys.argv.pop(1)
KEY = "0123456789abcdef"
BODY = "".join(f"{number:04d} not alike\n" for number in range(200)).encode()  # 3000 octets


def ask(method, uri, *words):
    """Our client; returns [(code, payload)], or the id of the error."""
    done = subprocess.run([OURS, method, uri, *words], stdout=subprocess.PIPE, timeout=60, check=False)
    if done.stdout.startswith(b"error "):
        return done.stdout.split()[1].decode()
    answers, rest = [], done.stdout
    while rest and rest != b"alive\n":
        head, _, rest = rest.partition(b"\n")
        code, length = head.split()
        answers.append((code.decode(), rest[:int(length)]))
        rest = rest[int(length) + 1:]
    return answers


class InFile:
    """A file with the large body."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(BODY)
        self.file.flush()
        return self.file.name

    def __exit__(self, *_):
        self.file.close()


class OurServer(unittest.TestCase):
    """coap-client-gnutls at the plugtest resources."""

    def setUp(self):
        server = peers.our_server(OURS, "plugtest")
        self.folder, self.plain, self.secure = server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)

    def ways(self):
        """The same over each kind of transport."""
        yield "plain", f"coap://{self.plain}", ()
        yield "psk", f"coaps://{self.secure}", ("-u", "interop", "-k", KEY)
        yield "raw", f"coaps://{self.secure}", ("-M", os.path.join(self.folder, "raw.pem"))

    def test_large_get(self):
        for name, server, options in self.ways():
            for size in ((), ("-b", "64"), ("-b", "512")):
                with self.subTest(way=name, size=size):
                    answer = peers.libcoap_client(f"{server}/large", *options, *size)
                    self.assertEqual(answer.code, "2.05", answer.log)
                    self.assertTrue(answer.payload.startswith(b"line 0 of a large resource\n"))
                    self.assertGreaterEqual(len(answer.payload), 2000)
                    self.assertIn("Block2:", answer.log)

    def test_large_put(self):
        for name, server, options in self.ways():
            for size in ((), ("-b", "64")):
                with self.subTest(way=name, size=size), InFile() as body:
                    answer = peers.libcoap_client(f"{server}/large-update", "-m", "put", "-t", "0", "-f", body, *options,
                                                  *size)
                    self.assertEqual(answer.code, "2.04", answer.log)
                    self.assertIn("Block1:", answer.log)
                    self.assertEqual(peers.libcoap_client(f"{server}/large-update", *options).payload, BODY)

    def test_large_post_with_a_large_answer(self):
        for name, server, options in self.ways():
            with self.subTest(way=name), InFile() as body:
                answer = peers.libcoap_client(f"{server}/large-post", "-m", "post", "-t", "0", "-f", body, *options)
                self.assertEqual(answer.code, "2.04", answer.log)
                self.assertEqual(answer.payload, b"Backwards: " + BODY[::-1])

    def test_observe(self):
        for name, server, options in self.ways():
            # Non-confirmable notifications come every three seconds at most (RFC 7641 section 4.5.1).
            for resource, least in (("obs", 3), ("obs-non", 2), ("obs-large", 3)):
                with self.subTest(way=name, resource=resource):
                    answer = peers.libcoap_client(f"{server}/{resource}", "-s", "2", *options)
                    self.assertIn("Observe:", answer.log)
                    self.assertGreaterEqual(answer.payload.count(b"State "), least, answer.log)

    def test_discovery(self):
        for name, server, options in self.ways():
            with self.subTest(way=name):
                answer = peers.libcoap_client(f"{server}/.well-known/core", *options)
                self.assertEqual(answer.code, "2.05", answer.log)
                self.assertIn(b"</large-update>", answer.payload)
                self.assertIn(b"</test>", answer.payload)
                answer = peers.libcoap_client(f"{server}/.well-known/core?href=/seg1*", *options)
                self.assertEqual(answer.payload.strip(), b"</seg1/seg2/seg3>;ct=0")

    def test_separate_response(self):
        answer = peers.libcoap_client(f"coap://{self.plain}/separate")
        self.assertIn(" t:CON c:2.05 ", answer.log)
        self.assertEqual(answer.payload, b"It took a while")

    def test_etag_and_preconditions(self):
        # If-None-Match (5) where there is something, and where there is nothing yet.
        def put(path):
            return peers.libcoap_client(f"coap://{self.plain}/{path}", "-m", "put", "-t", "0", "-e", "x", "-O", "5,").code

        self.assertEqual((put("test"), put("create1")), ("4.12", "2.01"))


class LibcoapServer(unittest.TestCase):
    """Our client at coap-server-gnutls."""

    def ways(self):
        """Yields for each transport: its name, the server's URI, and our client's words."""
        with peers.libcoap_server() as port:
            yield "plain", f"coap://{peers.LOOPBACK}:{port}", ()
        with peers.libcoap_server("-k", KEY) as port:
            yield "psk", f"coaps://{peers.LOOPBACK}:{port + 1}", ("psk", "somebody", KEY)
        with peers.our_server(OURS) as (folder, _, _):
            own, server = os.path.join(folder, "stranger.pem"), os.path.join(folder, "raw-public.pem")
            with peers.libcoap_server("-M", os.path.join(folder, "raw.pem"), "-n") as port:
                yield "raw", f"coaps://{peers.LOOPBACK}:{port + 1}", ("raw", own, server)

    def test_large_put_and_get(self):
        for name, server, words in self.ways():
            for size in ((), ("block", "64"), ("block", "512")):
                with self.subTest(way=name, size=size), InFile() as body:
                    uri = f"{server}/example_data"
                    put = ask("put", uri, "body", body, *words, *size)
                    self.assertIn(put[0][0], ("2.01", "2.04"))
                    self.assertEqual(ask("get", uri, *words, *size), [("2.05", BODY)])

    def test_observe(self):
        for name, server, words in self.ways():
            with self.subTest(way=name):
                states = ask("get", f"{server}/time", "observe", "3", *words)
                self.assertEqual([code for code, _ in states], ["2.05"] * 3)
                # The time in seconds, told about once a second: two may fall into the same one.
                self.assertGreaterEqual(len({payload for _, payload in states}), 2)

    def test_discovery(self):
        for name, server, words in self.ways():
            with self.subTest(way=name):
                [(code, links)] = ask("get", f"{server}/.well-known/core", *words)
                self.assertEqual(code, "2.05")
                self.assertIn(b"</time>", links)

    def test_ping(self):
        for name, server, words in self.ways():
            with self.subTest(way=name):
                self.assertEqual(ask("ping", server + "/", *words), [])

    def test_create_and_delete(self):
        with peers.libcoap_server("-d", "10") as port, InFile() as body:
            uri = f"coap://{peers.LOOPBACK}:{port}/made/here"
            self.assertEqual(ask("put", uri, "body", body)[0][0], "2.01")
            self.assertEqual(ask("get", uri), [("2.05", BODY)])
            self.assertEqual(ask("delete", uri)[0][0], "2.02")
            self.assertEqual(ask("get", uri)[0][0], "4.04")


if __name__ == "__main__":
    unittest.main()
