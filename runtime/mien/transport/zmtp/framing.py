"""The byte format of ZMTP 3.0 (rfc.zeromq.org/spec/23). Pure: no sockets."""

from typing import Final, NamedTuple

from mien.errors import PeerError

GREETING_BYTES: Final = 64
MORE: Final = 1
LONG: Final = 2
COMMAND: Final = 4
_SIGNATURE: Final = b"\xff" + bytes(8) + b"\x7f"
_MAJOR: Final = 3
_MECHANISM: Final = slice(12, 32)


class Frame(NamedTuple):
    """One frame. flags: MORE or COMMAND; LONG is only part of the encoding."""

    flags: int
    body: bytes


def greeting(mechanism: bytes) -> bytes:
    """The server's greeting, 64 bytes. mechanism: at most 20 bytes, such as b"NULL"."""
    as_server = mechanism != b"NULL"
    head = _SIGNATURE + bytes([_MAJOR, 0]) + mechanism.ljust(20, b"\0") + bytes([as_server])
    return head.ljust(GREETING_BYTES, b"\0")


def check_greeting(received: bytes, mechanism: bytes) -> None:
    """Check the bytes received so far of a peer's greeting, up to 64. Raises PeerError as soon as they are invalid."""
    if received[:1] != b"\xff"[: len(received)] or (len(received) > 9 and received[9] != 0x7F):
        raise PeerError("not_zmtp", "the peer does not speak ZeroMQ")
    if len(received) > 10 and received[10] < _MAJOR:
        raise PeerError("not_zmtp", f"ZMTP {received[10]} is too old; use ZeroMQ 4 or newer")
    if len(received) == GREETING_BYTES and (offered := received[_MECHANISM].rstrip(b"\0")) != mechanism:
        raise PeerError("wrong_mechanism", f"this endpoint speaks {mechanism.decode()}, the peer {offered!r}")


def encode_frame(flags: int, body: bytes) -> bytes:
    """Encode one frame."""
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | LONG]) + len(body).to_bytes(8, "big") + body


def encode_command(name: bytes, data: bytes) -> bytes:
    """Encode one command frame."""
    return encode_frame(COMMAND, command_body(name, data))


def command_body(name: bytes, data: bytes) -> bytes:
    """The body of a command: the length of its name, the name, the data."""
    return bytes([len(name)]) + name + data


def split_command(body: bytes) -> tuple[bytes, bytes]:
    """(name, data) of a command's body. Raises PeerError."""
    if not body or len(body) < 1 + body[0]:
        raise PeerError("bad_frame", "a command has no name")
    return body[1 : 1 + body[0]], body[1 + body[0] :]


def encode_metadata(properties: dict[bytes, bytes]) -> bytes:
    """Encode the properties of a READY command."""
    return b"".join(
        bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value for name, value in properties.items()
    )


def decode_metadata(data: bytes) -> dict[bytes, bytes]:
    """Decode the properties of a READY or INITIATE command, names in lower case. Raises PeerError."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        value_at = name_end + 4
        value_end = value_at + int.from_bytes(data[name_end:value_at], "big")
        if value_end > len(data):  # also where the length itself is cut: value_end is never before value_at
            raise PeerError("bad_frame", "the metadata of the handshake is truncated")
        found[data[at + 1 : name_end].lower()] = data[value_at:value_end]
        at = value_end
    return found


class FrameReader:
    """Splits a stream of bytes into frames. Buffers the bytes that next() has not returned yet.

    next() raises PeerError (bad_frame, frame_too_large) for an invalid header before the body arrives.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._buffer = bytearray()
        self._at = 0

    def __len__(self) -> int:
        """The number of buffered bytes."""
        return len(self._buffer) - self._at

    def feed(self, data: memoryview | bytes) -> None:
        """Append bytes of the stream."""
        del self._buffer[: self._at]
        self._at = 0
        self._buffer += data

    def next(self) -> Frame | None:
        """The next whole frame; None when it is incomplete."""
        at, left = self._at, len(self)
        if not left:
            return None
        flags = self._buffer[at]
        if flags & ~(MORE | LONG | COMMAND) or flags & (MORE | COMMAND) == MORE | COMMAND:
            raise PeerError("bad_frame", f"a frame begins with {flags:#04x}")
        head = 9 if flags & LONG else 2
        if left < head:
            return None
        size = int.from_bytes(self._buffer[at + 1 : at + head], "big")
        if size > self.max_bytes:
            raise PeerError("frame_too_large", f"a frame of {size} bytes; at most {self.max_bytes} are accepted")
        if left < head + size:
            return None
        self._at = at + head + size
        return Frame(flags & ~LONG, bytes(self._buffer[at + head : self._at]))
