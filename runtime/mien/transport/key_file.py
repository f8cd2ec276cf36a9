"""One key file: a ZeroMQ certificate (CurveZMQ, rfc.zeromq.org/spec/26), read with suspicion.

libzmq aborts and pyzmq raises on keys of the wrong shape, long after they were read. So a key counts only when it is 40
characters of Z85 that stand for 32 bytes.
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
    """The keys in a file, 40 characters of Z85 each. secret: None where the file holds the public key alone."""

    public: bytes
    secret: bytes | None

    @property
    def raw(self) -> bytes:
        """The public key as CURVE puts it on the wire: 32 bytes."""
        return decode_key(self.public)


def decode_key(text: bytes) -> bytes:
    """The 32 bytes behind a key's 40 characters of Z85. Raises ValueError for anything else."""
    if len(text) != KEY_CHARACTERS:
        raise ValueError(f"a key has {KEY_CHARACTERS} characters, and this one {len(text)}")
    try:
        return zmq.utils.z85.decode(text)
    except (KeyError, struct.error):  # outside the alphabet; beyond 32 bits
        raise ValueError("it is not Z85") from None


def read_key_file(path: Path) -> KeyFile:
    """Read a key file. Raises ConfigError, with the file and the remedy, for one that cannot be read or is no key."""
    try:
        key = _parse(_read(path))
    except OSError as error:
        raise ConfigError(
            f"access.keys: {printable(str(path))}: cannot be read ({error.strerror or error}); mend its "
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
            found.setdefault(match[1], match[2])  # the first of each counts
    if b"public" not in found:
        raise ValueError("there is no public key in it")
    key = KeyFile(found[b"public"], found.get(b"secret"))
    decode_key(key.public)
    if key.secret is not None:
        decode_key(key.secret)
        if zmq.curve_public(key.secret) != key.public:
            raise ValueError("its public and its secret key are not a pair")
    return key


def _read(path: Path) -> bytes:
    """The bytes of a regular file. A pipe in its place must not block us, nor a large file fill the memory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no ordinary file")
        content = os.read(descriptor, _MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES} bytes")
    return content
