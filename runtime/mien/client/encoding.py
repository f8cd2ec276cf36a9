"""How a turn's PCM travels: as it is, or as Opus packets."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from mien.core.wire import ENCODINGS, OPUS_RATES_HZ
from mien.errors import ClientError

Encode: TypeAlias = Callable[[bytes], bytes]


class Encoding(NamedTuple):
    """One encoding at one rate.

    packet_frames: what a payload holds, exactly; 0: any number. tail_frames: how much silence must follow a turn's last
    sample so that it comes out of the decoder. open: an encoder for one turn, whole packets of s16le in, in order, and
    payloads out; None where the payload is the PCM.
    """

    packet_frames: int = 0
    tail_frames: int = 0
    open: Callable[[], Encode] | None = None


S16LE = Encoding()


def find_encoding(name: str, rate_hz: int) -> Encoding:
    """The encoding that hello names. Raises ClientError (unsupported_encoding, unsupported_rate)."""
    if name not in ENCODINGS:
        raise _unsupported("encoding", f"encoding '{name}' is not one of {', '.join(ENCODINGS)}")
    return _opus(rate_hz) if name == "opus" else S16LE


def _opus(rate_hz: int) -> Encoding:
    # numpy and libopus are loaded only by who needs them.
    import numpy as np

    from mien.audio.opus import OpusEncoder, available

    if rate_hz not in OPUS_RATES_HZ:
        raise _unsupported("rate", f"rate_hz {rate_hz}: Opus has {', '.join(map(str, OPUS_RATES_HZ))}")
    if not available():
        raise _unsupported(
            "encoding",
            "encoding 'opus' needs libopus.so.0, which cannot be loaded; install Debian's "
            "libopus0, or connect with encoding='s16le'",
        )

    def open_encoder() -> Encode:
        encoder = OpusEncoder(rate_hz)
        return lambda pcm: encoder.encode(np.frombuffer(pcm, "<i2"))

    model = OpusEncoder(rate_hz)
    return Encoding(model.frames, model.lookahead, open_encoder)


def _unsupported(what: str, why: str) -> ClientError:
    return ClientError(why, code=f"unsupported_{what}", retryable=False)
