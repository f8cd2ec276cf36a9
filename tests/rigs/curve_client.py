"""The client side of CurveZMQ (rfc.zeromq.org/spec/26), for tests that corrupt each part of it."""

import os

from nacl import bindings as nacl

from mien.transport.zmtp.framing import COMMAND, MORE, Frame, encode_metadata


class CurveClient:
    """Encodes commands and frames. Tests may change `nonce`, `vouch_for` and `metadata` before use."""

    def __init__(self, server_public, pair):
        self.server_public, (self.public, self.secret) = server_public, pair
        self.transient = nacl.crypto_box_keypair()
        self.nonce = 0
        self.vouch_for = self.transient[0] + server_public
        self.metadata = encode_metadata({b"Socket-Type": b"DEALER"})
        self.shared = self.server_metadata = b""

    def hello(self, signature=bytes(64)):
        short = self._short()
        box = nacl.crypto_box(signature, b"CurveZMQHELLO---" + short, self.server_public, self.transient[1])
        return b"\x05HELLO\x01\x00" + bytes(72) + self.transient[0] + short + box

    def initiate(self, welcome_frame):
        body = welcome_frame[2:]
        assert body[:8] == b"\x07WELCOME"
        plain = nacl.crypto_box_open(body[24:], b"WELCOME-" + body[8:24], self.server_public, self.transient[1])
        server_transient, cookie = plain[:32], plain[32:]
        self.shared = nacl.crypto_box_beforenm(server_transient, self.transient[1])
        vouch_nonce = os.urandom(16)
        vouch = nacl.crypto_box(self.vouch_for, b"VOUCH---" + vouch_nonce, server_transient, self.secret)
        plain = self.public + vouch_nonce + vouch + self.metadata
        short = self._short()
        box = nacl.crypto_box_afternm(plain, b"CurveZMQINITIATE" + short, self.shared)
        return b"\x08INITIATE" + cookie + short + box

    def ready(self, ready_frame):
        body = ready_frame[2:]
        assert body[:6] == b"\x05READY"
        self.server_metadata = nacl.crypto_box_open_afternm(body[14:], b"CurveZMQREADY---" + body[6:14], self.shared)

    def pack(self, frame):
        inner = (1 if frame.flags & MORE else 0) | (2 if frame.flags & COMMAND else 0)
        return self.pack_raw(bytes([inner]) + frame.body)

    def pack_raw(self, plain):
        short = self._short()
        box = nacl.crypto_box_afternm(plain, b"CurveZMQMESSAGEC" + short, self.shared)
        return Frame(0, b"\x07MESSAGE" + short + box)

    def unpack(self, data):
        body = data[9:] if data[0] & 2 else data[2:]
        assert body[:8] == b"\x07MESSAGE"
        plain = nacl.crypto_box_open_afternm(body[16:], b"CurveZMQMESSAGES" + body[8:16], self.shared)
        return Frame(MORE if plain[0] & 1 else 0, plain[1:])

    def _short(self):
        self.nonce += 1
        return self.nonce.to_bytes(8, "big")
