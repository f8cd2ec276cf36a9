"""A microphone that hears a WAV file, paced as a device would be."""

import wave
from pathlib import Path

import numpy as np

from mien.capture.base import Pcm
from mien.capture.null import NullCapture
from mien.core.clock import Clock
from mien.errors import CaptureError
from mien.printable import printable

FRAME_BYTES = 2


class WavCapture(NullCapture):
    """Frame n of the file reaches the microphone n / rate after it was opened; after its end there is silence.

    Rate and channels are the file's.
    """

    def __init__(self, clock: Clock, path: Path, buffer_ms: float) -> None:
        """Raises CaptureError for a file that is not a WAV of 16 bits."""
        shown = printable(str(path))
        try:
            self._file = wave.open(str(path), "rb")  # noqa: SIM115  # closed by close()
        except (OSError, EOFError, wave.Error) as error:
            raise CaptureError(f"{shown}: cannot be read as a WAV file ({error}); see ear.wav_path") from None
        if self._file.getsampwidth() != FRAME_BYTES:
            self._file.close()
            raise CaptureError(f"{shown}: has samples of {8 * self._file.getsampwidth()} bits; mien needs 16")
        self._length = self._file.getnframes()
        super().__init__(clock, self._file.getframerate(), self._file.getnchannels(), buffer_ms)

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._file.close()

    def _sound(self, first: int, count: int) -> Pcm:
        pcm = np.zeros((count, self.format.channels), np.int16)
        if first < self._length:
            self._file.setpos(first)
            data = self._file.readframes(count)
            found = np.frombuffer(data, "<i2").reshape(-1, self.format.channels)
            pcm[: len(found)] = found
        return pcm
