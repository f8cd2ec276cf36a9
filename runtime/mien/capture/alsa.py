"""Capture through ALSA, by pyalsaaudio.

htimestamp() reads the number of waiting frames together with the time at which the device had captured them, so that a
late wake-up of this process does not appear as jitter. What lies before the buffer (converter filters, a sound server)
is constant and belongs in ear.delay_ms.
"""

import errno
import logging
import time
from types import ModuleType
from typing import Any, Final

import numpy as np

from mien.alsalib import load_alsa
from mien.capture.base import MAX_READ_MS, CaptureFormat, Pcm, Reading
from mien.core.wire import RATES_HZ
from mien.errors import CaptureError
from mien.units import NS_PER_S, ms_to_frames, ns_to_frames

log = logging.getLogger(__name__)

PERIOD_MS: Final = 10
READINGS: Final = 3
SURE_NS: Final = 200_000
"""A reading that took longer was interrupted by another process: its time may not be that of its position."""

LEAD_S: Final = 2
"""Sound ahead of its own time, after which a device is none: ALSA's `null` delivers as fast as it is read."""


class AlsaCapture:
    """A non-blocking ALSA capture PCM, s16.

    Capture resumes by itself after an overrun or a suspend. A PulseAudio PCM reports no overruns: its server drops
    sound silently, which the ear sees as a jump of the clock.
    """

    def __init__(self, device: str, rate_hz: int, channels: int, buffer_ms: float) -> None:
        """Raises CaptureError without ALSA or the device, or if it captures no s16 at one of RATES_HZ.

        The device may settle on another rate or another number of channels, which `format` reports.
        """
        self._alsa = _load()
        self._device = device
        self._why_gone = ""
        period = ms_to_frames(PERIOD_MS, rate_hz)
        try:
            self._pcm = self._alsa.PCM(
                type=self._alsa.PCM_CAPTURE,
                mode=self._alsa.PCM_NONBLOCK,
                device=device,
                rate=rate_hz,
                channels=channels,
                format=self._alsa.PCM_FORMAT_S16_LE,
                periodsize=period,
                periods=max(2, round(ms_to_frames(buffer_ms, rate_hz) / period)),
            )
        except self._alsa.ALSAAudioError as error:
            raise CaptureError(f"{device}: cannot be opened ({error}); `mien ear cards` lists the devices") from None
        info = self._pcm.info()
        self.format = self._agreed(info)
        self._buffer = info["buffer_size"]
        self.overruns = 0
        self._stamped = self._stamp_by_the_device()
        self._most = ms_to_frames(MAX_READ_MS, self.format.rate_hz)
        self._taken = 0
        self._opened_ns = time.monotonic_ns()
        self._pending = 0
        self.read()  # a capture PCM starts with its first read

    def read(self) -> Pcm:
        """The next frames, int16 (N, channels). Raises CaptureError if the device is gone."""
        self._check()
        parts: list[bytes] = []
        count = 0
        try:
            self._note_lost()
            while count < self._most and not self._lost():
                frames, data = self._pcm.read()
                if frames == -errno.EPIPE:  # since its state was read; the device is prepared for the next read
                    self._pending = 1
                if frames <= 0:
                    break
                parts.append(data[: 2 * self.format.channels * frames])
                count += frames
        except self._alsa.ALSAAudioError as error:
            raise self._gone(str(error)) from None
        self._taken += count
        self._refuse_haste()
        return np.frombuffer(b"".join(parts), "<i2").astype(np.int16, copy=False).reshape(-1, self.format.channels)

    def reading(self) -> Reading:
        """How far the device is now. Raises CaptureError if it is gone."""
        self._check()
        for _ in range(READINGS):
            asked_ns = time.monotonic_ns()
            try:
                running = self._pcm.state() == self._alsa.PCM_STATE_RUNNING
                seconds, ns, waiting = self._pcm.htimestamp() if running else (0, 0, 0)  # else its figures are anything
            except self._alsa.ALSAAudioError as error:
                raise self._gone(str(error)) from None
            now_ns = time.monotonic_ns()
            if now_ns - asked_ns < SURE_NS:  # else another process ran meanwhile: position and time may not match
                break
        stamp_ns = seconds * NS_PER_S + ns
        trusted = self._stamped and 0 <= now_ns - stamp_ns < NS_PER_S  # some drivers stamp with 0
        return Reading(stamp_ns if trusted else now_ns, self._taken + min(max(0, waiting), self._buffer))

    def close(self) -> None:
        """Release the device."""
        if not self._why_gone:
            self._why_gone = "the microphone is closed"
        try:
            self._pcm.close()
        except self._alsa.ALSAAudioError as error:
            log.debug("%s: %s", self._device, error)

    def _lost(self) -> bool:
        """Whether the device has stopped, because nobody read it or the machine was suspended."""
        return self._pcm.state() in (self._alsa.PCM_STATE_XRUN, self._alsa.PCM_STATE_SUSPENDED)

    def _note_lost(self) -> None:
        """Count a loss before the first frame after it is read, and stop the device: read() starts it again."""
        self.overruns += self._pending
        self._pending = 0
        if self._lost():
            self.overruns += 1
            self._pcm.drop()

    def _stamp_by_the_device(self) -> bool:
        """Ask for time stamps of CLOCK_MONOTONIC. Returns whether they were granted."""
        try:
            self._pcm.set_tstamp_mode(self._alsa.PCM_TSTAMP_ENABLE)
            self._pcm.set_tstamp_type(self._alsa.PCM_TSTAMP_TYPE_MONOTONIC)
            return bool(self._pcm.get_tstamp_type() == self._alsa.PCM_TSTAMP_TYPE_MONOTONIC)
        except self._alsa.ALSAAudioError as error:
            log.debug("%s: no time stamps (%s)", self._device, error)
            return False

    def _agreed(self, info: dict[str, Any]) -> CaptureFormat:
        rate_hz, layout = info["rate"], info["format_name"]
        if layout != "S16_LE" or rate_hz not in RATES_HZ:
            self.close()
            raise CaptureError(
                f"{self._device}: captures {layout} at {rate_hz} Hz, but mien needs S16_LE at one of "
                f"{', '.join(map(str, RATES_HZ))} Hz; use plughw: instead of hw: to let ALSA convert"
            )
        return CaptureFormat(rate_hz=rate_hz, channels=info["channels"])

    def _refuse_haste(self) -> None:
        allowed_ns = time.monotonic_ns() - self._opened_ns + LEAD_S * NS_PER_S
        if self._taken > 1.01 * ns_to_frames(allowed_ns, self.format.rate_hz):
            self._why_gone = (
                "delivers sound faster than its own rate, as ALSA's null does; for silence set ear.source=null"
            )
            self._check()

    def _check(self) -> None:
        if self._why_gone:
            raise CaptureError(f"{self._device}: {self._why_gone}")

    def _gone(self, why: str) -> CaptureError:
        self._why_gone = f"the device is gone ({why})"
        return CaptureError(f"{self._device}: {self._why_gone}")


def _load() -> ModuleType:
    try:
        return load_alsa()
    except ImportError as error:
        raise CaptureError(str(error)) from None
