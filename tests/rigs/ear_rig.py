"""The ear on a manual clock: a microphone that does what it is told, and a pipeline that says what a test wants."""

from types import SimpleNamespace

import numpy as np

from mien.capture.base import CaptureFormat, Reading
from mien.config import EarConfig
from mien.core import ear_bus
from mien.core.clock import ManualClock
from mien.core.ear_bus import EarOrders, FarEnd, NearEnd, UserStarted, UserStopped
from mien.core.stats import Counters
from mien.ear.engine import Engine
from mien.errors import CaptureError
from mien.units import NS_PER_MS, NS_PER_S

MS = NS_PER_MS


class MadeCapture:
    """A card on a manual clock. Sound: a ramp of frame numbers on channel 0, zeros elsewhere.

    ppm: how much faster than nominal its crystal is. step: granularity in frames of the position that it reports.
    """

    def __init__(self, clock, rate_hz=48000, channels=1, *, ppm=0.0, step=1, sound=None):
        self.format = CaptureFormat(rate_hz=rate_hz, channels=channels)
        self.overruns = 0
        self.fails = ""
        self.closed = False
        self._clock = clock
        self._hz = rate_hz * (1 + ppm / 1e6)
        self._step = step
        self._sound = sound or (lambda first, count: np.arange(first, first + count) % 30000)
        self.opened_ns = clock.now_ns()
        self._taken = self._lost = 0

    def read(self):
        self._check()
        count = self._captured() - self._taken
        pcm = np.zeros((count, self.format.channels), np.int16)
        pcm[:, 0] = self._sound(self._lost + self._taken, count)
        self._taken += count
        return pcm

    def reading(self):
        self._check()
        return Reading(self._clock.now_ns(), self._captured())

    def lose(self, ms, *, counted=True):
        """Sound of this length is lost from now on."""
        self.read()
        self._clock.advance_ms(ms)
        self._lost = int((self._clock.now_ns() - self.opened_ns) * self._hz / NS_PER_S) - self._taken
        self.overruns += counted

    def reached_at_ns(self, frame):
        """When the frame with this number in read()'s count reached the microphone."""
        return self.opened_ns + round((self._lost + frame) * NS_PER_S / self._hz)

    def close(self):
        self.closed = True

    def _captured(self):
        frames = int((self._clock.now_ns() - self.opened_ns) * self._hz / NS_PER_S) - self._lost
        return frames // self._step * self._step

    def _check(self):
        if self.fails:
            raise CaptureError(self.fails)


class MadePipeline:
    """Passes sound through; `say` holds the events of the next block."""

    def __init__(self):
        self.figures = SimpleNamespace(erle_db=31.5, delay_ms=12.25)
        self.say = []
        self.state, self.why = "ok", ""
        self.voice_runs = True
        self.far_until_ns = None
        self.far, self.near_ns, self.gaps, self.abandoned = [], [], 0, 0

    def lacks(self, at_ns):
        return self.far_until_ns is not None and at_ns + 20_000_000 > self.far_until_ns

    def far_end(self, message, pcm):
        self.far.append((message, None if pcm is None else pcm.copy()))

    def process(self, near, at_ns):
        self.near_ns.append(at_ns)
        events, self.say = tuple(self.say), []
        return SimpleNamespace(pcm=near, at_ns=at_ns, events=events, speech=False, state=self.state, why=self.why)

    def gap(self):
        self.gaps += 1

    def abandon(self):
        self.abandoned += 1
        return ()


class EarRig:
    """reports: (message, payload) to the voice, in order; meters: what meters got."""

    def __init__(self, *, opener=None, **config):
        self.clock = ManualClock(10**10)
        self.counters = Counters()
        self.pipeline = MadePipeline()
        self.reports, self.meters, self.cards = [], [], []
        self.config = EarConfig(**{"source": "null", "noise_suppression": "off", **config})
        self.engine = Engine(
            self.config,
            clock=self.clock,
            counters=self.counters,
            report=self._report,
            publish=lambda frame: self.meters.append(ear_bus.decode_for_meter(frame)),
            memory_mb=lambda: 42.0,
            opener=opener or self._open,
            pipeline=self.pipeline,
        )

    def _open(self, config, clock):
        self.cards.append(MadeCapture(clock, config.rate_hz, config.channels))
        return self.cards[-1]

    def _report(self, frames):
        self.reports.append((ear_bus.decode_from_ear(frames[0]), frames[1] if len(frames) > 1 else None))

    def run_ms(self, ms):
        """Step as the service does, every 20 ms."""
        for _ in range(round(ms / 20)):
            self.clock.advance_ms(20)
            self.engine.step()

    def order(self, *encodings, always=False, muted=False):
        self.engine.take([ear_bus.encode(EarOrders(encodings=encodings, always=always, muted=muted))])

    def far_end(self, pcm=None, *, stream=1, offset=0, frames=None, at_ns=0, payload=None):
        silent = pcm is None and payload is None
        message = FarEnd(stream=stream, offset=offset, frames=frames or len(pcm), at_ns=at_ns, silent=silent)
        data = payload if payload is not None else None if silent else pcm.astype("<i2").tobytes()
        self.engine.take([ear_bus.encode(message)] + ([] if data is None else [data]))

    def start_speech(self, *, ms_ago=0, utterance=1):
        """The next block begins an utterance that began a while before it."""
        self.pipeline.say.append(
            UserStarted(utterance=utterance, at_ns=self.clock.now_ns() - ms_ago * MS, confidence=0.9)
        )

    def stop_speech(self, *, utterance=1):
        now_ns = self.clock.now_ns()
        self.pipeline.say.append(UserStopped(utterance=utterance, at_ns=now_ns, started_ns=0, confidence=0.8))

    def told(self, kind):
        return [message for message, _ in self.reports if isinstance(message, kind)]

    @property
    def heard(self):
        """Near-end messages with their sound."""
        return [(message, payload) for message, payload in self.reports if isinstance(message, NearEnd)]

    @property
    def health(self):
        return self.told(ear_bus.EarHealth)[-1]
