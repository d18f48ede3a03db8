#!/usr/bin/env python3
"""The program as people use it: the real binary over loopback. Usage: command_line_test.py BINARY [unittest's options].

Servers take free ports; a test waits for what a server prints, never for time to pass.
"""

import base64
import json
import os
import re
import signal
import socket
import stat
import sys
import threading
import unittest

from program import (CLIENT_ERROR, CONFIGURATION, DONE, NO_ANSWER, REFUSED_BY_AS, SECURITY, SERVER_ERROR, USAGE, Folder,
                     Servers, run, said)

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


class Flow(Servers):
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
        # What it kept is revoked, which this server has nobody to hear from; it gets no other.
        self.aceward("token", "remove", "--all")
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

    def test_a_wrong_command_line_fails_as_everything_else(self):
        for arguments in (["get"], ["get", "--bogus", "coap://[::1]"], ["get", "--timeout", "soon", "coap://[::1]"],
                          ["serve", "xs"], []):
            told = run(*arguments, expect=USAGE)
            self.assertTrue(told.stderr.startswith("aceward: "), told.stderr)
            self.assertIn(" --help", told.stderr)
            self.assertEqual(told.stdout, "")
            for asked in (["--json", *arguments], [*arguments, "--json"]):
                error = json.loads(run(*asked, expect=USAGE).stdout)["error"]
                self.assertEqual((error["reason"], error["exit"]), ("usage", USAGE))

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
