#!/usr/bin/env python3
"""What an operator does with the program: checks, reloads, drains, watches. Usage: operation_test.py BINARY.

Servers take free ports; a test waits for what happens, never for time to pass.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

from program import (BINARY, CLIENT_ERROR, CONFIGURATION, DONE, REFUSED_BY_AS, SECURITY, USAGE, Folder, Server, Servers,
                     run)

PATIENCE = 30
UNIT = pathlib.Path(__file__).parent.parent / "systemd" / "aceward.service"


def eventually(condition, what):
    """Waits until it holds; what happens in another process has no other end."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen in {PATIENCE} s")
        time.sleep(0.01)
    return value


class ConfigCheck(Folder):
    def setUp(self):
        super().setUp()
        self.init()

    def test_says_what_would_run(self):
        told = self.aceward("config", "check")
        self.assertIn("as coaps://[::1]:5684\n", told.stdout)
        self.assertIn("rs coap://[::1]:5693\n", told.stdout)
        self.assertIn("good", told.stderr)
        as_json = json.loads(self.aceward("--json", "config", "check").stdout)
        self.assertEqual((as_json["good"], as_json["problems"]), (True, []))
        self.assertIn({"role": "as", "where": "coaps://[::1]:5684"}, as_json["would_run"])

    def test_names_file_and_line_of_every_key_that_cannot_be_read(self):
        (self.folder / "a/keys/as-signing.pem").write_text("nothing")
        os.chmod(self.folder / "a/keys/rs.pem", 0o644)
        os.remove(self.folder / "a/keys/client.pem")
        told = self.aceward("config", "check", expect=CONFIGURATION)
        lines = self.config.read_text().splitlines()
        for key, value in (("signing_key", "as-signing.pem"), ("channel_key", "keys/rs.pem"), ("key", "client.pem")):
            number = next(i for i, line in enumerate(lines, 1) if line.startswith(key) and value in line)
            self.assertRegex(told.stderr, rf"aceward\.toml:{number}:\d+: ")
        problems = json.loads(self.aceward("--json", "config", "check", expect=CONFIGURATION).stdout)["problems"]
        self.assertEqual(len(problems), 3)

    def test_a_group_that_is_not_there_and_a_key_that_is_not_known(self):
        text = self.config.read_text()
        self.config.write_text(text + '\n[admin]\ngroup = "no-such-group-here"\n')
        self.assertIn("no-such-group-here", self.aceward("config", "check", expect=CONFIGURATION).stderr)
        self.config.write_text(text + '\n[audit]\npaht = "x"\n')
        self.assertIn('did you mean "path"', self.aceward("config", "check", expect=CONFIGURATION).stderr)


class Operated(Servers):
    def log_line(self, server, pattern):
        return eventually(lambda: next((line for line in list(server.errors) if re.search(pattern, line)), None),
                          f"a log line {pattern}")

    def reload(self, server, pattern="serve reloaded"):
        before = len(server.errors)
        server.process.send_signal(signal.SIGHUP)
        return eventually(lambda: next((line for line in server.errors[before:] if re.search(pattern, line)), None),
                          f"a log line {pattern}")


class Reload(Operated):
    def test_a_broken_configuration_is_reported_and_the_old_one_kept(self):
        self.start()
        self.allow()
        good = self.config.read_text()
        self.config.write_text(good.replace('issuer = "as"', "issuer = 3"))
        line = self.reload(self.servers[0], "not reloaded")
        self.assertIn("aceward.toml", line)
        self.assertIn("[configuration]", line)
        self.config.write_text(good)
        self.assertEqual(self.aceward("get", self.secure + "/temp").stdout, "21.5 C")
        self.reload(self.servers[0])

    def test_what_cannot_change_is_named(self):
        self.start()
        self.change(r'(listen_plain = "\[::1\]:)\d+"', r'\g<1>9"')
        self.config.write_text(self.config.read_text() + "\n[limits]\ntokens = 17\n")
        server = self.servers[1]
        self.reload(server)
        for key in (r"\[rs\] listen_plain", r"\[limits\]"):
            self.log_line(server, f"needs a restart {key} has changed")

    def test_the_log_level_changes(self):
        self.start()
        self.allow()
        self.config.write_text(self.config.read_text() + '\n[log]\nlevel = "all"\n')
        self.reload(self.servers[0])
        self.aceward("get", self.secure + "/temp")
        self.log_line(self.servers[0], "as granted client for rs: token")


