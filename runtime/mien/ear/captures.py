"""The ear's capture device: the configured one, or none while that is lost."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.capture.base import Capture
from mien.config import EarConfig
from mien.core.clock import Clock
from mien.core.log_limit import LogLimit
from mien.core.wire import RATES_HZ
from mien.errors import CaptureError
from mien.units import NS_PER_S

log = logging.getLogger("mien.ear")

RETRY_NS: Final = 2 * NS_PER_S
BUFFER_MS: Final = 500
"""Sound that the device keeps while a busy machine does not let the ear run. It delays nothing."""

Opener = Callable[[EarConfig, Clock], Capture]


def open_capture(config: EarConfig, clock: Clock) -> Capture:
    """Open the configured device. Raises CaptureError. Backends are imported when they are needed."""
    if config.source == "null":
        from mien.capture.null import NullCapture

        device: Capture = NullCapture(clock, config.rate_hz, config.channels, BUFFER_MS)
    elif config.source == "wav":
        from mien.capture.wav import WavCapture

        device = WavCapture(clock, Path(config.wav_path), BUFFER_MS)
    else:
        from mien.capture.alsa import AlsaCapture

        device = AlsaCapture(config.device, config.rate_hz, config.channels, BUFFER_MS)
    if problem := _unfit(device, config):
        device.close()
        raise CaptureError(problem)
    return device


def _unfit(device: Capture, config: EarConfig) -> str:
    """Why the ear cannot use what the device delivers; "" if it can."""
    form = device.format
    if form.rate_hz not in RATES_HZ:
        choices = ", ".join(map(str, RATES_HZ))
        return f"the microphone delivers {form.rate_hz} Hz, which mien cannot resample; choose one of {choices}"
    if config.channel >= form.channels:
        return f"ear.channel: {config.channel} is not one of the microphone's {form.channels} channels, from 0"
    return ""


class Captures:
    """Opens, retries and closes the device. failure: why there is none; "" while there is one.

    opener: opens the configured device; the tests pass one that can fail.
    """

    def __init__(self, config: EarConfig, clock: Clock, opener: Opener = open_capture) -> None:
        self._config = config
        self._clock = clock
        self._opener = opener
        self._retry_ns = 0
        self._refusals = LogLimit()
        self.device: Capture | None = None
        self.failure = "not opened yet"

    def get(self) -> Capture | None:
        """The device; None while it is lost. Tries to open it every two seconds."""
        if self.device is not None or self._clock.now_ns() < self._retry_ns:
            return self.device
        try:
            self.device, self.failure = self._opener(self._config, self._clock), ""
        except CaptureError as error:
            self._note(str(error))
            return None
        form = self.device.format
        log.info("listening to %s: %d Hz, %d channels", self._config.source, form.rate_hz, form.channels)
        return self.device

    def lose(self, why: str) -> None:
        """The device failed: close it. It is retried in two seconds."""
        self.close()
        self._note(why)

    def close(self) -> None:
        """Close the device, if there is one."""
        if self.device is not None:
            self.device.close()
            self.device = None

    def _note(self, why: str) -> None:
        self.failure = why
        now_ns = self._clock.now_ns()
        self._retry_ns = now_ns + RETRY_NS
        if (line := self._refusals.line(f"no microphone: {why}", now_ns)) is not None:
            log.warning("%s", line)
