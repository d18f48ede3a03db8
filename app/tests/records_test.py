#!/usr/bin/env python3
"""Records, policy, owners and the database, with the real binary. Usage: records_test.py BINARY."""

import json
import os
import pathlib
import pwd
import re
import shutil
import stat
import subprocess
import sys
import unittest

from program import BINARY, CLIENT_ERROR, CONFIGURATION, DONE, REFUSED_BY_AS, USAGE, Folder, Servers, run


class Records(Folder):
    def setUp(self):
        super().setUp()
        self.init()

    def shown(self, noun, name):
        return json.loads(self.aceward("--json", noun, "show", name).stdout)

    def test_set_changes_what_is_given_and_leaves_the_rest(self):
        before = self.shown("client", "client")
        self.aceward("client", "set", "client", "--group", "lights,doors")
        after = self.shown("client", "client")
        self.assertEqual(after.pop("groups"), ["lights", "doors"])
        before.pop("groups")
        self.assertEqual(after, before)
        self.aceward("client", "set", "client", "--group", "")
        self.assertEqual(self.shown("client", "client")["groups"], [])
        self.aceward("rs", "set", "rs", "--lifetime", "10m", "--owner", "maria", "--ask-owner", "--exi",
                     "--group-audience", "house,floor")
        rs = self.shown("rs", "rs")
        self.assertEqual((rs["lifetime"], rs["owner"], rs["undecided"], rs["exi"], rs["group_audiences"]),
                         (600, "maria", "ask-owner", True, ["house", "floor"]))
        self.assertEqual(rs["audience"], "rs")
        self.aceward("rs", "set", "rs", "--owner", "", "--no-ask-owner", "--no-exi", "--refresh-lifetime", "1d")
        rs = self.shown("rs", "rs")
        self.assertEqual((rs["lifetime"], rs["owner"], rs["undecided"], rs["exi"], rs["refresh_lifetime"]),
                         (600, None, "refuse", False, 86400))
        self.aceward("client", "set", "nobody", "--group", "x", expect=CLIENT_ERROR)
        self.aceward("client", "set", "client", "--key", "", expect=CLIENT_ERROR)
        self.aceward("client", "set", "client", "--group", "x", "--dry-run")
        self.assertEqual(self.shown("client", "client")["groups"], [])

    def test_a_token_key_is_rotated_and_the_one_before_stays(self):
        before = self.shown("rs", "rs")
        self.aceward("rs", "set", "rs", "--token-key", "rotate", expect=USAGE)
        new = self.folder / "new.key"
        self.aceward("rs", "set", "rs", "--token-key", "rotate", "--token-key-id", "aabb", "--token-key-out", new)
        after = self.shown("rs", "rs")
        self.assertEqual((after["token_key_id"], after["previous_token_key_id"], after["has_previous_token_key"]),
                         ("aabb", before["token_key_id"], True))
        self.assertEqual(stat.S_IMODE(new.stat().st_mode), 0o600)
        self.aceward("rs", "add", "other", "--token-key", "rotate", expect=USAGE)

    def test_a_client_secret_is_printed_once_and_never_shown(self):
        secret = self.aceward("client", "add", "door", "--secret", "generated").stdout.splitlines()[-1]
        self.assertRegex(secret, r"^[0-9a-f]{64}$")
        shown = self.aceward("--json", "client", "show", "door").stdout
        self.assertTrue(json.loads(shown)["has_secret"])
        self.assertNotIn(secret, shown)
        path = self.folder / "door.secret"
        self.assertNotRegex(self.aceward("client", "set", "door", "--secret", "generated", "--secret-out", path).stdout,
                            r"[0-9a-f]{64}")
        self.assertRegex(path.read_text(), r"^[0-9a-f]{64}\n$")

    def test_a_rule_has_hours_and_an_end(self):
        self.aceward("client", "set", "client", "--group", "lights")
        self.aceward("policy", "add", "office", "--group", "lights", "--rs", "rs", "--scope", "read_temp", "--hours",
                     "Mon-Fri 08:00-18:00", "--until", "2027-01-01")
        rule = self.shown("policy", "office")
        self.assertEqual((rule["group"], rule["client"], rule["hours"], rule["until"]),
                         ("lights", None, "Mon-Fri 08:00-18:00", 1798761600))
        self.aceward("policy", "set", "office", "--hours", "", "--until", "", "--client", "client")
        rule = self.shown("policy", "office")
        self.assertEqual((rule["group"], rule["client"], rule["hours"], rule["until"], rule["scope"]),
                         (None, "client", None, None, "read_temp"))
        self.aceward("policy", "set", "office", "--hours", "noon", expect=USAGE)
        self.aceward("policy", "set", "office", "--until", "soon", expect=USAGE)
        self.aceward("policy", "add", "--client", "c", "--group", "g", "--rs", "rs", "--scope", "x", expect=USAGE)

    def test_policy_test_explains_what_the_rules_do(self):
        self.aceward("policy", "add", "office", "--client", "client", "--rs", "rs", "--scope", "read_temp", "--hours",
                     "Mon-Fri 08:00-18:00")
        def decision(*options):
            return json.loads(self.aceward("--json", "policy", "test", "--client", "client", "--rs", "rs", *options).stdout)
        granted = decision("--scope", "read_temp", "--at", "2026-11-20T17:30")  # a Friday
        self.assertEqual((granted["granted"], granted["scope"], granted["lifetime"]), (True, "read_temp", 1800))
        self.assertEqual((granted["rules"][0]["name"], granted["rules"][0]["effect"]), ("office", "gave"))
        closed = decision("--scope", "read_temp", "--at", "2026-11-21T12:00")
        self.assertEqual((closed["granted"], closed["rules"][0]["effect"]), (False, "outside_hours"))
        other = decision("--scope", "write_led", "--at", "2026-11-20T12:00")
        self.assertEqual((other["granted"], other["reason"], other["rules"][0]["effect"]),
                         (False, "scope_denied", "nothing_asked"))
        told = self.aceward("policy", "test", "--client", "client", "--rs", "rs", "--at", "2026-11-20T12:00").stdout
        self.assertIn("office", told)
        self.aceward("policy", "test", "--client", "nobody", "--rs", "rs", expect=CLIENT_ERROR)
        self.aceward("policy", "test", "--client", "client", expect=USAGE)


