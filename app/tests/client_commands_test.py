#!/usr/bin/env python3
"""What the client's commands send and show, and what of it can be captured and counted, with the real binary over
loopback. Usage: client_commands_test.py BINARY [unittest's options].
"""

import json
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
import unittest

from captures import pcapng_blocks, udp_packets
from coap_stub import (BLOCK2, CON, CONTENT_FORMAT, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION_PATH, MAX_AGE, OBSERVE, URI_PATH,
                       URI_QUERY, Message, Stub)
from program import (BINARY, CLIENT_ERROR, CONFIGURATION, DONE, NO_ANSWER, REFUSED_BY_AS, SECURITY, SERVER_ERROR, USAGE,
                     Folder, Servers, run)


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

    def test_the_formats_of_patches_have_names(self):
        for name, number in (("json-patch+json", 51), ("merge-patch+json", 52)):
            _, (request,) = self.ask("patch", "--content-format", name, "-d", "[]", "URI/a", answer=(0x44, [], b""))
            self.assertEqual((request.values(CONTENT_FORMAT), request.payload), ([bytes([number])], b"[]"))

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

    def test_who_has_no_token_is_not_told_of_its_rights(self):
        done, _ = self.ask("delete", "URI/a", answer=(0x85, [], b""), expect=CLIENT_ERROR)
        self.assertIn("4.05", done.stderr)
        self.assertNotIn("token", done.stderr)

    def test_a_problem_adds_no_lines_of_its_own(self):
        problem = b"\xa1\x20\x6cx\n  title: y"
        done, _ = self.ask("get", "URI/a", answer=(0x80, [(CONTENT_FORMAT, b"\x01\x01")], problem), expect=CLIENT_ERROR)
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)

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

    def test_nobody_else_adds_lines_to_the_table(self):
        hostile = b'</a>;title="x\\\n/forged  core.safe";rt="\xe2\x80\xaeesrever"'
        with Stub(lambda request: (0x45, [(CONTENT_FORMAT, b"\x28")], hostile)) as stub:
            done = run("discover", stub.uri, cwd=self.folder)
            self.assertEqual(len(done.stdout.splitlines()), 2, done.stdout)
            self.assertNotIn("\u202e", done.stdout)


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


class AtServers(Servers):
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
        self.aceward("token", "remove", "--all")  # the one that is kept would do
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

    def test_a_kept_token_serves_the_next_run_without_the_authorization_server(self):
        self.start()
        self.allow("read_temp")
        self.aceward("token", "get", "rs")
        kept = list((self.folder / "state" / "aceward" / "tokens").iterdir())
        self.assertEqual(len(kept), 1)
        self.assertEqual(stat.S_IMODE(kept[0].stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(kept[0].parent.stat().st_mode), 0o700)
        self.assertEqual(self.servers.pop(0).stop(), 0)  # both sides are offline from here on
        for _ in range(2):
            self.assertEqual(self.aceward("get", self.secure + "/temp").stdout, "21.5 C")
        held = json.loads(self.aceward("--json", "token", "list", "--held").stdout)["tokens"]
        self.assertEqual([(token["server"], token["scope"]) for token in held], [("rs", "read_temp")])
        self.assertNotIn("access_token", json.dumps(held))
        # A server that was restarted has forgotten the token, and gets it again.
        before = json.loads(self.aceward("--json", "token", "list", "--held").stdout)
        self.aceward("token", "remove", "nobody")
        self.assertEqual(json.loads(self.aceward("--json", "token", "list", "--held").stdout), before)
        self.aceward("token", "remove", "rs")
        self.assertEqual(list(kept[0].parent.iterdir()), [])
        self.aceward("get", "--timeout", 5, self.secure + "/temp", expect=NO_ANSWER)
        self.aceward("token", "remove", expect=USAGE)

    def test_a_kept_token_that_others_could_read_is_not_used(self):
        self.start()
        self.allow("read_temp")
        self.aceward("get", self.secure + "/temp")
        (kept,) = (self.folder / "state" / "aceward" / "tokens").iterdir()
        kept.chmod(0o644)
        done = self.aceward("get", self.secure + "/temp")
        self.assertIn("is not used", done.stderr)
        self.assertEqual(stat.S_IMODE(kept.stat().st_mode), 0o600)  # the next one took its place
        kept.write_bytes(b"\xff")
        self.assertIn("is not used", self.aceward("get", self.secure + "/temp").stderr)
        self.assertEqual(self.aceward("get", self.secure + "/temp").stderr, "")
        self.change(r"\[client\]\n", '[client]\ntoken_cache = "none"\n')
        self.aceward("get", self.secure + "/temp")
        self.assertEqual(self.aceward("token", "list", "--held").stdout, "")

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

    def test_an_observation_ends_when_its_token_is_revoked(self):
        self.change(r"\[\[client\.as\]\]\n", "[[client.as]]\nfollow_revocations = true\n")
        self.start()
        self.allow("read_temp")
        process = subprocess.Popen([BINARY, "-c", str(self.config), "observe", self.secure + "/temp"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("21.5 C", process.stdout.readline())
            self.aceward("token", "revoke", "--client", "client", "--yes")
            self.assertEqual(process.wait(timeout=60), REFUSED_BY_AS)
            self.assertIn("has revoked the token", process.stderr.read())
        finally:
            process.kill()
            process.communicate()
        self.assertEqual(self.aceward("token", "list", "--held").stdout, "")
        self.assertEqual(len(json.loads(self.aceward("--json", "token", "list").stdout)["tokens"]), 1)

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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
