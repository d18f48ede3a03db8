"""Programs of others that the tests drive, and our side of them. Nothing sleeps: readiness is a line that is read."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

LOOPBACK = "127.0.0.1"


def program(name):
    """Its path. A peer that is not installed is a failure: a test that was not made proves nothing."""
    found = shutil.which(name)
    if found is None:
        raise AssertionError(f"{name} is not installed; ./dev deps test installs it")
    return found


@contextlib.contextmanager
def our_server(ours, kind="serve", *words):
    """Yields (folder with tokens and keys, host:port for coap, host:port for coaps)."""
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([ours, kind, folder, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            words = server.stdout.readline().decode().split()
            if words[:1] != ["ready"]:
                raise AssertionError(f"our server says {words}")
            yield folder, words[1], words[2]
        finally:
            server.stdin.close()
            server.stdout.close()
            if server.wait(timeout=20) != 0:
                raise AssertionError("our server ended with an error")


def read(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


class Answer:
    """What coap-client printed at a verbosity that shows messages."""

    def __init__(self, log, payload):
        self.log = log.decode(errors="replace")
        self.payload = payload
        codes = re.findall(r"^v:1 t:\w+ c:(\d\.\d\d) ", self.log, re.MULTILINE)
        self.code = codes[-1] if codes else None
        self.alerts = [int(number) for number in re.findall(r"Alert '(\d+)'", self.log)]


def libcoap_client(uri, *options, seconds=20):
    """Runs coap-client-gnutls, which gives up by itself after `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "payload")
        done = subprocess.run([program("coap-client-gnutls"), "-v", "7", "-B", str(seconds), "-o", output, *options, uri],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds + 20, check=False)
        payload = b""
        if os.path.exists(output):
            with open(output, "rb") as file:
                payload = file.read()
    return Answer(done.stdout, payload)


def free_ports():
    """A port that is free together with the next one, for UDP and TCP: coap-server takes DTLS there."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            first.bind((LOOPBACK, 0))
            port = first.getsockname()[1]
            try:
                for number, kind in ((port + 1, socket.SOCK_DGRAM), (port, socket.SOCK_STREAM),
                                     (port + 1, socket.SOCK_STREAM)):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind((LOOPBACK, number))
            except OSError:
                continue
            return port


@contextlib.contextmanager
def libcoap_server(*options):
    """Yields the port for coap; the next one is for coaps."""
    port = free_ports()
    # Its log is on the standard output, which is held back in a pipe unless told otherwise.
    server = subprocess.Popen([program("stdbuf"), "-oL", program("coap-server-gnutls"), "-A", LOOPBACK, "-p", str(port), "-v", "7", *options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    too_late = threading.Timer(20, server.kill)
    too_late.start()
    try:
        for line in server.stdout:
            if b"created TCP  endpoint" in line:  # comes after those for UDP and DTLS
                break
        else:
            raise AssertionError("coap-server-gnutls did not start")
        too_late.cancel()
        # A pipe that nobody reads is full after some hundred messages, and the server stands still.
        drain = threading.Thread(target=server.stdout.read)
        drain.start()
        try:
            yield port
        finally:
            server.terminate()
            drain.join(timeout=20)
    finally:
        too_late.cancel()
        server.terminate()
        server.wait(timeout=20)
        server.stdout.close()