class Waiting(Servers):
    def test_the_owner_is_asked_approves_and_denies(self):
        self.start()
        self.aceward("rs", "set", "rs", "--ask-owner")
        asks = self.aceward("--json", "policy", "test", "--client", "client", "--rs", "rs", "--scope", "read_temp").stdout
        self.assertTrue(json.loads(asks)["asks_owner"])
        self.aceward("token", "get", "rs", "--scope", "read_temp", expect=REFUSED_BY_AS)
        request, = json.loads(self.aceward("--json", "request", "list").stdout)["requests"]
        self.assertEqual((request["client"], request["rs"], request["scope"], request["state"], request["times"]),
                         ("client", "rs", "read_temp", "waiting", 1))
        self.aceward("request", "approve", request["number"], "--dry-run")
        self.aceward("request", "approve", request["number"], "--name", "approved", "--lifetime", "10m")
        self.assertIn("read_temp", self.aceward("policy", "show", "approved").stdout)
        self.aceward("token", "get", "rs", "--scope", "read_temp")
        self.aceward("token", "get", "rs", "--scope", "write_led", expect=REFUSED_BY_AS)
        request, = json.loads(self.aceward("--json", "request", "list").stdout)["requests"]
        self.aceward("request", "deny", request["number"], "--for", "1d")
        self.assertEqual(json.loads(self.aceward("--json", "request", "show", request["number"]).stdout)["state"], "denied")
        self.aceward("request", "show", 99, expect=CLIENT_ERROR)


