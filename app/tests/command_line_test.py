#!/usr/bin/env python3
"""The program as people use it: the real binary over loopback. Usage: command_line_test.py BINARY [unittest's options].

Servers take free ports; a test waits for what a server prints, never for time to pass.
"""

import base64
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARY = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "aceward"
DONE, USAGE, CONFIGURATION, CLIENT_ERROR, SERVER_ERROR, NO_ANSWER, SECURITY, REFUSED_BY_AS = 0, 2, 3, 4, 5, 6, 7, 8

# RFC 8392 appendix A: the signed CWT (A.3), its key (A.2.3), the MACed one (A.4) and its key (A.2.2).
SIGNED_CWT = (
    "d28443a10126a104524173796d6d657472696345434453413235365850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572"
    "696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7158405427c1"
    "ff28d23fbad1f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b63632c5720912"
    "0e1c9e30")
SIGNED_CWT_KEY = (
    "a72358206c1382765aec5358f117733d281c1c7bdc39884d04a45a1e6c67c858bc206c1922582060f7f1a780d8a783bfb7a2dd6b2796e8128d"
    "bbcef9d3d168db9529971a36e7b9215820143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f2001010202524173"
    "796d6d657472696345434453413235360326")
MACED_CWT = (
    "d83dd18443a10104a1044c53796d6d65747269633235365850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b7703"
    "7818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7148093101ef6d789200")
MAC_KEY = "403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388"

said = []  # everything that any process printed


def run(*arguments, expect=DONE, input_text=None, env=None, cwd=None):
    """The finished process; fails unless its exit status is `expect`."""
    done = subprocess.run([BINARY, *map(str, arguments)], input=input_text, capture_output=True, text=True, timeout=120,
                          env=env, cwd=cwd, stdin=subprocess.DEVNULL if input_text is None else None)
    said.extend([done.stdout, done.stderr])
    assert done.returncode == expect, f"{arguments}: {done.returncode}, not {expect}\n{done.stdout}{done.stderr}"
    return done


# Option numbers of RFC 7252, RFC 7641 and RFC 7959.
IF_MATCH, ETAG, IF_NONE_MATCH, OBSERVE, LOCATION_PATH, URI_PATH, CONTENT_FORMAT, MAX_AGE, URI_QUERY, ACCEPT, BLOCK2, BLOCK1 = (
    1, 4, 5, 6, 8, 11, 12, 14, 15, 17, 23, 27)
CON, NON, ACK, RST = range(4)


class Message:
    """A CoAP message of RFC 7252 section 3; options are (number, octets)."""

    def __init__(self, kind, code, message_id, token=b"", options=(), payload=b""):
        self.kind, self.code, self.message_id, self.token = kind, code, message_id, token
        self.options, self.payload = list(options), payload

    @staticmethod
    def parse(octets):
        length = octets[0] & 15
        message = Message(octets[0] >> 4 & 3, octets[1], int.from_bytes(octets[2:4], "big"), octets[4:4 + length])
        at, number = 4 + length, 0

        def extended(nibble, at):
            if nibble == 13:
                return octets[at] + 13, at + 1
            if nibble == 14:
                return int.from_bytes(octets[at:at + 2], "big") + 269, at + 2
            return nibble, at

        while at < len(octets) and octets[at] != 0xFF:
            first, at = octets[at], at + 1
            delta, at = extended(first >> 4, at)
            size, at = extended(first & 15, at)
            number += delta
            message.options.append((number, octets[at:at + size]))
            at += size
        message.payload = octets[at + 1:]
        return message

    def serialize(self):
        out = bytes([0x40 | self.kind << 4 | len(self.token), self.code]) + self.message_id.to_bytes(2, "big") + self.token
        number = 0

        def nibble(value):
            if value < 13:
                return value, b""
            return (13, bytes([value - 13])) if value < 269 else (14, (value - 269).to_bytes(2, "big"))

        for option, value in sorted(self.options, key=lambda pair: pair[0]):
            (delta, more), (size, longer) = nibble(option - number), nibble(len(value))
            out += bytes([delta << 4 | size]) + more + longer + value
            number = option
        return out + (b"\xff" + self.payload if self.payload else b"")

    def values(self, number):
        return [value for option, value in self.options if option == number]

    @property
    def path(self):
        return "/" + "/".join(part.decode() for part in self.values(URI_PATH))


class Stub:
    """A CoAP server that a test scripts: `answer(request)` gives (code, options, payload). Pings get their Reset."""

    def __init__(self, answer):
        self.answer, self.requests, self.arrived = answer, [], queue.Queue()
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.bind(("::1", 0))
        self.port = self.socket.getsockname()[1]
        self.uri = f"coap://[::1]:{self.port}"
        self.next_id = 1
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            octets, peer = self.socket.recvfrom(2048)
            if octets == b"end":
                return
            request = Message.parse(octets)
            request.peer = peer
            if request.code == 0:
                if request.kind == CON:
                    self.send(peer, Message(RST, 0, request.message_id))
                continue
            self.requests.append(request)
            answered = self.answer(request)
            if answered is not None:
                code, options, payload = answered
                self.send(peer, Message(ACK if request.kind == CON else NON, code, request.message_id, request.token, options,
                                        payload))
            self.arrived.put(request)

    def send(self, peer, message):
        self.socket.sendto(message.serialize(), peer)

    def notify(self, request, sequence, payload):
        self.next_id += 1
        self.send(request.peer, Message(NON, 0x45, self.next_id, request.token,
                                        [(OBSERVE, sequence.to_bytes(3, "big").lstrip(b"\0"))], payload))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.sendto(b"end", ("::1", self.port))
        self.thread.join()
        self.socket.close()


def pcapng_blocks(path):
    """[(type, body)] of a little-endian file; checks what every block must hold."""
    octets, blocks = path.read_bytes(), []
    while octets:
        kind, length = struct.unpack_from("<II", octets)
        assert length % 4 == 0 and length >= 12 and len(octets) >= length
        assert struct.unpack_from("<I", octets, length - 4)[0] == length
        blocks.append((kind, octets[8:length - 4]))
        octets = octets[length:]
    return blocks


