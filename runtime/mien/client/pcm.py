"""What a caller may hand over as speech, as bytes of mono s16le."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mien.errors import ClientError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pcm: TypeAlias = "bytes | bytearray | memoryview | NDArray[np.int16]"

SAMPLE_BYTES = 2
_S16_FORMATS = ("h", "<h", "=h")
_BYTE_FORMATS = ("B", "b", "c")


def pcm_chunks(speech: Pcm | Iterable[Pcm]) -> Iterable[Pcm]:
    """One run of speech, or an iterable of such, as an iterable."""
    if isinstance(speech, bytes | bytearray | memoryview) or hasattr(speech, "__array__"):
        return [cast("Pcm", speech)]
    return cast("Iterable[Pcm]", speech)


def pcm_bytes(speech: Pcm) -> bytes:
    """A copy of `speech` as bytes. Bytes pass as they are; an array must be int16 with one dimension.

    Raises TypeError for anything else: floats and stereo are never guessed at.
    """
    buffer: Any = speech  # numpy 1.26 does not declare that its arrays are buffers
    view = memoryview(buffer)
    if view.format not in _S16_FORMATS + _BYTE_FORMATS:
        raise TypeError(
            f"speech must be bytes or an int16 array, not an array of '{view.format}'; "
            "floats in -1..1 become (speech * 32767).astype('int16')"
        )
    if view.ndim != 1:
        raise TypeError(f"speech must be mono, an array of one dimension, not of shape {view.shape}")
    return view.tobytes()


class SampleJoiner:
    """Makes whole samples, or packets, of byte runs that may be cut anywhere, as pipes do.

    packet_frames, tail_frames: as in Encoding; 0: whole samples are enough.
    """

    def __init__(self, packet_frames: int = 0, tail_frames: int = 0) -> None:
        self._unit = max(1, packet_frames) * SAMPLE_BYTES
        self._tail = bytes(tail_frames * SAMPLE_BYTES)
        self._rest = b""
        self._any = False

    def join(self, speech: Pcm) -> bytes:
        """What is whole of what was left and `speech`. The rest is kept for the next call."""
        data = self._rest + pcm_bytes(speech)
        whole = len(data) - len(data) % self._unit
        self._rest = data[whole:]
        self._any = self._any or len(data) >= SAMPLE_BYTES
        return data[:whole]

    def finish(self) -> bytes:
        """The samples that are left, filled up with silence to whole packets. Half a sample stays."""
        if not self._any:
            return b""
        self._any = False
        samples = len(self._rest) - len(self._rest) % SAMPLE_BYTES
        last = self._rest[:samples] + self._tail
        self._rest = self._rest[samples:]
        return last + bytes(-len(last) % self._unit)

    def close(self) -> None:
        """No more will come. Raises ClientError (odd_bytes) when half a sample is left."""
        if self._rest:
            self._rest = b""
            raise ClientError(
                "the speech ended in the middle of a sample: s16le audio has an even number of bytes",
                code="odd_bytes",
                retryable=False,
            )
