"""Playback through ALSA, by pyalsaaudio.

pyalsaaudio lacks snd_pcm_delay(), so the delay is the buffer size minus the free space reported by avail(). Latency
behind the buffer (converter filters, HDMI screens, sound servers) is constant and belongs in
playback.output_latency_ms. Devices advance their position in steps: 10 ms on the Pi's outputs.
"""

import errno
import logging
from types import ModuleType
from typing import Any, Final

import numpy as np

from mien.alsalib import load_alsa
from mien.audio.base import Pcm, SinkFormat
from mien.core.wire import RATES_HZ
from mien.errors import SinkError
from mien.units import frames_to_ms, ms_to_frames

log = logging.getLogger(__name__)

PERIOD_MS: Final = 5
"""The requested period, which bounds the smallest buffer and the steps of the device's position."""

COARSE_MS: Final = 20
"""With longer steps, the playhead is only known roughly."""

_UNDERRUN_CODES: Final = (-errno.EPIPE, -errno.ESTRPIPE)


class AlsaSink:
    """A non-blocking ALSA playback PCM, mono s16.

    Playback resumes by itself after an underrun or a suspend. ALSA's `null` PCM consumes at once, so its delay is
    always 0. `underruns` counts what the device reports; a PulseAudio PCM reports none unless its definition sets
    handle_underrun 1.
    """

    def __init__(self, device: str, rate_hz: int, buffer_ms: float) -> None:
        """Raises SinkError without ALSA or the device, or if it plays no mono s16 at one of RATES_HZ.

        The device may settle on another rate than rate_hz, which `format` reports (see mien.audio.converted).
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
        """Queue frames, int16 (N,). Returns how many were accepted, 0..N. Raises SinkError if the device is gone."""
        part = np.ascontiguousarray(pcm[: self._room()])
        taken = self._put(part) if len(part) else 0
        if taken:
            self.underruns += self._starved
            self._starved = self._idle = False
            self._run_frames += taken
        return taken

    def delay_frames(self) -> int:
        """Accepted frames that have not been heard yet. Raises SinkError if the device is gone."""
        return min(self.format.buffer_frames - self._room(), self._run_frames)

    def drop(self) -> None:
        """Discard queued frames; the device is ready for the next write. Raises SinkError if the device is gone."""
        self._check()
        if not self._idle:
            self._stop_device()
        self._starved = False

    def close(self) -> None:
        """Release the device at once, discarding queued frames."""
        if not self._why_gone:
            self._why_gone = "the sink is closed"
        # Without drop(), close() lets a sound server play to the end.
        for release in (self._pcm.drop, self._pcm.close):
            try:
                release()
            except self._alsa.ALSAAudioError as error:
                log.debug("%s: %s", self._device, error)

    def _room(self) -> int:
        """The number of frames the device accepts now."""
        self._check()
        if self._idle:
            return self.format.buffer_frames
        avail = int(self._pcm.avail())
        if avail in _UNDERRUN_CODES:
            self._note_underrun(avail)
            return self.format.buffer_frames
        if avail < 0:
            raise self._gone(errno.errorcode.get(-avail, str(avail)))
        return min(avail, self.format.buffer_frames)

    def _put(self, part: Pcm) -> int:
        try:
            taken = int(self._pcm.write(part))
            if taken in _UNDERRUN_CODES:
                # pyalsaaudio has re-prepared the device without accepting any frames.
                self._note_underrun(taken)
                taken = int(self._pcm.write(part))
        except self._alsa.ALSAAudioError as error:
            raise self._gone(str(error)) from None
        return max(0, taken)

    def _note_underrun(self, code: int) -> None:
        self._starved = True
        self._idle = True
        self._run_frames = 0
        if code == -errno.ESTRPIPE:
            # After a suspend, the device must be stopped before write() can prepare it.
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
                f"{self._device}: plays {channels} channels of {layout} at {agreed_hz} Hz, but mien needs mono S16_LE;"
                f" use plughw: instead of hw: to let ALSA convert"
            )
        if agreed_hz != rate_hz:
            log.warning(
                "%s: plays at %d Hz instead of %d Hz; set playback.rate_hz = %d to avoid resampling",
                self._device,
                agreed_hz,
                rate_hz,
                agreed_hz,
            )
        period_ms = frames_to_ms(info["period_size"], agreed_hz)
        if period_ms > COARSE_MS:
            log.warning(
                "%s: advances in steps of %.0f ms, which delays sound and degrades lip-sync; try hw: or plughw:",
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
        return load_alsa()
    except ImportError as error:
        raise SinkError(str(error)) from None
