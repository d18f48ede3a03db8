"""What tests of the program have in common: the binary that the command line names, servers, folders."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

BINARY = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "aceward"
DONE, USAGE, CONFIGURATION, CLIENT_ERROR, SERVER_ERROR, NO_ANSWER, SECURITY, REFUSED_BY_AS = 0, 2, 3, 4, 5, 6, 7, 8

said = []  # everything that any process printed


def run(*arguments, expect=DONE, input_text=None, env=None, cwd=None):
    """The finished process; fails unless its exit status is `expect` (None: whatever it is)."""
    done = subprocess.run([BINARY, *map(str, arguments)], input=input_text, capture_output=True, text=True, timeout=120,
                          env=env, cwd=cwd, stdin=subprocess.DEVNULL if input_text is None else None)
    said.extend([done.stdout, done.stderr])
    assert expect in (None, done.returncode), f"{arguments}: {done.returncode}, not {expect}\n{done.stdout}{done.stderr}"
    return done


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
        # Tokens that one test keeps are no other's.
        os.environ["XDG_STATE_HOME"] = str(self.folder / "state")

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


class Servers(Folder):
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
