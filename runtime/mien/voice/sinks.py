"""The voice's sink: the configured sound card, headphones, or silence while that is lost or released."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from mien.audio.base import Sink
from mien.config import PlaybackConfig
from mien.core.bus import DeviceState
from mien.core.clock import Clock
from mien.errors import SinkError
from mien.units import NS_PER_S, ms_to_frames

log = logging.getLogger("mien.voice")

RETRY_NS: Final = 2 * NS_PER_S
SPARE_ROOM: Final = 2  # the device's buffer as a multiple of its target level: room against a late step

Opener = Callable[[PlaybackConfig, Clock], Sink]


def open_sink(config: PlaybackConfig, clock: Clock) -> Sink:
    """Open the configured sink. Raises SinkError. Backends are imported when they are needed."""
    buffer_frames = ms_to_frames(config.buffer_ms * SPARE_ROOM, config.rate_hz)
    if config.sink == "alsa":
        from mien.audio.alsa import AlsaSink
        from mien.audio.converted import at_rate

        card = AlsaSink(config.device, rate_hz=config.rate_hz, buffer_ms=config.buffer_ms * SPARE_ROOM)
        return at_rate(card, config.rate_hz)
    if config.sink == "wav":
        from mien.audio.wav import WavSink

        return WavSink(clock, config.rate_hz, buffer_frames, Path(config.wav_path))
    return open_silence(config, clock)


def open_silence(config: PlaybackConfig, clock: Clock) -> Sink:
    """The null sink: real time, no sound."""
    from mien.audio.null import NullSink

    return NullSink(
        clock, rate_hz=config.rate_hz, buffer_frames=ms_to_frames(config.buffer_ms * SPARE_ROOM, config.rate_hz)
    )


class IdleRelease:
    """Decides when the device may be closed: idle_s after the last speech; 0 keeps it open.

    A change of `sign` (the agent listens, thinks, looks at somebody) counts as speech, so that the device is awake when
    the first chunk comes.
    """

    def __init__(self, idle_s: int, now_ns: int) -> None:
        self._idle_ns = idle_s * NS_PER_S
        self._last_ns = now_ns
        self._sign: object = None

    def wants_device(self, now_ns: int, *, busy: bool, sign: object) -> bool:
        """Whether the device should be open. busy: a turn is unfinished."""
        if busy or sign != self._sign:
            self._last_ns, self._sign = now_ns, sign
        return not self._idle_ns or now_ns - self._last_ns < self._idle_ns


class Sinks:
    """Owns the current sink and opens, replaces and closes it. failure: why the first one is silence; "" if it is not.

    opener: opens a configured sink; the tests pass one that can fail. headphones: whether they have the sound.
    """

    def __init__(self, config: PlaybackConfig, clock: Clock, opener: Opener) -> None:
        self._config = config
        self._clock = clock
        self._opener = opener
        self._retry_ns = 0
        self._released = False
        idle_s = 0 if config.sink == "wav" else config.idle_release_s  # a WAV file would start again
        self._idle = IdleRelease(idle_s, clock.now_ns())
        # One device may serve both, and change by itself; a WAV file would start again.
        self._two = bool(config.headphones) and config.sink != "wav"
        self._plugged = self.headphones = False
        self._next: Sink | None = None
        self._switch_ns = 0
        self._told = ""
        self.sink, self.failure = self._open()

    @property
    def state(self) -> DeviceState:
        """Of the configured device."""
        return "released" if self._released else "lost" if self.failure else "open"

    def lose(self) -> None:
        """The device failed: continue with silence and retry it every two seconds."""
        self._give_up()
        self.sink.close()
        self.sink, self.failure = open_silence(self._config, self._clock), "the sound card was lost"

    def retry(self) -> bool:
        """Try the lost device when that is due. Returns whether it is back."""
        now_ns = self._clock.now_ns()
        if now_ns < self._retry_ns:
            return False
        self._retry_ns = now_ns + RETRY_NS
        try:
            sink, self.headphones = self._open_either()
        except SinkError:
            return False
        self.sink.close()
        self.sink, self.failure = sink, ""
        return True

    def plug(self, plugged: bool) -> None:
        """Headphones are plugged in, or are not."""
        if plugged != self._plugged:
            self._plugged, self._switch_ns = plugged, 0
            if not self._two:
                self.headphones = plugged
            if plugged == self.headphones:
                self._give_up()

    @property
    def volume(self) -> float:
        """The configured one of what has the sound, 0..1."""
        return self._config.headphone_volume if self.headphones else self._config.volume

    @property
    def switching(self) -> bool:
        """Whether another device is open and waits for switch(). False again where it cannot be opened.

        It is opened before the one that plays is given up, and is tried again every two seconds.
        """
        if self._plugged == self.headphones or self.state != "open":
            return False
        if self._next is None and self._clock.now_ns() >= self._switch_ns:
            self._switch_ns = self._clock.now_ns() + RETRY_NS
            try:
                self._next = self._opener(self._route(headphones=self._plugged), self._clock)
            except SinkError as error:
                self._tell(str(error))
        return self._next is not None

    def switch(self) -> None:
        """Continue with the device that is waiting."""
        if self._next is not None:
            self.sink.close()
            self.sink, self._next = self._next, None
            self.headphones = self._plugged
            self._told = ""
            log.info("the sound goes to %s", "the headphones" if self.headphones else "the loudspeaker")

    def wants_device(self, *, busy: bool, sign: object) -> bool:
        """Whether the device should be open (see IdleRelease)."""
        return self._idle.wants_device(self._clock.now_ns(), busy=busy, sign=sign)

    def release(self) -> None:
        """Close the idle device."""
        self.sink.close()
        self._released = True

    def reopen(self) -> None:
        """Open the released device again, or silence if it fails."""
        self._released = False
        self.sink, self.failure = self._open()

    def close(self) -> None:
        """Close the current sink."""
        self._give_up()
        self.sink.close()

    def _open(self) -> tuple[Sink, str]:
        """The sink that is wanted and "", or silence and the reason."""
        try:
            sink, self.headphones = self._open_either()
        except SinkError as error:
            return open_silence(self._config, self._clock), str(error)
        return sink, ""

    def _open_either(self) -> tuple[Sink, bool]:
        """Headphones that are plugged in, or else the configured device; and whether it is they. Raises SinkError."""
        if self._plugged and self._two:
            try:
                return self._opener(self._route(headphones=True), self._clock), True
            except SinkError as error:
                self._tell(str(error))
        return self._opener(self._config, self._clock), self._plugged and not self._two

    def _route(self, *, headphones: bool) -> PlaybackConfig:
        return replace(self._config, device=self._config.headphones) if headphones else self._config

    def _give_up(self) -> None:
        if self._next is not None:
            self._next.close()
            self._next = None

    def _tell(self, why: str) -> None:
        if why != self._told:
            self._told = why
            log.warning("the sound stays where it is: %s", why)
