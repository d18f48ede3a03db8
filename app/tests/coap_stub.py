"""A CoAP server that a test scripts, and the messages that it sends and gets."""

import queue
import socket
import threading

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
