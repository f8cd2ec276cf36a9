"""Converts speech into the payloads of audio messages: PCM of any layout, WAV samples, Opus packets.

numpy, soxr and libopus are loaded by the functions that need them: most clients send bytes of s16le and need none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from mien.core.wire import ENCODINGS, OPUS_RATES_HZ, Hello
from mien.errors import ClientError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PcmLike: TypeAlias = "bytes | bytearray | memoryview | NDArray[np.int16]"
Encode: TypeAlias = Callable[[bytes], bytes]

SAMPLE_BYTES = 2
PACKETS_A_SECOND = 50
_S16_FORMATS = ("h", "<h", "=h")
_BYTE_FORMATS = ("B", "b", "c")
_FULL_SCALE = 32767.0


def pcm_chunks(speech: PcmLike | Iterable[PcmLike]) -> Iterable[PcmLike]:
    """One buffer, or an iterable of buffers, as an iterable."""
    if isinstance(speech, bytes | bytearray | memoryview) or hasattr(speech, "__array__"):
        return [cast("PcmLike", speech)]
    chunks: Iterable[PcmLike] = cast("Any", speech)  # what mypy knows of `speech` here depends on numpy's release
    return chunks


def pcm_bytes(speech: PcmLike) -> bytes:
    """A copy of `speech` as bytes. Byte buffers pass unchanged; an array must be int16 with one dimension.

    Raises TypeError for anything else: floats and stereo are never guessed at.
    """
    buffer: Any = speech  # numpy 1.26 does not declare that its arrays are buffers
    view = memoryview(buffer)
    if view.format not in _S16_FORMATS + _BYTE_FORMATS:
        raise TypeError(
            f"speech must be bytes or an int16 array, not an array of '{view.format}'; "
            "convert floats in -1..1 with (speech * 32767).astype('int16')"
        )
    if view.ndim != 1:
        raise TypeError(f"speech must be mono, an array of one dimension, not of shape {view.shape}")
    return view.tobytes()


class SampleJoiner:
    """Joins byte runs that may be cut anywhere, as pipes cut them, into whole samples or packets.

    packet_frames, tail_frames: as in Encoding; 0: whole samples are enough.
    """

    def __init__(self, packet_frames: int = 0, tail_frames: int = 0) -> None:
        self._unit = max(1, packet_frames) * SAMPLE_BYTES
        self._tail = bytes(tail_frames * SAMPLE_BYTES)
        self._rest = b""
        self._any = False

    def join(self, speech: PcmLike) -> bytes:
        """The whole samples or packets of the remainder plus `speech`. The new remainder is kept for the next call."""
        data = self._rest + pcm_bytes(speech)
        whole = len(data) - len(data) % self._unit
        self._rest = data[whole:]
        self._any = self._any or len(data) >= SAMPLE_BYTES
        return data[:whole]

    def finish(self) -> bytes:
        """The remaining samples, padded with silence to whole packets. Half a sample is kept for close()."""
        if not self._any:
            return b""
        self._any = False
        samples = len(self._rest) - len(self._rest) % SAMPLE_BYTES
        last = self._rest[:samples] + self._tail
        self._rest = self._rest[samples:]
        return last + bytes(-len(last) % self._unit)

    def close(self) -> None:
        """Raises ClientError (odd_bytes) when half a sample remains."""
        if self._rest:
            self._rest = b""
            raise ClientError(
                "the speech ended in the middle of a sample: s16le audio has an even number of bytes",
                code="odd_bytes",
                retryable=False,
            )


class Encoding(NamedTuple):
    """One encoding at one rate.

    packet_frames: the exact number of frames in a payload; 0: any number. tail_frames: the silence that must follow a
    turn's last sample so that the decoder outputs it. open: makes an encoder for one turn, which turns whole packets of
    s16le, in order, into payloads; None where the payload is the PCM.
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


