"""Decodes payloads to PCM. A payload is measured first, so that nothing is decoded that will be refused."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from mien.audio.base import Pcm
from mien.audio.opus import MAX_PACKET_BYTES, OpusDecoder, available, packet_frames
from mien.core.wire import ENCODINGS, MAX_CHUNK_BYTES, OPUS_RATES_HZ, RATES_HZ
from mien.errors import ProtocolError

Decode = Callable[[bytes], Pcm]


class Codec(Protocol):
    """One encoding at one rate."""

    @property
    def rate_hz(self) -> int:
        """The rate of the decoded PCM."""
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
        """Stateless."""
        return decode_s16le


def check_size(payload: bytes, limit: int) -> None:
    """Raises ProtocolError (chunk_too_large)."""
    if len(payload) > limit:
        raise ProtocolError("chunk_too_large", f"{len(payload)} bytes; at most {limit} a chunk")


def decode_s16le(payload: bytes) -> Pcm:
    """Bytes of whole samples as int16 (N,)."""
    return np.frombuffer(payload, dtype="<i2").astype(np.int16, copy=False)


class OpusCodec:
    """One Opus packet a payload, mono; decoded at rate_hz."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def measure(self, payload: bytes) -> int:
        """The length in the packet's header. Raises ProtocolError (chunk_too_large, bad_packet)."""
        check_size(payload, MAX_PACKET_BYTES)
        try:
            return packet_frames(payload, self.rate_hz)
        except ValueError as error:
            raise ProtocolError("bad_packet", str(error)) from None

    def open(self) -> Decode:
        """A decoder for one turn: it carries state from packet to packet."""
        decoder = OpusDecoder(self.rate_hz)

        def decode(payload: bytes) -> Pcm:
            try:
                return decoder.decode(payload)
            except ValueError as error:
                raise ProtocolError("bad_packet", str(error)) from None

        return decode


def spoken_encodings() -> tuple[str, ...]:
    """The encodings that this installation accepts: opus needs libopus."""
    return ENCODINGS if available() else ENCODINGS[:1]


def check_encoding(encoding: str) -> None:
    """Raises ProtocolError (unsupported_encoding)."""
    spoken = spoken_encodings()
    if encoding not in spoken:
        missing = "; for opus install Debian's libopus0" if encoding == "opus" else ""
        raise ProtocolError(
            "unsupported_encoding", f"encoding '{encoding[:40]}' is not one of {', '.join(spoken)}{missing}"
        )


def open_codec(encoding: str, rate_hz: int) -> Codec:
    """The codec for hello's encoding and rate. Raises ProtocolError: unsupported_encoding, unsupported_rate."""
    check_encoding(encoding)
    rates = OPUS_RATES_HZ if encoding == "opus" else RATES_HZ
    if rate_hz not in rates:
        raise ProtocolError("unsupported_rate", f"rate_hz {rate_hz} is not one of {', '.join(map(str, rates))}")
    return OpusCodec(rate_hz) if encoding == "opus" else S16Codec(rate_hz)