def ones_complement_sum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def udp_packets(blocks):
    """[(seconds, (source, port), (destination, port), payload, direction)] of the Enhanced Packet Blocks, all of IPv6."""
    packets = []
    for kind, body in blocks:
        if kind != 6:
            continue
        interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
        assert interface == 0 and captured == original
        packet = body[20:20 + captured]
        options = body[20 + (captured + 3) // 4 * 4:]
        assert options[:4] == b"\x02\0\x04\0"
        assert packet[0] >> 4 == 6 and packet[6] == 17 and len(packet) == 40 + int.from_bytes(packet[4:6], "big")
        udp = packet[40:]
        assert ones_complement_sum(packet[8:40] + len(udp).to_bytes(4, "big") + b"\0\0\0\x11" + udp) == 0xFFFF
        source, destination, length = struct.unpack_from(">HHH", udp)
        assert length == len(udp)
        packets.append(((high << 32 | low) / 1e9, (socket.inet_ntop(socket.AF_INET6, packet[8:24]), source),
                        (socket.inet_ntop(socket.AF_INET6, packet[24:40]), destination), udp[8:], options[4]))
    return packets


class Server:
    """`aceward serve`, from the line `ready` on; `addresses` maps what it printed: {"as": ["coaps://…"], …}."""

    def __init__(self, config, *roles, options=()):
        env = dict(os.environ, SSLKEYLOGFILE=str(config.parent / "keylog"))
        self.process = subprocess.Popen([BINARY, "-c", str(config), *options, "serve", *roles], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=env)
        self.errors = []
        self.reader = threading.Thread(target=self.read_errors)
        self.reader.start()
        self.addresses = {}
        for line in self.process.stdout:
            said.append(line)
            if line == "ready\n":
                return
            role, where = line.split()
            self.addresses.setdefault(role, []).append(where)
        self.reader.join()
        raise AssertionError("the server did not start: " + "".join(self.errors))

    def read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(timeout=60)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        said.extend(self.errors)
        return status


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContextOf(tempfile.TemporaryDirectory()))
        self.config = self.folder / "a" / "aceward.toml"

    def enterContextOf(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def init(self, *options):
        return run("init", self.folder / "a", *options)

    def change(self, pattern, replacement):
        text = self.config.read_text()
        changed = re.sub(pattern, replacement, text)
        self.assertNotEqual(text, changed)
        self.config.write_text(changed)

    def aceward(self, *arguments, **options):
        return run("-c", self.config, *arguments, **options)


class Init(Folder):
    def test_writes_what_starts_and_tells_what_to_type_next(self):
        told = self.init().stdout
        for command in ("serve as rs", "policy add", "get '"):
            self.assertIn(command, told)
        self.assertEqual(stat.S_IMODE((self.folder / "a").stat().st_mode), 0o700)
        for name in ("as-channel.pem", "as-signing.pem", "rs.pem", "client.pem", "rs-token.key"):
            self.assertEqual(stat.S_IMODE((self.folder / "a/keys" / name).stat().st_mode), 0o600, name)
        self.assertEqual([client["name"] for client in json.loads(self.aceward("--json", "client", "list").stdout)["clients"]],
                         ["client"])

    def test_replaces_nothing_unless_told_to(self):
        self.init()
        before = {path: path.read_bytes() for path in (self.folder / "a").rglob("*") if path.is_file()}
        run("init", self.folder / "a", expect=CONFIGURATION)
        self.assertEqual(before, {path: path.read_bytes() for path in before})
        self.init("--yes")
        self.assertNotEqual(before[self.folder / "a/keys/rs.pem"], (self.folder / "a/keys/rs.pem").read_bytes())

    def test_a_dry_run_writes_nothing(self):
        self.assertIn("aceward.toml", self.init("--dry-run").stdout)
        self.assertFalse((self.folder / "a").exists())

    def test_ports_are_three_and_not_zero(self):
        run("init", self.folder / "a", "--as-port", 0, expect=USAGE)
        run("init", self.folder / "a", "--as-port", 6000, "--rs-port", 6000, expect=USAGE)
        self.init("--as-port", 6001, "--rs-port", 6002, "--rs-plain-port", 6003)
        self.assertIn('listen_plain = "[::1]:6003"', self.config.read_text())


class Flow(Folder):
    """A configuration with free ports: the authorization server runs first, as the others must name it."""

    def setUp(self):
        super().setUp()
        self.init()
        self.servers = []
        self.addCleanup(self.stop_all)
        self.change(r'(\[as\]\nlisten = "\[::1\]:)\d+', r"\g<1>0")
        self.change(r'(\[rs\]\nlisten = "\[::1\]:)\d+', r"\g<1>0")
        self.change(r'(listen_plain = "\[::1\]:)\d+', r"\g<1>0")

    def serve(self, *roles, options=()):
        server = Server(self.config, *roles, options=options)
        self.servers.append(server)
        return server

    def stop_all(self):
        while self.servers:
            self.assertEqual(self.servers.pop().stop(), 0)

    def start(self, options=()):
        token_uri = self.serve("as", options=options).addresses["as"][0] + "/token"
        self.change(r'coaps://\[::1\]:\d+/token', token_uri)
        addresses = self.serve("rs", options=options).addresses["rs"]
        self.secure = next(address for address in addresses if address.startswith("coaps:"))
        self.plain = next(address for address in addresses if address.startswith("coap:"))
        self.change(r'uri = "coaps://\[::1\]:\d+"', f'uri = "{self.secure}"')
        self.change(r'plain = "coap://\[::1\]:\d+"', f'plain = "{self.plain}"')

    def allow(self, scope="read_temp read_led write_led"):
        self.aceward("policy", "add", "--client", "client", "--rs", "rs", "--scope", scope)

    def test_a_client_gets_what_it_may_and_no_more(self):
        self.start()
        refused = self.aceward("get", self.plain + "/temp", expect=REFUSED_BY_AS)
        self.assertIn("as_refused", refused.stderr)
        self.allow("read_temp write_led")
        self.assertEqual(self.aceward("get", self.plain + "/temp").stdout, "21.5 C")
        self.assertEqual(self.aceward("get", self.secure + "/temp").stdout, "21.5 C")
        self.aceward("put", "-d", "on", self.plain + "/led")
        self.aceward("get", self.secure + "/led", expect=CLIENT_ERROR)
        self.aceward("policy", "add", "more", "--client", "client", "--rs", "rs", "--scope", "read_led")
        self.assertEqual(self.aceward("get", self.secure + "/led").stdout, "on")
        denied = self.aceward("--json", "delete", self.secure + "/led", expect=CLIENT_ERROR)
        self.assertEqual(json.loads(denied.stdout)["code"], "4.05")
        self.aceward("get", "--no-extend", "--scope", "read_temp", self.secure + "/led", expect=CLIENT_ERROR)

    def test_payloads_go_out_and_come_in_as_asked_for(self):
        self.change(r'path = "/led"\ncontent = "off"',
                    'path = "/led"\ncontent = "{1: \\\\"off\\\\"}"\ncontent_format = "cbor"')
        self.start()
        self.allow()
        self.aceward("put", "--content-format", "cbor", "-d", '{1: "on", 2: h\'0102\'}', self.secure + "/led")
        target = self.folder / "payload"
        shown = self.aceward("get", "--accept", "60", "--include", "-o", target, self.secure + "/led")
        self.assertIn("2.05 Content", shown.stdout)
        self.assertIn("Content-Format: 60", shown.stdout)
        self.assertEqual(target.read_bytes(), bytes.fromhex("a201626f6e02420102"))
        self.assertIn("h'0102'", self.aceward("get", self.secure + "/led").stdout)
        self.aceward("put", "--content-format", "application/cbor", "-d", "-", self.secure + "/led",
                     input_text="\x18\x18")
        self.assertEqual(json.loads(self.aceward("--json", "get", self.secure + "/led").stdout)["payload_hex"], "1818")
        self.aceward("get", "--accept", "json", self.secure + "/led", expect=CLIENT_ERROR)
        self.aceward("put", "--content-format", "cbor", "-d", "{1:", self.secure + "/led", expect=USAGE)
        self.aceward("get", "--non", self.secure + "/temp")

    def test_pre_shared_keys_all_the_way(self):
        self.start()
        psk = self.folder / "psk.key"
        self.aceward("client", "add", "lamp", "--psk-identity", "lamp-1", "--psk", "generated", "--psk-out", psk)
        self.assertEqual(stat.S_IMODE(psk.stat().st_mode), 0o600)
        self.aceward("policy", "add", "--client", "lamp", "--rs", "rs", "--scope", "read_temp")
        self.change(r'key = "file:keys/as-channel.pub.pem"', f'psk_identity = "lamp-1"\npsk = "file:{psk}"')
        self.change(r'audience = "rs"\nas = "as"', 'audience = "rs"\nas = "as"\npop = "psk"')
        self.assertEqual(self.aceward("get", self.secure + "/temp").stdout, "21.5 C")
        self.change(r'pop = "psk"', 'pop = "psk"\ntoken = "psk-identity"')
        self.assertEqual(self.aceward("get", self.secure + "/temp").stdout, "21.5 C")
        got = json.loads(self.aceward("--json", "token", "get", "rs").stdout)
        self.assertEqual((got["bound_to"], got["scope"]), ("psk", "read_temp"))

    def test_tokens_are_listed_and_revoked(self):
        self.start()
        self.allow()
        written = self.folder / "token.cwt"
        got = json.loads(self.aceward("--json", "token", "get", "rs", "-o", written).stdout)
        self.assertEqual(written.stat().st_size, got["token_octets"])
        decoded = run("decode", f"@{written}", "--key", self.folder / "a/keys/as-signing.pub.pem")
        self.assertIn("Verified", decoded.stdout)
        run("decode", f"@{written}", "--key", self.folder / "a/keys/rs.pub.pem", expect=SECURITY)
        token, = json.loads(self.aceward("--json", "token", "list", "--live").stdout)["tokens"]
        self.assertEqual((token["client"], token["rs"], token["state"]), ("client", "rs", "live"))
        self.aceward("token", "revoke", token["number"], expect=USAGE)
        self.aceward("token", "revoke", token["number"], "--yes")
        self.assertEqual(json.loads(self.aceward("--json", "token", "list", "--live").stdout)["tokens"], [])
        shown = json.loads(self.aceward("--json", "token", "show", token["number"]).stdout)
        self.assertEqual(shown["state"], "revoked")
        self.assertEqual(json.loads(self.aceward("--json", "token", "revoke", "--client", "client", "--yes").stdout),
                         {"tokens_revoked": 0})

    def test_a_removed_client_gets_no_tokens(self):
        self.start()
        self.allow()
        self.aceward("get", self.plain + "/temp")
        self.aceward("client", "remove", "client", expect=USAGE)
        self.aceward("client", "remove", "client", "--dry-run")
        self.aceward("client", "remove", "client", "--yes")
        self.aceward("get", self.plain + "/temp", expect=SECURITY)  # its key is no longer welcome in the handshake

    def test_the_wrong_authorization_server_is_noticed(self):
        self.start()
        self.allow()
        self.change(r'key = "file:keys/as-channel.pub.pem"', 'key = "file:keys/rs.pub.pem"')
        refused = self.aceward("get", self.secure + "/temp", expect=SECURITY)
        self.assertIn("server_key_unexpected", refused.stderr)

    def test_a_hint_to_another_authorization_server_is_not_followed(self):
        self.start()
        self.change(r'(name = "as"\nuri = "coaps://)[^"]*', r'\g<1>as.example/token"' '\naddress = "[::1]:1')
        refused = self.aceward("get", self.plain + "/temp", expect=SECURITY)
        self.assertIn("hint_as_not_allowed", refused.stderr)

    def test_records_are_the_same_through_the_socket_and_through_the_store(self):
        public, key = self.folder / "x.pub.pem", self.folder / "x.key"
        run("keygen", "-o", self.folder / "x.pem", "--public", public)
        run("keygen", "--symmetric", 16, "-o", key)

        def story():
            output = []
            def do(*arguments, expect=DONE):
                for json_option in ([], ["--json"]):
                    if json_option and arguments[1] in ("add", "remove") and "--dry-run" not in arguments:
                        continue
                    done = self.aceward(*json_option, *arguments, expect=expect)
                    output.append((arguments, done.stdout, done.stderr))
            do("client", "add", "lamp", "--key", public, "--dry-run")
            do("client", "add", "lamp", "--key", public)
            do("client", "add", "lamp", "--key", public, expect=CLIENT_ERROR)
            do("rs", "add", "kitchen", "--audience", "k", "--key", public, "--token-key", f"file:{key}", "--token-key-id",
               "0102", "--protection", "encrypted", "--scope-format", "aif", "--lifetime", "10m", "--pop", "raw-key,psk")
            do("policy", "add", "--client", "lamp", "--rs", "kitchen", "--aif", "/temp=GET,PUT", "--lifetime", "60s")
            do("policy", "add", "rule", "--client", "nobody", "--rs", "kitchen", "--aif", "/x=GET", expect=CLIENT_ERROR)
            for noun in ("client", "rs", "policy"):
                do(noun, "list")
            do("client", "show", "lamp")
            do("rs", "show", "kitchen")
            do("policy", "show", "lamp-kitchen-1")
            do("policy", "show", "nothing", expect=CLIENT_ERROR)
            do("token", "list")
            do("token", "show", 999999, expect=CLIENT_ERROR)
            do("policy", "remove", "lamp-kitchen-1", "--yes")
            do("rs", "remove", "kitchen", "--yes")
            do("client", "remove", "lamp", "--yes")
            do("client", "remove", "lamp", "--yes", expect=CLIENT_ERROR)
            return output

        through_the_store = story()
        self.serve("as")
        self.assertEqual(story(), through_the_store)

    def test_roles_share_a_process_and_a_second_one_is_told_so(self):
        server = self.serve("as", "rs")
        self.assertEqual(len(server.addresses["as"]), 1)
        self.assertEqual(len(server.addresses["rs"]), 2)
        busy = self.aceward("serve", "as", expect=CONFIGURATION)
        self.assertIn("local_socket_in_use", busy.stderr)
        self.assertEqual(self.servers.pop().stop(signal.SIGINT), 0)
        self.assertFalse((self.folder / "a/admin.sock").exists())

    def test_init_leaves_a_running_server_alone(self):
        self.serve("as")
        run("init", self.folder / "a", "--yes", expect=CONFIGURATION)

    def test_records_belong_to_an_authorization_server(self):
        self.change(r"(?s)\[as\].*?\n\n", "")
        self.aceward("client", "list", expect=CONFIGURATION)

    def test_a_capture_holds_every_datagram_and_the_keys_to_read_them(self):
        at_server, keys_of_server = self.folder / "server.pcapng", self.folder / "server.keys"
        self.start(options=("--trace", at_server, "--keylog", keys_of_server))
        self.allow()
        # Two processes of the servers share the files; what the first one wrote is looked at no further.
        at_client, keys = self.folder / "client.pcapng", self.folder / "client.keys"
        warned = self.aceward("--trace", at_client, "--keylog", keys, "get", self.plain + "/temp")
        self.assertIn("can decrypt", warned.stderr)
        for path in (at_client, keys, at_server, keys_of_server):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        log = keys.read_text()
        self.assertRegex(log, r"^(CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n){2}$")  # AS and RS
        blocks = pcapng_blocks(at_client)
        self.assertEqual([kind for kind, _ in blocks[:2]], [0x0A0D0D0A, 1])
        self.assertEqual(blocks[1][1][:4], struct.pack("<HH", 101, 0))  # raw IP
        self.assertIn(b"\x09\0\x01\0\x09", blocks[1][1])  # nanoseconds
        secrets = [body for kind, body in blocks if kind == 10]
        self.assertEqual(b"".join(body[8:8 + struct.unpack_from("<I", body, 4)[0]] for body in secrets).decode(), log)
        self.assertEqual({body[:4] for body in secrets}, {b"KSLT"})
        packets = udp_packets(blocks)
        ports = {address.rsplit(":", 1)[1] for address in (self.plain, self.secure)}
        for at, source, destination, payload, direction in packets:
            self.assertLess(abs(at - time.time()), 600)
            self.assertEqual({source[0], destination[0]}, {"::1"})
            self.assertNotIn(0, (source[1], destination[1]))
        plain = [packet for packet in packets if str(packet[2][1]) == self.plain.rsplit(":", 1)[1]]
        self.assertEqual(Message.parse(plain[0][3]).path, "/temp")
        self.assertEqual({packet[4] for packet in plain}, {2})
        secure = [packet for packet in packets if str(packet[2][1]) == self.secure.rsplit(":", 1)[1]]
        self.assertEqual(secure[0][3][:2], b"\x16\xfe")  # a handshake record
        self.assertTrue(any(packet[3][0] == 23 for packet in secure))
        self.assertEqual(len({packet[1] for packet in secure}), 1)
        # The keys of a session stand before its first packet that they open.
        kinds = [(kind, body) for kind, body in blocks[2:]]
        first_data = next(i for i, (kind, body) in enumerate(kinds) if kind == 6 and udp_packets([(kind, body)])[0][3][0] == 23)
        self.assertIn(10, [kind for kind, _ in kinds[:first_data]])
        self.stop_all()
        seen = [packet[3] for packet in udp_packets(pcapng_blocks(at_server))]
        for packet in plain + secure:
            self.assertIn(packet[3], seen)
        self.assertTrue(set(log.splitlines()) & set(keys_of_server.read_text().splitlines()))
        if shutil.which("tshark"):
            shown = subprocess.run(["tshark", "-r", str(at_client), "-d", f"udp.port=={self.secure.rsplit(':', 1)[1]},dtls",
                                    "-d", f"udp.port=={self.plain.rsplit(':', 1)[1]},coap"], capture_output=True, text=True,
                                   timeout=60)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn("CoAP", shown.stdout)

    def test_a_file_for_wireshark_is_told_by_its_name(self):
        with Stub(lambda request: (0x45, [], b"x")) as stub:
            file = self.folder / "a.pcapng"
            self.assertEqual(run("get", stub.uri, "--trace", file, cwd=self.folder).stderr, "")
            self.assertIn("---> ", run(f"--trace={file}", "--trace", "get", stub.uri, cwd=self.folder).stderr)
            self.assertEqual(len(udp_packets(pcapng_blocks(file))), 2)
            self.assertIn(".pcapng", run("--trace=trace.txt", "get", stub.uri, expect=USAGE, cwd=self.folder).stderr)
            run("--trace", self.folder / "none" / "a.pcapng", "get", stub.uri, expect=USAGE, cwd=self.folder)
            run("--keylog", self.folder / "none" / "keys", "get", stub.uri, expect=USAGE, cwd=self.folder)

    def test_ping_of_a_server_plain_and_through_dtls(self):
        self.start()
        self.allow()
        for uri in (self.plain, self.secure):
            self.assertIn("2 sent, 2 answered", self.aceward("ping", "-n", 2, "--interval", 0.01, uri).stdout)
        self.aceward("policy", "remove", "client-rs-1", "--yes")
        self.aceward("ping", "-n", 1, self.secure, expect=REFUSED_BY_AS)
        self.aceward("ping", "-n", 1, "coaps://[::1]:1", expect=CONFIGURATION)

    def test_counters_are_asked_of_running_servers(self):
        self.aceward("counters", expect=NO_ANSWER)
        self.start(options=("-v",))
        self.allow()
        self.aceward("get", self.plain + "/temp")
        counted = json.loads(self.aceward("--json", "counters").stdout)
        self.assertEqual(set(counted), {"as", "rs"})
        self.assertEqual(counted["as"]["dtls"]["handshakes_completed"], 1)
        self.assertGreaterEqual(counted["rs"]["messages"]["received"], 3)  # probe, token, request
        self.assertEqual(counted["rs"]["held"]["tokens"], 1)
        shown = self.aceward("counters").stdout
        self.assertRegex(shown, r"(?m)^  handshakes_completed +1$")
        self.assertNotIn("refused_peers", shown)
        self.assertIn("refused_peers", self.aceward("counters", "--all").stdout)
        rs = self.servers[-1]
        self.stop_all()
        self.assertTrue(any(line.startswith("rs dtls: datagrams_in ") for line in rs.errors), rs.errors)

    def test_limits_of_the_configuration_hold(self):
        with open(self.config, "a") as file:
            file.write("\n[limits]\nunverified_answer = 64\n")
        self.change(r'path = "/temp"', 'path = "/long"\ncontent = "' + "x" * 200 + '"\npublic = true\n\n[[rs.resource]]\n'
                    'path = "/temp"')
        self.start()
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
            client.settimeout(60)
            request = Message(CON, 1, 7, b"t", [(URI_PATH, b"long")])
            client.sendto(request.serialize(), ("::1", int(self.plain.rsplit(":", 1)[1])))
            answer = client.recv(2048)
            self.assertLessEqual(len(answer), 64)
            self.assertEqual(Message.parse(answer).code, 0x81)  # 4.01 with Echo
            self.stop_all()
            port = re.search(r'listen_plain = "([^"]*)"', self.config.read_text())[1]
            self.change(r'listen_plain = "[^"]*"', f'listen_plain = "{port}"\ntrusted_plain = "{port}"')
            addresses = self.serve("rs").addresses["rs"]
            plain = next(address for address in addresses if address.startswith("coap:"))
            client.sendto(request.serialize(), ("::1", int(plain.rsplit(":", 1)[1])))
            self.assertEqual(Message.parse(client.recv(2048)).payload, b"x" * 200)

    def test_a_protected_resource_is_observed(self):
        self.start()
        self.allow()
        for uri in (self.secure, self.plain):
            self.aceward("put", "-d", "off", self.secure + "/led")
            process = subprocess.Popen([BINARY, "-c", str(self.config), "--json", "observe", uri + "/led"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                first = json.loads(process.stdout.readline())
                self.assertEqual((first["payload"], first["observing"]), ("off", True))
                self.aceward("put", "-d", "on", self.secure + "/led")
                second = json.loads(process.stdout.readline())
                self.assertEqual((second["payload"], second["observing"]), ("on", True))
                self.assertGreater(second["sequence"], first["sequence"])
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(timeout=60), DONE)
            finally:
                process.kill()
                process.communicate()
        self.aceward("observe", "--no-extend", "--scope", "read_temp", self.secure + "/led", expect=CLIENT_ERROR)
        counted = json.loads(self.aceward("--json", "counters").stdout)["rs"]
        self.assertGreaterEqual(counted["observe"]["registered"], 2)
        self.assertEqual(counted["held"]["observers"], 0)  # the server knows that they are gone

    def test_large_bodies_go_in_blocks_of_the_size_that_is_asked_for(self):
        self.start()
        self.allow()
        body, back = self.folder / "body", self.folder / "back"
        body.write_bytes(bytes(range(256)) * 20)
        self.aceward("put", "--block-size", 512, "-d", f"@{body}", self.secure + "/led")
        traced = self.aceward("--trace", "get", "--block-size", 256, "-o", back, self.secure + "/led").stderr
        self.assertEqual(back.read_bytes(), body.read_bytes())
        self.assertIn("Block2: 19/0/256", traced)
        blocks = json.loads(self.aceward("--json", "counters").stdout)["rs"]["blockwise"]
        self.assertEqual((blocks["assembled"], blocks["answers_cut"]), (1, 1))

    def test_a_server_lists_what_is_public(self):
        self.change(r'path = "/temp"', 'path = "/open"\ncontent = "x"\npublic = true\n\n[[rs.resource]]\npath = "/temp"')
        self.start()
        listed = json.loads(self.aceward("--json", "discover", self.plain).stdout)["links"]
        self.assertIn("/open", [link["href"] for link in listed])
        self.assertNotIn("/led", [link["href"] for link in listed])
        found = json.loads(self.aceward("--json", "discover", "--href", "/op*", self.plain).stdout)["links"]
        self.assertEqual([link["href"] for link in found], ["/open"])

    def test_secrets_are_in_no_output(self):
        self.start(options=("--trace", "-v"))
        self.allow()
        self.aceward("--trace", "-v", "get", self.plain + "/temp")
        self.change(r'audience = "rs"\nas = "as"', 'audience = "rs"\nas = "as"\npop = "psk"')
        traced = self.aceward("--trace", "get", self.plain + "/temp").stderr
        self.assertIn("access_token", traced)
        self.aceward("rs", "show", "rs")
        self.aceward("--json", "rs", "show", "rs")
        self.stop_all()
        self.assertFalse((self.folder / "a/keylog").exists())
        everything = "".join(said)
        self.assertIn("/ k / -1", everything)  # the symmetric proof-of-possession key was there, its octets were not
        self.assertNotRegex(everything, r"/ k / -1 : *h'")
        bare = re.sub(r"[\s']", "", everything).lower()
        for path in (self.folder / "a/keys").iterdir():
            if path.name.endswith(".pub.pem"):
                continue
            text = path.read_text()
            if path.suffix == ".key":
                self.assertNotIn(text.strip(), bare, path.name)
                continue
            encoded = "".join(text.splitlines()[1:-1])
            self.assertNotIn(encoded[:40], everything, path.name)
            # The scalar within PKCS#8: after the head 0201010420.
            der = base64.b64decode(encoded).hex()
            scalar = der[der.index("0201010420") + 10:][:64]
            self.assertNotIn(scalar, bare, path.name)


class Requests(Folder):
    """Against a scripted server: what goes out, and what people see of what comes in."""

    def ask(self, *arguments, answer=(0x45, [], b""), expect=DONE, input_text=None):
        with Stub(lambda request: answer) as stub:
            done = run(*[str(argument).replace("URI", stub.uri) for argument in arguments], expect=expect,
                       input_text=input_text, cwd=self.folder)
            return done, stub.requests

    def test_fetch_patch_and_ipatch_send_what_they_are_told(self):
        for command, code in (("fetch", 5), ("patch", 6), ("ipatch", 7)):
            done, (request,) = self.ask(command, "--content-format", "cbor", "-d", "{1: h'ff'}", "URI/a?b=c",
                                        answer=(0x44, [], b""))
            self.assertEqual((request.code, request.payload, request.path), (code, bytes.fromhex("a10141ff"), "/a"))
            self.assertEqual(request.values(CONTENT_FORMAT), [b"\x3c"])
            self.assertEqual(request.values(URI_QUERY), [b"b=c"])
            self.ask(command, "--content-format", "cbor", "-d", "{1:", "URI/a", expect=USAGE)
            self.ask(command, "-d", "x", "URI/a", answer=(0x84, [], b""), expect=CLIENT_ERROR)
            self.ask(command, "-d", "x", "URI/a", answer=(0xA0, [], b""), expect=SERVER_ERROR)

    def test_preconditions_and_entity_tags(self):
        _, (request,) = self.ask("put", "--if-match", "0x01ff", "--if-match", "02", "-d", "x", "URI/a")
        self.assertEqual(request.values(IF_MATCH), [b"\x01\xff", b"\x02"])
        _, (request,) = self.ask("delete", "--if-match", "*", "URI/a")
        self.assertEqual(request.values(IF_MATCH), [b""])
        _, (request,) = self.ask("ipatch", "--if-none-match", "-d", "x", "URI/a")
        self.assertEqual(request.values(IF_NONE_MATCH), [b""])
        done, (request,) = self.ask("get", "--etag", "a1a2", "URI/a", answer=(0x43, [(ETAG, b"\xa1\xa2")], b""))
        self.assertEqual(request.values(ETAG), [b"\xa1\xa2"])
        self.assertIn("still valid", done.stderr)
        self.ask("put", "--if-match", "xyz", "-d", "x", "URI/a", expect=USAGE)
        self.ask("put", "--if-match", "00" * 9, "-d", "x", "URI/a", expect=USAGE)

    def test_the_block_size_is_stated(self):
        _, (request,) = self.ask("get", "--block-size", 64, "URI/a")
        self.assertEqual(request.values(BLOCK2), [b"\x02"])
        self.ask("get", "--block-size", 100, "URI/a", expect=USAGE)
        self.ask("get", "--block-size", 2048, "URI/a", expect=USAGE)

    def test_include_shows_where_how_long_and_which(self):
        answer = (0x41, [(LOCATION_PATH, b"x"), (LOCATION_PATH, b"y z"), (MAX_AGE, b"\x0a"), (ETAG, b"\x01\x02")], b"")
        done, _ = self.ask("post", "--include", "-d", "x", "URI/a", answer=answer)
        for line in ("2.01 Created", "Max-Age: 10", "ETag: 0x0102", "Location: /x/y%20z"):
            self.assertIn(line + "\n", done.stdout)
        done, _ = self.ask("--json", "post", "-d", "x", "URI/a", answer=answer)
        self.assertEqual(json.loads(done.stdout)["location"], "/x/y%20z")

    def test_an_error_says_why(self):
        done, _ = self.ask("get", "URI/a", answer=(0x84, [], b"no such\x1b lamp"), expect=CLIENT_ERROR)
        self.assertIn("no such", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        # RFC 9290: {-1: "Too hot", -2: "It has 95 degrees", -8: 9}
        problem = bytes.fromhex("a3") + b"\x20\x67Too hot" + b"\x21\x71It has 95 degrees" + b"\x27\x09"
        answer = (0xA3, [(CONTENT_FORMAT, b"\x01\x01")], problem)
        done, _ = self.ask("get", "URI/a", answer=answer, expect=SERVER_ERROR)
        for line in ("title: Too hot", "detail: It has 95 degrees", "options not understood: 9"):
            self.assertIn(line, done.stderr)
        done, _ = self.ask("--json", "get", "URI/a", answer=answer, expect=SERVER_ERROR)
        self.assertIn("Too hot", json.loads(done.stdout)["problem"])


class Ping(Folder):
    def test_counts_and_measures(self):
        with Stub(None) as stub:
            done = run("ping", "-n", 3, "--interval", 0.01, stub.uri, cwd=self.folder)
            self.assertIn("3 sent, 3 answered, 0% lost", done.stdout)
            self.assertRegex(done.stdout, r"min/avg/max \d+\.\d+/\d+\.\d+/\d+\.\d+ ms")
            lines = [json.loads(line) for line in
                     run("--json", "ping", "-n", 2, "--interval", 0.01, stub.uri, cwd=self.folder).stdout.splitlines()]
            self.assertEqual([line.get("answered") for line in lines], [True, True, 2])
            self.assertLessEqual(lines[2]["min_ms"], lines[2]["avg_ms"])
            self.assertLessEqual(lines[2]["avg_ms"], lines[2]["max_ms"])

    def test_nobody_there(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("::1", 0))
            done = run("ping", "-n", 2, "--interval", 0.01, "--timeout", 0.1, f"coap://[::1]:{deaf.getsockname()[1]}",
                       expect=NO_ANSWER, cwd=self.folder)
            self.assertIn("2 sent, 0 answered, 100% lost", done.stdout)
            octets = deaf.recv(100)
            self.assertEqual((octets[:2], len(octets)), (b"\x40\0", 4))  # a confirmable empty message
        run("ping", "http://x", expect=USAGE)
        run("ping", "--timeout", 0, "coap://[::1]", expect=USAGE)


class Discover(Folder):
    LINKS = (b'</sensors/temp>;rt="temperature-c";if="sensor";ct=50;obs,</firmware>;title="Firmware";sz=262144,'
             b'</t>;rt="light-lux core.sen-light";if="sensor"')

    def test_lists_what_there_is(self):
        with Stub(lambda request: (0x45, [(CONTENT_FORMAT, b"\x28")], self.LINKS)) as stub:
            done = run("discover", stub.uri, cwd=self.folder)
            heading, *lines = done.stdout.splitlines()
            self.assertEqual(heading.split(), ["RESOURCE", "TYPE", "INTERFACE", "FORMATS", "MORE"])
            self.assertEqual(lines[0].split(), ["/sensors/temp", "temperature-c", "sensor", "application/json", "obs"])
            self.assertIn("sz=262144", lines[1])
            links = json.loads(run("--json", "discover", stub.uri, cwd=self.folder).stdout)["links"]
            self.assertEqual([link["href"] for link in links], ["/sensors/temp", "/firmware", "/t"])
            self.assertEqual(links[0]["uri"], stub.uri + "/sensors/temp")
            self.assertIn({"name": "obs", "value": True}, links[0]["attributes"])
            self.assertEqual({request.path for request in stub.requests}, {"/.well-known/core"})

    def test_filters_are_asked_for(self):
        with Stub(lambda request: (0x45, [(CONTENT_FORMAT, b"\x28")], b"")) as stub:
            done = run("discover", "--rt", "light*", "--if", "sensor", "--href", "/t", "--query", "sz=1&ct=60", stub.uri,
                       cwd=self.folder)
            self.assertIn("there are none", done.stderr)
            self.assertEqual(stub.requests[0].values(URI_QUERY), [b"rt=light*", b"if=sensor", b"href=/t", b"sz=1", b"ct=60"])

    def test_what_goes_wrong(self):
        with Stub(lambda request: (0x84, [], b"")) as stub:
            run("discover", stub.uri, expect=CLIENT_ERROR, cwd=self.folder)
        with Stub(lambda request: (0x45, [], b"<<<")) as stub:
            self.assertIn("link_", run("discover", stub.uri, expect=SECURITY, cwd=self.folder).stderr)


class Observe(Folder):
    """The server's part is scripted; a test waits for what arrives, never for time to pass."""

    @staticmethod
    def answer(request):
        if request.values(OBSERVE) == [b""]:
            return 0x45, [(OBSERVE, b"\x0a")], b"21 C"
        return 0x45, [], b"21 C"

    def start(self, stub, *options):
        process = subprocess.Popen([BINARY, *map(str, options), "observe", stub.uri + "/temp"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_prints_each_notification_in_order_and_takes_its_leave(self):
        with Stub(self.answer) as stub:
            process = self.start(stub, "--json")
            registration = stub.arrived.get(timeout=60)
            for sequence, payload in ((11, b"22 C"), (9, b"too late"), (11, b"again"), (12, b"23 C")):
                stub.notify(registration, sequence, payload)
            seen = [json.loads(process.stdout.readline()) for _ in range(3)]
            self.assertEqual([(one["sequence"], one["payload"], one["observing"]) for one in seen],
                             [(10, "21 C", True), (11, "22 C", True), (12, "23 C", True)])
            self.assertRegex(seen[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            process.send_signal(signal.SIGINT)
            farewell = stub.arrived.get(timeout=60)
            self.assertEqual(process.wait(timeout=60), DONE)
            self.assertEqual((farewell.values(OBSERVE), farewell.token), ([b"\x01"], registration.token))
            self.assertEqual((farewell.code, farewell.path), (1, "/temp"))

    def test_ends_after_so_many(self):
        with Stub(self.answer) as stub:
            done = run("observe", "--count", 1, stub.uri + "/temp", cwd=self.folder)
            self.assertRegex(done.stdout, r"^\S+Z #10 21 C\n$")
            self.assertEqual([request.values(OBSERVE) for request in stub.requests], [[b""], [b"\x01"]])

    def test_ends_after_so_long(self):
        with Stub(self.answer) as stub:
            begun = time.monotonic()
            run("observe", "--duration", 0.2, stub.uri + "/temp", cwd=self.folder)
            self.assertGreaterEqual(time.monotonic() - begun, 0.2)
            self.assertEqual(stub.requests[-1].values(OBSERVE), [b"\x01"])

    def test_a_server_that_keeps_no_observers(self):
        with Stub(lambda request: (0x45, [], b"21 C")) as stub:
            done = run("observe", stub.uri + "/temp", cwd=self.folder)
            self.assertIn("cannot be observed", done.stderr)
            self.assertIn("21 C", done.stdout)
            one = json.loads(run("--json", "observe", stub.uri + "/temp", cwd=self.folder).stdout)
            self.assertEqual((one["observing"], one["sequence"]), (False, None))

    def test_errors(self):
        with Stub(lambda request: (0x84, [], b"gone")) as stub:
            self.assertIn("gone", run("observe", stub.uri + "/x", expect=CLIENT_ERROR, cwd=self.folder).stderr)
        with Stub(lambda request: None) as stub:
            run("observe", "--timeout", 0.2, stub.uri + "/x", expect=NO_ANSWER, cwd=self.folder)
        run("observe", "--duration", -1, "coap://[::1]/x", expect=USAGE)


class ExitCodes(Folder):
    def test_usage(self):
        for arguments in ([], ["nonsense"], ["get"], ["get", "http://example"], ["get", "coap://[::1]/", "--nonsense"],
                          ["keygen"], ["serve", "nobody"], ["serve"], ["client"], ["decode", "zz!"],
                          ["put", "coap://[::1]/", "--content-format", "nonsense", "-d", "x"],
                          ["get", "coap://[::1]/", "--timeout", "-1"]):
            run(*arguments, expect=USAGE)

    def test_an_unknown_command_is_told_the_nearest(self):
        for arguments, word, nearest in ((["obsrve", "x"], "obsrve", "observe"), (["-v", "ipathc"], "ipathc", "ipatch"),
                                         (["token", "revok", "1"], "revok", "revoke"), (["-c", "x", "serv"], "serv", "serve")):
            told = run(*arguments, expect=USAGE).stderr
            self.assertIn(f'no command "{word}"', told)
            self.assertIn(f'did you mean "{nearest}"?', told)
        self.assertIn("aceward --help", run("bogus", expect=USAGE).stderr)
        self.assertEqual(json.loads(run("--json", "bogus", expect=USAGE).stdout)["error"]["exit"], USAGE)

    def test_help_and_version_begin_as_they_should(self):
        self.assertRegex(run("--version").stdout, r"^aceward \d+\.\d+\.\d+\n$")
        for command in ([], ["init"], ["serve"], ["get"], ["fetch"], ["observe"], ["discover"], ["ping"], ["counters"], ["client", "add"], ["token", "revoke"], ["decode"], ["keygen"]):
            self.assertTrue(run(*command, "--help").stdout.startswith("Example:\n  aceward "), command)
        self.assertIn("until it expires", run("token", "revoke", "--help").stdout)

    def test_configuration(self):
        missing = run("-c", self.folder / "none.toml", "client", "list", expect=CONFIGURATION)
        self.assertIn("none.toml", missing.stderr)
        broken = self.folder / "broken.toml"
        broken.write_text('[as]\nlisten = "[::1]:0"\nisuer = "as"\n')
        said_so = run("-c", broken, "client", "list", expect=CONFIGURATION)
        self.assertIn(f"{broken}:3:1:", said_so.stderr)
        self.assertIn('did you mean "issuer"?', said_so.stderr)
        error = json.loads(run("-c", broken, "--json", "client", "list", expect=CONFIGURATION).stdout)["error"]
        self.assertEqual((error["reason"], error["exit"]), ("configuration", CONFIGURATION))

    def test_the_configuration_is_looked_for_in_order(self):
        env = dict(os.environ, XDG_CONFIG_HOME=str(self.folder / "xdg"), HOME=str(self.folder))
        (self.folder / "xdg").mkdir()
        self.init()
        (self.folder / "a").rename(self.folder / "xdg/aceward")
        run("client", "list", env=env, cwd=self.folder)
        (self.folder / "aceward.toml").write_text("nonsense")
        nearer = run("client", "list", env=env, cwd=self.folder, expect=CONFIGURATION)
        self.assertIn("aceward.toml:1:", nearer.stderr)

    def test_exposed_keys_are_refused(self):
        self.init()
        (self.folder / "a/keys/rs.pem").chmod(0o644)
        refused = self.aceward("serve", "rs", expect=CONFIGURATION)
        self.assertIn("chmod 600", refused.stderr)

    def test_silence(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("::1", 0))
            port = deaf.getsockname()[1]
            run("get", "--timeout", "0.3", f"coap://[::1]:{port}/x", expect=NO_ANSWER, cwd=self.folder)
            self.init()
            self.change(r'(name = "as"\nuri = "coaps://\[::1\]:)\d+', rf"\g<1>{port}")
            self.aceward("token", "get", "rs", "--timeout", "0.3", expect=NO_ANSWER)

    def test_a_server_in_trouble(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as stub:
            stub.bind(("::1", 0))
            stub.settimeout(60)

            def answer():
                request, peer = stub.recvfrom(1500)
                # Acknowledgement, 5.03, the same message ID and token.
                tokens = request[0] & 15
                stub.sendto(bytes([0x60 | tokens, 0xA3]) + request[2:4 + tokens] + b"\xffbusy\x1b[31m", peer)

            thread = threading.Thread(target=answer)
            thread.start()
            told = run("get", f"coap://[::1]:{stub.getsockname()[1]}/x", expect=SERVER_ERROR, cwd=self.folder)
            thread.join()
            self.assertIn("5.03 Service Unavailable", told.stderr)
            self.assertNotIn("\x1b", told.stderr)

    def test_a_server_that_nobody_configured(self):
        self.init()
        unknown = self.aceward("get", "coaps://[::1]:1/x", expect=CONFIGURATION)
        self.assertIn("server_unknown", unknown.stderr)


class Tools(Folder):
    def test_decode_opens_the_tokens_of_rfc_8392(self):
        key = self.folder / "key"
        for token, key_text, claim in ((SIGNED_CWT, SIGNED_CWT_KEY, "coap://as.example.com"), (MACED_CWT, MAC_KEY, "erik")):
            key.write_text(key_text)
            key.chmod(0o600)
            shown = json.loads(run("--json", "decode", token, "--key", key).stdout)
            self.assertEqual((shown["kind"], shown["verified"]), ("cwt", True))
            self.assertIn(claim, shown["text"])
            forged = token[:-2] + ("00" if token[-2:] != "00" else "01")
            shown = json.loads(run("--json", "decode", forged, "--key", key, expect=SECURITY).stdout)
            self.assertEqual((shown["verified"], shown["reason"]), (False, "cwt_verification_failed"))

    def test_decode_takes_hexadecimal_base64url_files_and_standard_input(self):
        octets = bytes.fromhex(SIGNED_CWT)
        binary = self.folder / "token"
        binary.write_bytes(octets)
        texts = {run("decode", SIGNED_CWT).stdout, run("decode", f"@{binary}").stdout,
                 run("decode", base64.urlsafe_b64encode(octets).decode().rstrip("=")).stdout,
                 run("decode", "-", input_text=SIGNED_CWT + "\n").stdout}
        self.assertEqual(len(texts), 1)

    def test_decode_shows_no_key(self):
        shown = run("decode", SIGNED_CWT_KEY)
        self.assertIn("kty", shown.stdout)
        self.assertNotIn("6c1382765aec5358", shown.stdout + shown.stderr)

    def test_keygen_shows_the_public_part_alone(self):
        private, public = self.folder / "k.pem", self.folder / "k.pub.pem"
        for option in ([], ["--ed25519"]):
            made = json.loads(run("--json", "keygen", *option, "-o", private, "--public", public, "--yes").stdout)
            self.assertEqual(stat.S_IMODE(private.stat().st_mode), 0o600)
            self.assertIn("BEGIN PRIVATE KEY", private.read_text())
            self.assertIn("BEGIN PUBLIC KEY", public.read_text())
            self.assertEqual(len(made["thumbprint"]), 64)
            decoded = json.loads(run("--json", "decode", made["public_key"]).stdout)
            self.assertEqual(decoded["kind"], "cose-key")
        run("keygen", "-o", private, expect=USAGE)
        run("keygen", "--symmetric", 32, "-o", self.folder / "s.key")
        self.assertEqual(len((self.folder / "s.key").read_text().strip()), 64)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
