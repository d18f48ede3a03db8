"""The stories of README.md, told to the program over loopback: usage scenarios_test.py ACEWARD."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "app", "tests"))

import program  # noqa: E402  pylint: disable=wrong-import-position

ALL = "read_temp read_led write_led"
# How often something is asked that takes a moment to come about; each asking takes its own time.
TRIES = 200


class Story(program.Servers):
    def configure(self, section, lines):
        """Adds lines at the beginning of a section, or the section."""
        text = self.config.read_text()
        if f"\n[{section}]\n" in text:
            text = text.replace(f"\n[{section}]\n", f"\n[{section}]\n{lines}\n", 1)
        else:
            text += f"\n[{section}]\n{lines}\n"
        self.config.write_text(text)

    def stop(self, server):
        self.servers.remove(server)
        self.assertEqual(server.stop(), 0)

    def read_temperature(self):
        self.assertEqual(self.aceward("get", self.plain + "/temp").stdout.strip(), "21.5 C")

    def link_to_as(self):
        """The server may talk to its authorization server, with its own key."""
        token_uri = self.serve("as").addresses["as"][0]
        self.change(r"coaps://\[::1\]:\d+/token", token_uri + "/token")
        self.configure("rs.as", f'issuer = "as"\nuri = "{token_uri}"\nkey = "file:keys/as-channel.pub.pem"')
        self.start_rs()

    def start_rs(self):
        addresses = self.serve("rs").addresses["rs"]
        self.secure = next(address for address in addresses if address.startswith("coaps:"))
        self.plain = next(address for address in addresses if address.startswith("coap:"))
        self.change(r'uri = "coaps://\[::1\]:\d+"\nplain', f'uri = "{self.secure}"\nplain')
        self.change(r'plain = "coap://\[::1\]:\d+"', f'plain = "{self.plain}"')

    def tokens(self):
        return [line for line in self.aceward("token", "list").stdout.splitlines() if "client" in line and "rs" in line]


class BothOffline(Story):
    def test_a_token_that_was_fetched_before_is_enough(self):
        self.start()
        self.allow(ALL)
        self.aceward("token", "get", "rs")
        self.stop(self.servers[0])
        self.read_temperature()
        self.aceward("put", "-d", "on", self.plain + "/led")
        # Not even a second use asks for anything.
        self.read_temperature()


class ServerOffline(Story):
    def test_the_server_asks_nobody(self):
        self.start()
        self.allow(ALL)
        self.read_temperature()
        # The authorization server had one caller, the client: it made the one session there.
        self.assertNotIn("\n[rs.as]", self.config.read_text())
        self.assertEqual(len(self.tokens()), 1)
        self.stop(self.servers[0])
        self.read_temperature()


class KeyFob(Story):
    def test_a_door_introspects_what_the_fob_shows(self):
        self.aceward("rs", "set", "rs", "--reference")
        self.link_to_as()
        self.allow(ALL)
        # At home, where the fob has a network.
        self.aceward("token", "get", "rs")
        # At the door it has none: its authorization server is nowhere.
        away = self.config.with_name("fob.toml")
        client = self.config.read_text()
        client = client[client.index("\n[client]\n"):client.index("\n[rs.as]\n")]
        away.write_text(client.replace('/token"\n', '/token"\naddress = "[::1]:1"\n'))
        done = program.run("-c", away, "get", self.plain + "/temp")
        self.assertEqual(done.stdout.strip(), "21.5 C")
        # The fob is lost. The door learns of it from the list of revoked tokens, long before the token would end.
        self.aceward("token", "revoke", "--client", "client", "--yes")
        self.aceward("policy", "remove", "client-rs-1", "--yes")
        for _ in range(TRIES):
            try:
                program.run("-c", away, "get", "--timeout", "5", self.plain + "/temp")
            except AssertionError:
                return
        self.fail("a lost fob opens the door")


class BothOnline(Story):
    def test_short_tokens_follow_one_another(self):
        self.start()
        self.aceward("policy", "add", "--client", "client", "--rs", "rs", "--scope", ALL, "--lifetime", "2s")
        for _ in range(TRIES):
            self.read_temperature()
            if len(self.tokens()) >= 3:
                return
        self.fail("tokens of two seconds do not end")


class SleepingServer(Story):
    def test_no_token_lives_twice(self):
        self.aceward("rs", "set", "rs", "--exi")
        self.configure("rs", 'clock_synchronized = false\nsequences = "rs.sequences"')
        self.start()
        self.allow(ALL)
        self.read_temperature()
        self.assertEqual(len(self.tokens()), 1)
        # It sleeps, and answers nobody.
        self.stop(self.servers[1])
        self.aceward("get", "--timeout", "3", self.plain + "/temp", expect=program.NO_ANSWER)
        # It wakes up, and cannot know how long it slept: what it took before is not taken again.
        self.start_rs()
        self.read_temperature()
        self.assertEqual(len(self.tokens()), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
