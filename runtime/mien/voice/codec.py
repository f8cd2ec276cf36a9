"""How a client's payloads become PCM: measured first, so that nothing is decoded that would be refused."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from mien.core.wire import MAX_CHUNK_BYTES
from mien.errors import ProtocolError
from mien.voice.pcm import Pcm

Decode = Callable[[bytes], Pcm]


class Codec(Protocol):
    """One encoding at one rate."""

    @property
    def rate_hz(self) -> int:
        """Frames a second of what decode gives."""
        ...

    def measure(self, payload: bytes) -> int:
        """How many frames a payload holds. Raises ProtocolError for one that holds none in this encoding."""
        ...

    def open(self) -> Decode:
        """A decoder for one turn: payload in, int16 (N,) out."""
        ...


class S16Codec:
    """Mono s16le: the payload is the PCM."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def measure(self, payload: bytes) -> int:
        """Half the bytes. Raises ProtocolError (chunk_too_large, odd_bytes)."""
        check_size(payload, MAX_CHUNK_BYTES)
        if len(payload) % 2:
            raise ProtocolError("odd_bytes", f"{len(payload)} bytes are not whole 16-bit samples")
        return len(payload) // 2

    def open(self) -> Decode:
        """There is nothing to keep from chunk to chunk."""
        return decode_s16le


def check_size(payload: bytes, limit: int) -> None:
    """Raises ProtocolError (chunk_too_large)."""
    if len(payload) > limit:
        raise ProtocolError("chunk_too_large", f"{len(payload)} bytes; at most {limit} a chunk")


def decode_s16le(payload: bytes) -> Pcm:
    """Bytes of whole samples as int16 (N,)."""
    return np.frombuffer(payload, dtype="<i2").astype(np.int16, copy=False)
