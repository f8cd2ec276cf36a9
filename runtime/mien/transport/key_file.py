"""Reads one key file, a ZeroMQ certificate (CurveZMQ, rfc.zeromq.org/spec/26), with full validation.

A malformed key makes libzmq abort or pyzmq raise long after it was read. So a key is valid only when it is 40
characters of Z85 that decode to 32 bytes.
"""

import os
import re
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zmq
import zmq.utils.z85

from mien.errors import ConfigError
from mien.printable import printable

KEY_CHARACTERS: Final = 40
KEY_BYTES: Final = 32
_MOST_BYTES: Final = 8192
_LINE: Final = re.compile(rb"[ \t]*(public|secret)-key[ \t]*=[ \t]*[\"']?([^ \t\"'\r]*)[\"']?[ \t\r]*")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys in a file, 40 characters of Z85 each. secret: None when the file holds only the public key."""

    public: bytes
    secret: bytes | None

    @property
    def raw(self) -> bytes:
        """The public key as CURVE sends it: 32 bytes."""
        return decode_key(self.public)


def decode_key(text: bytes) -> bytes:
    """The 32 bytes that a key's 40 characters of Z85 encode. Raises ValueError for anything else."""
    if len(text) != KEY_CHARACTERS:
        raise ValueError(f"a key has {KEY_CHARACTERS} characters, and this one {len(text)}")
    try:
        return zmq.utils.z85.decode(text)
    except (KeyError, struct.error):  # outside the alphabet; beyond 32 bits
        raise ValueError("it is not Z85") from None


def read_key_file(path: Path) -> KeyFile:
    """Read a key file. Raises ConfigError, with the file and the remedy, for one that is unreadable or invalid."""
    try:
        key = _parse(_read(path))
    except OSError as error:
        raise ConfigError(
            f"access.keys: {printable(str(path))}: cannot be read ({error.strerror or error}); fix its "
            "permissions, or remove it"
        ) from None
    except ValueError as error:
        raise ConfigError(
            f"access.keys: {printable(str(path))}: is not a key file ({error}); remove it, and make a "
            "new one with `mien keys make`"
        ) from None
    return key


def _parse(content: bytes) -> KeyFile:
    """Raises ValueError."""
    found: dict[bytes, bytes] = {}
    for line in content.split(b"\n"):
        if match := _LINE.fullmatch(line):
            found.setdefault(match[1], match[2])  # the first of each is used
    if b"public" not in found:
        raise ValueError("it contains no public key")
    key = KeyFile(found[b"public"], found.get(b"secret"))
    decode_key(key.public)
    if key.secret is not None:
        decode_key(key.secret)
        if zmq.curve_public(key.secret) != key.public:
            raise ValueError("its public and its secret key are not a pair")
    return key


def _read(path: Path) -> bytes:
    """The bytes of a regular file. A pipe must not block the service, and a large file must not fill its memory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        content = os.read(descriptor, _MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    return content
