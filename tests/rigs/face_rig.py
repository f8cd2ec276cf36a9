"""Motion stage and presenter on a manual clock: mien-face without sockets or GPU."""

import numpy as np

from mien.core import bus
from mien.core.clock import ManualClock
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.face.director import Director
from mien.face.motion_stage import MotionStage
from mien.face.presenter import Presenter
from mien.face.state import FaceState, Snapshot
from mien.face.trace import Trace
from mien.render.headless import HeadlessRenderer
from rigs.engines import CountingEngine

MS = 1_000_000


class FaceRig:
    """Feed it bus messages, step it frame by frame."""

    def __init__(self, *, fps=50, engine=None, spare=None):
        self.clock = ManualClock(10**9)
        self.counters = Counters()
        self.reports = []
        engine = engine or CountingEngine()
        self.state = FaceState(frame_hz=100, capacity=300)
        self.stage = MotionStage(
            engine=engine,
            spare=spare or CountingEngine("envelope"),
            state=self.state,
            counters=self.counters,
            report=lambda f: self.reports.append(bus.decode_from_face(f)),
        )
        self.pacer = DisplayPacer(10**9 // fps)
        self.renderer = HeadlessRenderer(64, 64, self.clock)
        self.trace = Trace(10_000)
        self.presenter = Presenter(
            state=self.state,
            director=Director(seed=1),
            renderer=self.renderer,
            pacer=self.pacer,
            clock=self.clock,
            display_latency_ms=0.0,
            counters=self.counters,
            trace=self.trace,
        )

    def hear(self, message, payload=b""):
        self.stage.take([bus.encode(message)] + ([payload] if payload else []), self.clock.now_ns())
        while self.stage.backlog:
            self.stage.work()

    def anchor(self, *, epoch=1, media_ms=0, in_ms=0, until_ms=0, phase="idle", turn=""):
        self.hear(
            bus.Anchor(
                epoch=epoch,
                media_ns=media_ms * MS,
                at_ns=self.clock.now_ns() + in_ms * MS,
                until_ns=until_ms * MS,
                phase=phase,
                turn=turn,
            )
        )

    def speech(self, *, turn="t", epoch=1, start_ms=0, from_ms=0, to_ms=1000):
        for at in range(from_ms, to_ms, 20):
            self.hear(
                bus.Speech(epoch=epoch, turn=turn, turn_start_ns=start_ms * MS, offset=at * 16),
                np.zeros(320, "<i2").tobytes(),
            )

    def end(self, *, turn="t", epoch=1, start_ms=0, length_ms=1000):
        self.hear(
            bus.TurnEnd(
                epoch=epoch,
                turn=turn,
                turn_start_ns=start_ms * MS,
                frames=length_ms * 16,
                end_ns=(start_ms + length_ms) * MS,
            )
        )

    def take_gestures(self):
        """The gestures requested since the last frame."""
        snapshot = Snapshot()
        self.state.read(self.clock.now_ns(), self.clock.now_ns(), snapshot)
        return snapshot.gestures

    def frame(self):
        """Step one frame; returns when it is seen and the pose that was drawn."""
        self.presenter.step()
        self.clock.advance_ns(max(1, self.pacer.wait_ns(self.clock.now_ns())))
        row = self.trace._count - 1
        return int(self.trace._visible_ns[row]), self.renderer.records()[1][-1]