def opus_packets(hello: Hello) -> Encoding:
    """Opus that the caller encodes, in packets of 20 ms: needs neither numpy nor libopus. Raises ClientError."""
    if hello.encoding != "opus":
        raise _unsupported("encoding", f"packets are Opus: connect with encoding='opus', not '{hello.encoding}'")
    _check_opus_rate(hello.rate_hz)
    return Encoding(hello.rate_hz // PACKETS_A_SECOND, 0, _refuse_pcm)


def _refuse_pcm() -> Encode:
    def refuse(_: bytes) -> bytes:
        raise ClientError("this client sends packets: use write_packet()", code="unsupported_encoding", retryable=False)

    return refuse


def _check_opus_rate(rate_hz: int) -> None:
    if rate_hz not in OPUS_RATES_HZ:
        raise _unsupported("rate", f"rate_hz {rate_hz}: Opus has {', '.join(map(str, OPUS_RATES_HZ))}")


def _opus(rate_hz: int) -> Encoding:
    import numpy as np

    from mien.audio.opus import OpusEncoder, available

    _check_opus_rate(rate_hz)
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


class SampleFormat(NamedTuple):
    """The sample layout of a WAV. bits: of one sample; floating: IEEE floats instead of integers."""

    rate_hz: int
    channels: int
    bits: int
    floating: bool

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8

    @property
    def is_mono_s16(self) -> bool:
        return (self.channels, self.bits, self.floating) == (1, 16, False)


class MonoConverter:
    """Converts samples of any WAV format to mono s16le at rate_hz, block by block.

    Channels are mixed down by their mean; the resampler is soxr at its HQ setting.
    """

    def __init__(self, fmt: SampleFormat, rate_hz: int) -> None:
        self._format = fmt
        self._resampler: Any = None
        if fmt.rate_hz != rate_hz:
            import soxr

            self._resampler = soxr.ResampleStream(fmt.rate_hz, rate_hz, 1, dtype="int16")

    def convert(self, block: bytes) -> bytes:
        """Whole frames in the WAV's format to s16le. May return nothing yet, while the resampler fills."""
        mono = block if self._format.is_mono_s16 else mono_s16(block, self._format).tobytes()
        return mono if self._resampler is None else self._resample(mono, last=False)

    def flush(self) -> bytes:
        """What the resampler still holds."""
        return b"" if self._resampler is None else self._resample(b"", last=True)

    def _resample(self, mono: bytes, *, last: bool) -> bytes:
        import numpy as np

        samples = np.frombuffer(mono, dtype="<i2").astype(np.int16, copy=False)
        return bytes(self._resampler.resample_chunk(samples, last=last).astype("<i2", copy=False).tobytes())


def mono_s16(block: bytes, fmt: SampleFormat) -> NDArray[np.int16]:
    """Frames as one int16 channel, rounded and clipped."""
    import numpy as np

    frames = _full_scale(block, fmt).reshape(-1, fmt.channels)
    mixed = frames.mean(axis=1, dtype=np.float64) * _FULL_SCALE
    samples: NDArray[np.int16] = np.clip(np.rint(mixed), -32768, 32767).astype("<i2")
    return samples


def _full_scale(block: bytes, fmt: SampleFormat) -> NDArray[np.float32]:
    """Samples as floats in -1..1."""
    import numpy as np

    if fmt.floating:
        floats = np.frombuffer(block, dtype=f"<f{fmt.bits // 8}").astype(np.float32)
        return np.nan_to_num(floats, posinf=1.0, neginf=-1.0)
    if fmt.bits == 8:
        return (np.frombuffer(block, dtype=np.uint8).astype(np.float32) - 128.0) / 127.0
    if fmt.bits == 24:
        padded = np.zeros((len(block) // 3, 4), dtype=np.uint8)
        padded[:, 1:] = np.frombuffer(block, dtype=np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0].astype(np.float32) / 2147483647.0
    limit = 32767.0 if fmt.bits == 16 else 2147483647.0
    return np.frombuffer(block, dtype=f"<i{fmt.bits // 8}").astype(np.float32) / limit
