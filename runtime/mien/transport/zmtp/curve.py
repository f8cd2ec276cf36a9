"""The CURVE mechanism: encryption with mutual authentication by keys (rfc.zeromq.org/spec/26).

The names follow the specification: C and S are the long-term keys of client and server, C' and S' those of one
connection. Each command is accepted once, in order. Between WELCOME and INITIATE the server keeps no key material of
the connection but the cookie's key: the cookie carries the rest.
"""

import os
from collections.abc import Callable
from typing import Final

from nacl import bindings as nacl
from nacl.exceptions import CryptoError

from mien.errors import PeerError
from mien.transport.zmtp.framing import (
    COMMAND,
    MORE,
    Frame,
    decode_metadata,
    encode_command,
    encode_frame,
    encode_metadata,
)

_HELLO_BYTES: Final = 200
_WELCOME_NONCE: Final = b"WELCOME-"
_COOKIE_NONCE: Final = b"COOKIE--"
_VOUCH_NONCE: Final = b"VOUCH---"
_COOKIE_BYTES: Final = 96
_LEAST_INITIATE: Final = 9 + _COOKIE_BYTES + 8 + 16 + 128
_LEAST_MESSAGE: Final = 8 + 8 + 16 + 1
_INNER_MORE: Final = 1
_INNER_COMMAND: Final = 2

Lookup = Callable[[bytes], str | None]


class CurveMechanism:
    """The server's side of one connection (see null.Mechanism).

    pair: the server's long-term public and secret key, 32 bytes each. lookup(C) returns the user id of a client's
    public key; None for an unknown key.
    """

    name: Final = b"CURVE"

    def __init__(self, properties: dict[bytes, bytes], pair: tuple[bytes, bytes], lookup: Lookup) -> None:
        self._properties = properties
        self._public, self._secret = pair
        self._lookup = lookup
        self._step = self._hello
        self._cookie_key = os.urandom(32)
        self._shared = b""
        self._peer_nonce = 0
        self._nonce = 0
        self.user_id = ""
        self.peer_metadata: dict[bytes, bytes] | None = None

    def begin(self) -> bytes:
        """Nothing: the client begins."""
        return b""

    def command(self, body: bytes) -> bytes:
        """Process HELLO, then INITIATE."""
        try:
            return self._step(body)
        except CryptoError:
            raise PeerError("bad_handshake", "a box of the CURVE handshake cannot be opened") from None

    def pack(self, frame: Frame) -> bytes:
        """Encrypt a frame as MESSAGE."""
        inner = (_INNER_MORE if frame.flags & MORE else 0) | (_INNER_COMMAND if frame.flags & COMMAND else 0)
        self._nonce += 1
        short = self._nonce.to_bytes(8, "big")
        box = nacl.crypto_box_afternm(bytes([inner]) + frame.body, b"CurveZMQMESSAGES" + short, self._shared)
        return encode_frame(0, b"\x07MESSAGE" + short + box)

    def unpack(self, frame: Frame) -> Frame:
        """Decrypt a MESSAGE. A nonce that is not newer than the last is refused as a replay."""
        body = frame.body
        if len(body) < _LEAST_MESSAGE or body[:8] != b"\x07MESSAGE":
            raise PeerError("bad_frame", "only MESSAGE is allowed after a CURVE handshake")
        short = self._newer_nonce(body[8:16])
        try:
            plain = nacl.crypto_box_open_afternm(body[16:], b"CurveZMQMESSAGEC" + short, self._shared)
        except CryptoError:
            raise PeerError("bad_frame", "a CURVE message cannot be opened") from None
        flags = (MORE if plain[0] & _INNER_MORE else 0) | (COMMAND if plain[0] & _INNER_COMMAND else 0)
        if flags == MORE | COMMAND:
            raise PeerError("bad_frame", "a command cannot have several parts")
        return Frame(flags, plain[1:])

    def _newer_nonce(self, short: bytes) -> bytes:
        number = int.from_bytes(short, "big")
        if number <= self._peer_nonce:
            raise PeerError("bad_frame", "a CURVE nonce was used before")
        self._peer_nonce = number
        return short

    def _hello(self, body: bytes) -> bytes:
        if len(body) != _HELLO_BYTES or body[:8] != b"\x05HELLO\x01\x00":
            raise PeerError("bad_handshake", "the CURVE handshake begins with HELLO 1.0")
        client_transient, short = body[80:112], self._newer_nonce(body[112:120])
        signature = nacl.crypto_box_open(body[120:], b"CurveZMQHELLO---" + short, client_transient, self._secret)
        if signature != bytes(64):
            raise PeerError("bad_handshake", "the signature in HELLO is wrong")
        self._step = self._initiate
        transient_public, transient_secret = nacl.crypto_box_keypair()
        cookie_nonce = os.urandom(16)
        cookie = cookie_nonce + nacl.crypto_secretbox(
            client_transient + transient_secret, _COOKIE_NONCE + cookie_nonce, self._cookie_key
        )
        nonce = os.urandom(16)
        box = nacl.crypto_box(transient_public + cookie, _WELCOME_NONCE + nonce, client_transient, self._secret)
        return encode_command(b"WELCOME", nonce + box)

    def _initiate(self, body: bytes) -> bytes:
        if len(body) < _LEAST_INITIATE or body[:9] != b"\x08INITIATE":
            raise PeerError("bad_handshake", "INITIATE was expected")
        cookie, short = body[9 : 9 + _COOKIE_BYTES], self._newer_nonce(body[105:113])
        opened = nacl.crypto_secretbox_open(cookie[16:], _COOKIE_NONCE + cookie[:16], self._cookie_key)
        client_transient, transient_secret = opened[:32], opened[32:]
        shared = nacl.crypto_box_beforenm(client_transient, transient_secret)
        plain = nacl.crypto_box_open_afternm(body[113:], b"CurveZMQINITIATE" + short, shared)
        client, vouch_nonce, vouch_box = plain[:32], plain[32:48], plain[48:128]
        vouch = nacl.crypto_box_open(vouch_box, _VOUCH_NONCE + vouch_nonce, client, transient_secret)
        if vouch != client_transient + self._public:
            raise PeerError("bad_handshake", "the vouch in INITIATE is for another connection")
        metadata = decode_metadata(plain[128:])
        user_id = self._lookup(client)
        if user_id is None:
            raise PeerError("stranger", "its key is not allowed")
        self._step = self._over
        self._shared, self.user_id, self.peer_metadata = shared, user_id, metadata
        return encode_command(b"READY", self._ready())

    def _ready(self) -> bytes:
        self._nonce += 1
        short = self._nonce.to_bytes(8, "big")
        return short + nacl.crypto_box_afternm(
            encode_metadata(self._properties), b"CurveZMQREADY---" + short, self._shared
        )

    def _over(self, body: bytes) -> bytes:
        raise PeerError("bad_handshake", "the handshake is already complete")
