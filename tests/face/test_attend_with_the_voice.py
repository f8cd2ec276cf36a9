"""A supervisor end to end: what agents say goes through voice and bus to the screen, and comes back as observed."""

import threading
from datetime import datetime

import pytest

from mien.config import Config
from mien.core import bus, wire
from mien.face.draw_loop import DrawLoop
from mien.face.health import FaceReporter, Heartbeat
from mien.face.overlay.annotations import Annotations
from mien.face.screen import ScreenMode
from rigs.face_rig import FaceRig
from rigs.voice_rig import VoiceRig

ATTEND = 13
ADA, EYE = b"ada", b"eye"


class Kiosk:
    """The voice on a manual clock, a draw loop with its screen, and the health that an observer gets."""

    def __init__(self) -> None:
        self.voice = VoiceRig()
        self.voice.hello()
        for client, role in ((ADA, "agent"), (EYE, "observer")):
            self.voice.say(wire.Hello(protocol=1, client=client.decode(), role=role), client=client)
        self.voice.say(wire.Subscribe(topics=("health",)), client=EYE)
        self.face = face = FaceRig()
        face.clock.advance_ns(self.voice.clock.now_ns() - face.clock.now_ns())
        config = Config()
        self.annotations = Annotations(config, face.renderer, face.state.cues, face.counters)
        face.presenter._annotations = self.annotations
        self.screen = ScreenMode(config.screen, lambda: datetime(2026, 3, 29, 12, 0), face.clock.now_ns())
        self.loop = DrawLoop(config=config, clock=face.clock, state=face.state, stage=face.stage,
                             counters=face.counters, notifier=None,  # type: ignore[arg-type]
                             heartbeat=Heartbeat(lambda: None), stopping=threading.Event(), wake=threading.Event(),
                             report=lambda _: None, trace=None, screen=self.screen)  # fmt: skip
        self.reporter = FaceReporter(state=face.state, pacer=face.pacer, counters=face.counters, renderer=face.renderer)
        self.voice.voice.joined()

    def run(self, ms: int) -> None:
        face = self.face
        for number in range(ms // 20):
            self.voice.step(20)
            face.clock.advance_ns(self.voice.clock.now_ns() - face.clock.now_ns())
            for message in self.voice.published:
                if isinstance(message, bus.Anchor | bus.ScreenOrder | bus.AttendSign):
                    face.hear(message)
            self.voice.published.clear()
            self.loop._step(face.clock.now_ns(), face.presenter, face.renderer)
            if number % 50 == 49:
                now_ns = face.clock.now_ns()
                health = self.reporter.report(face.presenter, "full", 91.0, now_ns, self.loop._shown, self.screen.level)
                self.voice.voice.report(bus.encode(health))

    @property
    def sign(self) -> float:
        overlay = getattr(self.face.renderer, "overlay", None)
        placed = overlay.shown.get(ATTEND) if overlay is not None else None
        return placed.opacity if placed is not None else 0.0

    @property
    def told(self) -> tuple[str | None, float | None, float | None]:
        """What health says of the screen, and of the face's memory."""
        report = self.voice.got(wire.HealthReport, EYE)[-1]
        return report.face_screen, report.face_brightness, report.face_pss_mb


def test_who_listens_from_elsewhere_is_seen_within_a_fifth_of_a_second_and_until_they_leave() -> None:
    kiosk = Kiosk()
    kiosk.run(500)
    assert kiosk.sign == 0.0
    kiosk.voice.say(wire.Attend(listening=True), client=EYE)
    kiosk.run(200)
    assert kiosk.sign == pytest.approx(0.9)
    kiosk.voice.voice.left(EYE)
    kiosk.run(200)
    assert kiosk.sign == 0.0


def test_who_takes_the_floor_is_seen_without_saying_so() -> None:
    kiosk = Kiosk()
    kiosk.run(500)
    kiosk.voice.say(wire.TakeFloor(), client=ADA)
    kiosk.run(200)
    assert kiosk.sign == pytest.approx(0.9)
    kiosk.voice.say(wire.ReleaseFloor(), client=ADA)
    kiosk.run(300)
    assert kiosk.sign == 0.0


def test_the_screen_is_switched_and_dimmed_from_elsewhere_and_told_as_observed() -> None:
    kiosk = Kiosk()
    kiosk.run(2100)
    assert kiosk.told == ("on", 1.0, 91.0)
    kiosk.voice.say(wire.Screen(brightness=0.25), client=ADA)
    kiosk.run(4200)
    assert kiosk.told == ("on", 0.25, 91.0)
    kiosk.voice.say(wire.Screen(power="off"), client=ADA)
    kiosk.voice.voice.left(ADA)
    kiosk.run(4200)
    assert kiosk.told == ("blank", 0.0, 91.0), "this display cannot be switched off"
    kiosk.voice.say(wire.Attend(listening=True), client=EYE)
    kiosk.run(2100)
    assert kiosk.told == ("on", 0.25, 91.0), "the sign must be seen"
    assert kiosk.sign == pytest.approx(0.9)
