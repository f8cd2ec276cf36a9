"""The sound card as the service sees it: opened by name, replaced by silence when it is lost, and retried."""

from collections.abc import Callable
from pathlib import Path

from mien.audio.base import Sink
from mien.config import PlaybackConfig
from mien.core.clock import Clock
from mien.errors import SinkError
from mien.units import NS_PER_S, ms_to_frames

RETRY_NS = 2 * NS_PER_S
SPARE_ROOM = 2  # the device's own buffer, as a multiple of what is kept in it: room against a late step


def open_sink(config: PlaybackConfig, clock: Clock) -> Sink:
    """The configured sink. Raises SinkError. Backends are imported here, when they are needed."""
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
    """The ideal device without sound: time goes on."""
    from mien.audio.null import NullSink

    return NullSink(
        clock, rate_hz=config.rate_hz, buffer_frames=ms_to_frames(config.buffer_ms * SPARE_ROOM, config.rate_hz)
    )


class DeviceRetry:
    """When to try the lost device again, and the try itself."""

    def __init__(self, config: PlaybackConfig, clock: Clock, opener: Callable[[PlaybackConfig, Clock], Sink]) -> None:
        self._config = config
        self._clock = clock
        self._opener = opener
        self._due_ns = 0

    def attempt(self) -> Sink | None:
        """The device, if it is time to try and it opens."""
        now_ns = self._clock.now_ns()
        if now_ns < self._due_ns:
            return None
        self._due_ns = now_ns + RETRY_NS
        try:
            return self._opener(self._config, self._clock)
        except SinkError:
            return None