@unittest.skipUnless(os.getuid() == 0, "only the superuser can ask as somebody else")
class Owner(Servers):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        self.nobody = pwd.getpwnam("nobody")
        shared = self.folder / "run"
        shared.mkdir(mode=0o755)
        self.change(r'socket = "admin.sock"', f'socket = "{shared}/admin.sock"')
        self.config.write_text(self.config.read_text() + "\n[admin]\nopen_to_anybody = true\n")
        # What the owner sees of the configuration: where the socket is.
        self.owners_config = shared / "owner.toml"
        self.owners_config.write_text('[as]\nlisten = "[::1]:1"\nissuer = "as"\nchannel_key = "file:x"\nsigning_key = '
                                      f'"file:x"\n[store]\nsocket = "{shared}/admin.sock"\npath = "nowhere.db"\n')
        self.binary = shared / "aceward"
        shutil.copy(BINARY, self.binary)
        self.serve("as")
        self.aceward("rs", "add", "kitchen", "--key", self.folder / "a/keys/rs.pub.pem", expect=None)
        key = self.folder / "kitchen.pem"
        run("keygen", "-o", key, "--public", self.folder / "kitchen.pub.pem")
        self.aceward("rs", "add", "kitchen", "--key", self.folder / "kitchen.pub.pem", "--owner", "nobody", expect=None)
        self.aceward("rs", "set", "kitchen", "--owner", "nobody")
        self.aceward("policy", "add", "theirs", "--client", "client", "--rs", "rs", "--scope", "read_temp")

    def as_nobody(self, *arguments, expect=DONE):
        done = subprocess.run([str(self.binary), "-c", str(self.owners_config), "--json", *map(str, arguments)],
                              capture_output=True, text=True, timeout=60, cwd="/", user=self.nobody.pw_uid,
                              group=self.nobody.pw_gid, extra_groups=[])
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def reason(self, *arguments):
        return self.as_nobody(*arguments, expect=CLIENT_ERROR)["error"]["reason"]

    def test_administers_the_servers_of_its_own_and_meets_no_others(self):
        self.assertEqual([server["name"] for server in self.as_nobody("rs", "list")["servers"]], ["kitchen"])
        self.assertEqual(self.as_nobody("rs", "show", "kitchen")["owner"], "nobody")
        self.assertEqual(self.reason("rs", "show", "rs"), "record_missing")
        self.as_nobody("policy", "add", "mine", "--client", "client", "--rs", "kitchen", "--scope", "cook")
        self.as_nobody("policy", "set", "mine", "--lifetime", "5m")
        self.assertEqual([rule["name"] for rule in self.as_nobody("policy", "list")["rules"]], ["mine"])
        self.assertTrue(self.as_nobody("policy", "test", "--client", "client", "--rs", "kitchen")["granted"])
        self.assertEqual(self.reason("policy", "test", "--client", "client", "--rs", "rs"), "record_missing")
        self.assertEqual(self.reason("policy", "add", "--client", "client", "--rs", "rs", "--scope", "read_led"),
                         "record_missing")
        self.assertEqual(self.reason("policy", "set", "mine", "--rs", "rs"), "record_missing")
        self.assertEqual(self.reason("policy", "set", "theirs", "--rs", "kitchen"), "record_missing")
        self.assertEqual(self.reason("policy", "show", "theirs"), "record_missing")
        self.assertEqual(self.reason("policy", "remove", "theirs", "--yes"), "record_missing")
        self.as_nobody("policy", "remove", "mine", "--yes")
        self.assertEqual(self.as_nobody("token", "list")["tokens"], [])
        self.assertEqual(self.as_nobody("request", "list")["requests"], [])

    def test_is_no_administrator(self):
        key = self.folder / "kitchen.pub.pem"
        shutil.copy(key, self.folder / "run/key.pem")
        os.chmod(self.folder / "run/key.pem", 0o644)
        key = self.folder / "run/key.pem"
        for command in (["client", "list"], ["client", "show", "client"], ["client", "remove", "client", "--yes"],
                        ["client", "add", "x", "--key", key], ["rs", "add", "x", "--key", key],
                        ["rs", "set", "kitchen", "--owner", "root"], ["rs", "remove", "kitchen", "--yes"],
                        ["token", "revoke", "--client", "client", "--yes"]):
            self.assertEqual(self.reason(*command), "asker_not_allowed", command)
        for command in (["token", "revoke", "--rs", "rs", "--yes"], ["token", "revoke", "1", "--yes"],
                        ["token", "revoke", "--audience", "rs", "--yes"], ["token", "list", "--rs", "rs"]):
            self.assertEqual(self.reason(*command), "record_missing", command)
        self.as_nobody("token", "revoke", "--rs", "kitchen", "--yes")


class Database(Servers):
    def test_status_backup_and_restore(self):
        server = self.serve("as")
        self.allow("read_temp")
        status = json.loads(self.aceward("--json", "db", "status").stdout)
        self.assertEqual((status["clients"], status["servers"], status["rules"]), (1, 1, 1))
        self.assertEqual(status["version"], status["current_version"])
        copy = self.folder / "copy.db"
        self.aceward("db", "backup", copy)
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        self.aceward("db", "backup", copy, expect=CLIENT_ERROR)
        self.aceward("client", "remove", "client", "--yes")
        self.assertNotEqual(run("-c", self.config, "db", "restore", copy, "--yes", expect=None).returncode, DONE)
        self.servers.remove(server)
        self.assertEqual(server.stop(), 0)
        self.aceward("db", "restore", copy, expect=USAGE)
        restored = json.loads(self.aceward("--json", "db", "restore", copy, "--yes").stdout)
        self.assertEqual(restored["revived"], ["client"])
        self.assertIn("client", self.aceward("client", "list").stdout)
        self.assertIn("nothing to migrate", self.aceward("db", "migrate").stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
