"""The sound card, through ALSA and pyalsaaudio.

pyalsaaudio offers no snd_pcm_delay(): what is still to be heard is the buffer's size less what avail() says is free.
That leaves out what lies behind the buffer (a converter's filter, an HDMI screen, a sound server): it is constant, and
belongs in playback.output_latency_ms. A device moves its position in steps of its own, 10 ms on the Pi's outputs.
"""

import ctypes
import errno
import functools
import importlib
import logging
from types import ModuleType
from typing import Any, Final

import numpy as np

from mien.audio.base import Pcm, SinkFormat
from mien.core.wire import RATES_HZ
from mien.errors import SinkError
from mien.units import frames_to_ms, ms_to_frames

log = logging.getLogger(__name__)

PERIOD_MS: Final = 5
"""How often the card reports back, if it can: it bounds both the smallest buffer and the steps of its position."""

COARSE_MS: Final = 20
"""A card whose steps are longer answers late, and the time of what is heard is a guess."""

_SAY: Final = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
"""snd_lib_error_handler_t (alsa/error.h), less the values that the format is about."""

_RAN_DRY: Final = (-errno.EPIPE, -errno.ESTRPIPE)


class AlsaSink:
    """An ALSA playback PCM, mono s16, that never blocks.

    The device goes on by itself after it ran dry or the machine was suspended. ALSA's own `null` PCM consumes at once:
    its delay is always 0. `underruns` counts what the device reports; a PulseAudio PCM reports none unless its
    definition says handle_underrun 1.
    """

    def __init__(self, device: str, rate_hz: int, buffer_ms: float) -> None:
        """Raises SinkError when there is no ALSA, no such device, or no mono s16 at a rate that mien speaks.

        A device may agree to another rate than rate_hz; `format` says what it is (see mien.audio.converted).
        """
        self._alsa = _load_alsa()
        self._device = device
        self._why_gone = ""
        period = ms_to_frames(PERIOD_MS, rate_hz)
        periods = max(2, round(ms_to_frames(buffer_ms, rate_hz) / period))
        try:
            self._pcm = self._alsa.PCM(
                type=self._alsa.PCM_PLAYBACK,
                mode=self._alsa.PCM_NONBLOCK,
                device=device,
                rate=rate_hz,
                channels=1,
                format=self._alsa.PCM_FORMAT_S16_LE,
                periodsize=period,
                periods=periods,
            )
        except self._alsa.ALSAAudioError as error:
            raise SinkError(f"{device}: cannot be opened ({error}); `aplay -L` lists the devices") from None
        self.format = self._agreed(self._pcm.info(), rate_hz)
        self.underruns = 0
        self._idle = True
        self._starved = False
        self._run_frames = 0

    def write(self, pcm: Pcm) -> int:
        """Queue frames, int16 (N,). Returns how many were taken, 0..N. Raises SinkError when the device is gone."""
        part = np.ascontiguousarray(pcm[: self._room()])
        taken = self._put(part) if len(part) else 0
        if taken:
            self.underruns += self._starved
            self._starved = self._idle = False
            self._run_frames += taken
        return taken

    def delay_frames(self) -> int:
        """Frames that were taken and are not yet heard. Raises SinkError when the device is gone."""
        return min(self.format.buffer_frames - self._room(), self._run_frames)

    def drop(self) -> None:
        """Forget what is queued; the device is ready for the next write. Raises SinkError when the device is gone."""
        self._check()
        if not self._idle:
            self._stop_device()
        self._starved = False

    def close(self) -> None:
        """Give the device back at once; what is queued is not heard."""
        if not self._why_gone:
            self._why_gone = "it was closed"
        # Without the drop, close() lets a sound server play on to the end.
        for give_back in (self._pcm.drop, self._pcm.close):
            try:
                give_back()
            except self._alsa.ALSAAudioError as error:
                log.debug("%s: %s", self._device, error)

    def _room(self) -> int:
        """How many frames the device can take now."""
        self._check()
        if self._idle:
            return self.format.buffer_frames
        avail = int(self._pcm.avail())
        if avail in _RAN_DRY:
            self._ran_dry(avail)
            return self.format.buffer_frames
        if avail < 0:
            raise self._gone(errno.errorcode.get(-avail, str(avail)))
        return min(avail, self.format.buffer_frames)

    def _put(self, part: Pcm) -> int:
        try:
            taken = int(self._pcm.write(part))
            if taken in _RAN_DRY:
                # pyalsaaudio has prepared the device again, and took nothing.
                self._ran_dry(taken)
                taken = int(self._pcm.write(part))
        except self._alsa.ALSAAudioError as error:
            raise self._gone(str(error)) from None
        return max(0, taken)

    def _ran_dry(self, code: int) -> None:
        self._starved = True
        self._idle = True
        self._run_frames = 0
        if code == -errno.ESTRPIPE:
            # After a suspend only a stopped device can be prepared; write() does that.
            self._stop_device()

    def _stop_device(self) -> None:
        try:
            self._pcm.drop()
        except self._alsa.ALSAAudioError as error:
            raise self._gone(str(error)) from None
        self._idle = True
        self._run_frames = 0

    def _agreed(self, info: dict[str, Any], rate_hz: int) -> SinkFormat:
        channels, layout, agreed_hz = info["channels"], info["format_name"], info["rate"]
        if channels != 1 or layout != "S16_LE" or agreed_hz not in RATES_HZ:
            self.close()
            raise SinkError(
                f"{self._device}: plays {channels} channels of {layout} at {agreed_hz} Hz, and mien needs mono S16_LE;"
                f" let ALSA convert, with plughw: in place of hw:"
            )
        if agreed_hz != rate_hz:
            log.warning(
                "%s: plays at %d Hz, not at %d Hz; playback.rate_hz = %d spares the voice a conversion",
                self._device,
                agreed_hz,
                rate_hz,
                agreed_hz,
            )
        period_ms = frames_to_ms(info["period_size"], agreed_hz)
        if period_ms > COARSE_MS:
            log.warning(
                "%s: moves in steps of %.0f ms, so that sound comes late and lips are off; try hw: or plughw:",
                self._device,
                period_ms,
            )
        return SinkFormat(rate_hz=agreed_hz, buffer_frames=info["buffer_size"])

    def _check(self) -> None:
        if self._why_gone:
            raise SinkError(f"{self._device}: {self._why_gone}")

    def _gone(self, why: str) -> SinkError:
        self._why_gone = f"the device is gone ({why})"
        return SinkError(f"{self._device}: {self._why_gone}")


def _load_alsa() -> ModuleType:
    try:
        alsa = importlib.import_module("alsaaudio")
    except ImportError as error:
        raise SinkError(f"pyalsaaudio cannot be loaded ({error}); run pip install 'mien[board]'") from None
    _quieten_alsa_lib()
    return alsa


def _say(_file: bytes, _line: int, function: bytes, _code: int, text: bytes) -> None:
    log.debug("alsa-lib: %s: %s", function.decode(), text.decode(errors="replace"))


@functools.cache
def _quieten_alsa_lib() -> object:
    """alsa-lib writes up to ten lines to stderr at each try for a missing card; the exception says it in one.

    Returns what must live as long as the process: the function that alsa-lib calls instead.
    """
    try:
        handler = _SAY(_say)
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    except (OSError, AttributeError, MemoryError) as error:  # MemoryError: no memory that may be executed
        log.debug("alsa-lib keeps its own words: %s", error)
        return None
    return handler