class Drain(Operated):
    def locked_store(self):
        """Nobody commits to the store until it is closed."""
        store = sqlite3.connect(self.folder / "a/store.db", isolation_level=None)
        self.addCleanup(store.close)
        store.execute("BEGIN IMMEDIATE")
        return store

    def ask_for_a_token(self):
        process = subprocess.Popen([BINARY, "-c", str(self.config), "token", "get", "rs"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        def waits():
            held = json.loads(self.aceward("--json", "counters").stdout)["as"]["held"]
            return held["answers"] == 1
        eventually(waits, "the request's wait for the store")
        return process

    def test_answers_that_are_due_leave_before_the_end(self):
        self.start()
        self.allow()
        store = self.locked_store()
        client = self.ask_for_a_token()
        server = self.servers.pop(0)
        server.process.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            server.process.wait(timeout=0.3)
        store.execute("ROLLBACK")
        told, errors = client.communicate(timeout=PATIENCE)
        self.assertEqual(client.returncode, DONE, errors)
        self.assertIn("token for", told)
        self.assertEqual(server.process.wait(timeout=PATIENCE), 0)
        server.stop()

    def test_the_end_does_not_wait_for_ever(self):
        self.config.write_text(self.config.read_text() + '\n[limits]\ndrain_timeout = "1s"\n')
        self.start()
        self.allow()
        store = self.locked_store()
        client = self.ask_for_a_token()
        server = self.servers.pop(0)
        server.process.send_signal(signal.SIGTERM)
        self.log_line(server, "answers that are still due")
        store.execute("ROLLBACK")
        self.assertEqual(server.process.wait(timeout=PATIENCE), 0)
        server.stop()
        client.kill()
        client.communicate()

    def test_a_second_signal_ends_it_at_once(self):
        self.config.write_text(self.config.read_text() + '\n[limits]\ndrain_timeout = "1h"\n')
        self.start()
        self.allow()
        self.locked_store()
        client = self.ask_for_a_token()
        server = self.servers.pop(0)
        server.process.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            server.process.wait(timeout=0.3)
        self.assertEqual(server.stop(), -signal.SIGTERM)
        client.kill()
        client.communicate()


class Notify(Operated):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.settimeout(PATIENCE)
        self.name = f"aceward-test-{os.getpid()}-{id(self)}"
        self.manager.bind("\0" + self.name)

    def serve_notified(self, **environment):
        os.environ.update(environment, NOTIFY_SOCKET="@" + self.name)
        try:
            return self.serve("as")
        finally:
            for name in [*environment, "NOTIFY_SOCKET"]:
                del os.environ[name]

    def told(self):
        return self.manager.recv(4096).decode().splitlines()

    def test_ready_reloading_and_stopping(self):
        server = self.serve_notified()
        self.assertEqual(self.told(), ["READY=1", "STATUS=serving as as"])
        server.process.send_signal(signal.SIGHUP)
        reloading = self.told()
        self.assertEqual(reloading[0], "RELOADING=1")
        self.assertRegex(reloading[1], r"^MONOTONIC_USEC=\d+$")
        self.assertLessEqual(int(reloading[1].split("=")[1]), time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
        self.assertEqual(self.told()[0], "READY=1")
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told()[0], "STOPPING=1")

    def test_signs_of_life_come_from_the_loop(self):
        self.serve_notified(WATCHDOG_USEC="40000")
        self.assertEqual(self.told()[0], "READY=1")
        for _ in range(3):
            self.assertEqual(self.told(), ["WATCHDOG=1"])

    def test_a_watchdog_for_another_process_is_left_alone(self):
        server = self.serve_notified(WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        self.assertEqual(self.told()[0], "READY=1")
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.told()[0], "STOPPING=1")


class Audit(Operated):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "a/audit.log"
        self.config.write_text(self.config.read_text() + '\n[audit]\npath = "audit.log"\n')

    def lines(self, path=None):
        return [json.loads(line) for line in (path or self.path).read_text().splitlines()]

    def found(self, **members):
        return next((line for line in self.lines() if members.items() <= line.items()), None)

    def test_every_decision_and_every_change_is_a_line(self):
        self.start()
        self.aceward("get", self.secure + "/temp", expect=REFUSED_BY_AS)
        self.allow("read_temp")
        self.aceward("get", self.secure + "/temp")
        self.aceward("delete", "--no-extend", self.secure + "/temp", expect=CLIENT_ERROR)
        self.aceward("token", "revoke", "--client", "client", "--yes")
        self.aceward("client", "show", "nobody", expect=CLIENT_ERROR)
        self.aceward("client", "list")
        refused = self.found(what="token", decision="refused")
        self.assertEqual((refused["client"], refused["role"]), ("client", "as"))
        self.assertIn("reason", refused)
        granted = self.found(what="token", decision="granted")
        self.assertEqual((granted["rs"], granted["scope"]), ("rs", "read_temp"))
        self.assertGreater(granted["number"], 0)
        by = f"uid {os.getuid()}"
        self.assertTrue(self.found(what="policy.add", decision="granted", rs="rs")["by"].startswith(by))
        self.assertTrue(self.found(what="token.revoke", client="client")["by"].startswith(by))
        self.assertEqual(self.found(what="client.show")["reason"], "record_missing")
        self.assertIsNone(self.found(what="client.list"))
        self.assertEqual(self.found(what="access", decision="granted", method="GET")["role"], "rs")
        denied = self.found(what="access", decision="refused", method="DELETE")
        self.assertRegex(denied["code"], r"^4\.0[135]")
        self.assertIn("reason", denied)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_holds_no_secret(self):
        self.start()
        key = self.folder / "psk.key"
        self.aceward("client", "add", "lamp", "--psk-identity", "lamp-1", "--psk", "generated", "--psk-out", key)
        self.assertIsNotNone(self.found(what="client.add", name="lamp"))
        self.assertNotIn(key.read_text().strip(), self.path.read_text())

    def test_is_opened_anew_for_logrotate(self):
        self.start()
        self.allow()
        rotated = self.folder / "a/audit.log.1"
        self.path.rename(rotated)
        self.aceward("policy", "add", "late", "--client", "client", "--rs", "rs", "--scope", "read_led")
        self.assertFalse(self.path.exists())
        self.assertEqual(self.lines(rotated)[-1]["name"], "late")
        for server in self.servers:
            self.reload(server)
        self.aceward("policy", "remove", "late", "--yes")
        self.assertIsNotNone(self.found(what="policy.remove", name="late"))

    def test_a_full_disk_does_not_stop_the_server(self):
        self.change(r'path = "audit.log"', 'path = "/dev/full"')
        self.start()
        self.allow()
        self.assertEqual(self.aceward("get", self.secure + "/temp").stdout, "21.5 C")
        self.log_line(self.servers[0], "audit trouble lines are lost: /dev/full: No space left on device")
        self.assertEqual(len([line for line in self.servers[0].errors if "audit trouble" in line]), 1)
        self.change(r'path = "/dev/full"', 'path = "audit.log"')
        self.reload(self.servers[0])
        self.aceward("policy", "list")
        self.assertIsNotNone(self.found(what="reload", decision="granted"))

    def test_strangers_fill_it_only_so_fast(self):
        self.change(r'\npath = "audit.log"', '\npath = "audit.log"\nstrangers_per_second = 1')
        self.start()
        for _ in range(20):
            self.aceward("get", self.plain + "/other", expect=None)
        strangers = [line for line in self.lines() if line["what"] == "access"]
        seconds = {line["time"] for line in strangers}
        self.assertLessEqual(len(strangers), len(seconds))


class Metrics(Operated):
    def setUp(self):
        super().setUp()
        self.config.write_text(self.config.read_text() + '\n[metrics]\nlisten = "127.0.0.1:0"\n')

    def fetch(self):
        with urllib.request.urlopen(self.url, timeout=PATIENCE) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            return answer.read().decode()

    def values(self):
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in self.fetch().splitlines() if not line.startswith("#"))}

    def test_count_what_happens_under_names_in_base_units(self):
        token_uri = self.serve("as").addresses
        self.url = token_uri["metrics"][0]
        self.change(r"coaps://\[::1\]:\d+/token", token_uri["as"][0] + "/token")
        self.aceward("token", "get", "rs", expect=REFUSED_BY_AS)
        self.allow()
        self.aceward("token", "get", "rs")
        values = self.values()
        self.assertEqual(values["aceward_as_tokens_issued_total"], 1)
        refused = {name: value for name, value in values.items() if name.startswith("aceward_as_token_requests_refused")}
        self.assertEqual(list(refused.values()), [1])
        self.assertRegex(list(refused)[0], r'\{reason="[a-z_]+"\}$')
        self.assertGreater(values["aceward_as_sockets_in_bytes_total"], 100)
        self.assertLess(abs(values["process_start_time_seconds"] - time.time()), 600)
        self.assertGreater(values["process_resident_memory_bytes"], 1e6)
        self.assertGreaterEqual(values["process_open_fds"], 5)

    def test_is_the_text_format_and_names_no_device(self):
        addresses = self.serve("as").addresses
        self.url = addresses["metrics"][0]
        page = self.fetch()
        families = re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE)
        self.assertEqual(len(families), len(set(families)))
        for name, kind in families:
            self.assertRegex(name, r"^(aceward|process)_[a-z0-9_]+$")
            self.assertEqual(kind == "counter", name.endswith("_total"), name)
            self.assertNotIn("octets", name)
        known = {name for name, _ in families}
        for line in page.splitlines():
            if not line.startswith("#"):
                self.assertRegex(line, r'^[a-z0-9_]+(\{(reason|version)="[^"]*"\})? [-+0-9.e]+$')
                self.assertIn(re.match(r"[a-z0-9_]+", line).group(), known)
        with self.assertRaises(urllib.error.HTTPError) as other:
            urllib.request.urlopen(self.url + "x", timeout=PATIENCE)
        self.assertEqual(other.exception.code, 404)
        other.exception.close()

    def test_promtool_agrees(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        self.url = self.serve("as").addresses["metrics"][0]
        subprocess.run(["promtool", "check", "metrics"], input=self.fetch(), text=True, check=True)


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Unit(Folder):
    def unit(self):
        # The unit names the installed program; systemd wants to find it.
        path = self.folder / "aceward.service"
        text = UNIT.read_text()
        self.assertIn("/usr/bin/aceward", text)
        path.write_text(text.replace("/usr/bin/aceward", BINARY))
        return path

    def test_systemd_takes_it(self):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(self.unit())], capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if "aceward" in line]
        self.assertEqual(ours, [], done.stderr)

    def test_its_sandbox_is_tight(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20",
                               str(self.unit())], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-400:] + done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
