"""The whole service on a manual clock: its own loop, whose waits are what makes time pass."""

from contextlib import contextmanager

import msgspec

from mien.config import AccessConfig, Config, JournalConfig, PlaybackConfig, VoiceConfig
from mien.core import bus, wire
from mien.core.clock import ManualClock
from mien.voice.roles import LOCAL
from mien.voice.service import VoiceService
from rigs.voice_rig import START_NS


class SteppedService:
    """run_ms() turns the service's loop. waits: how long it waited each time, in ms. opener: opens its devices."""

    def __init__(self, run_dir, *, opener, **playback):
        self.clock = ManualClock(START_NS)
        config = Config(
            voice=VoiceConfig(listen=()),
            access=AccessConfig(keys=""),
            journal=JournalConfig(enabled=False),
            playback=PlaybackConfig(**{"sink": "null", "rate_hz": 16000, **playback}),
        )
        self.service = VoiceService(config, run_dir, self.clock, opener=opener)
        self.service._reactor.wait = self._wait
        self._running = False
        self.service._engine._deliver = lambda _, message: self.sent.append(message)
        publish = self.service._engine._publish_frames
        self.service._engine._publish_frames = lambda frames: (self._published(frames), publish(frames))
        self.sent, self.health, self.waits = [], [], []
        self._until_ns = 0

    def run_ms(self, ms):
        """Let the service run for so long."""
        self.waits.clear()
        self._until_ns = self.clock.now_ns() + round(ms * 1e6)
        self.service._stopping = False
        self._running = True
        while self.clock.now_ns() < self._until_ns:
            self.service.step(self.service._wait_ms())
        self._running = False

    def say(self, message, payload=None):
        """A client's message arrives now; the loop wakes for it, as it does for any."""
        frames = [wire.encode(message)] + ([] if payload is None else [payload])
        self.service._engine.handle(b"a", frames, LOCAL)
        self.service.step()

    def got(self, kind):
        return [message for message in self.sent if isinstance(message, kind)]

    def _wait(self, wait_ms):
        """Whether anything came: only between runs, by say()."""
        if self._running:
            self.waits.append(wait_ms)
            self.clock.advance_ms(max(wait_ms, 0.05))
        return not self._running

    def _published(self, frames):
        if len(frames) == 1:
            message = bus.decode_from_voice(frames[0])
            if isinstance(message, bus.VoiceHealth):
                self.health.append(msgspec.structs.asdict(message))


@contextmanager
def stepped_service(run_dir, **arguments):
    rig = SteppedService(run_dir, **arguments)
    try:
        yield rig
    finally:
        rig.service._shut_down()
