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
    """Makes whole samples of byte runs that may be cut in the middle of one, as pipes do."""

    def __init__(self) -> None:
        self._half = b""

    def join(self, speech: Pcm) -> bytes:
        """The whole samples of what was left and `speech`. An odd byte is kept for the next call."""
        data = self._half + pcm_bytes(speech)
        whole = len(data) - len(data) % SAMPLE_BYTES
        self._half = data[whole:]
        return data[:whole]

    def close(self) -> None:
        """No more will come. Raises ClientError (odd_bytes) when half a sample is left."""
        if self._half:
            self._half = b""
            raise ClientError(
                "the speech ended in the middle of a sample: s16le audio has an even number of bytes",
                code="odd_bytes",
                retryable=False,
            )
