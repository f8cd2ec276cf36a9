"""The ear end to end: from its reports through voice and bus to the sign and the pose of the face."""

import pytest

from mien.config import Config
from mien.core import bus, ear_bus, wire
from mien.face.director import Director
from mien.face.overlay.annotations import Annotations
from mien.face.presenter import Presenter
from rigs.face_rig import FaceRig
from rigs.voice_rig import VoiceRig

MS = 1_000_000
EAR = 3


class Kiosk:
    """The voice on a manual clock, and a face that gets its anchors, its speech and what it says of the ear."""

    def __init__(self, **options: object) -> None:
        self.voice = VoiceRig(**options)
        self.voice.hello()
        self.utterance = 0
        self.join()

    def join(self) -> None:
        """A face that has just been started."""
        self.face = face = FaceRig()
        face.clock.advance_ns(self.voice.clock.now_ns() - face.clock.now_ns())
        self.annotations = Annotations(Config(), face.renderer, face.state.cues, face.counters)
        face.presenter = Presenter(
            state=face.state,
            director=Director(seed=1),
            renderer=face.renderer,
            pacer=face.pacer,
            clock=face.clock,
            display_latency_ms=0.0,
            counters=face.counters,
            annotations=self.annotations,
        )
        self.voice.published.clear()
        self.voice.voice.joined()

    def run(self, ms: int) -> None:
        for number in range(ms // 20):
            if number % 25 == 0:
                self.voice.ear_health()
            self.voice.step(20)
            self.face.clock.advance_ns(self.voice.clock.now_ns() - self.face.clock.now_ns())
            for message in self.voice.published:
                if isinstance(message, bus.EarSign | bus.Anchor):
                    self.face.hear(message)
            for message, payload in self.voice.speech:
                self.face.hear(message, *payload)
            self.voice.published.clear()
            self.voice.speech.clear()
            self.face.presenter.step()

    def start(self) -> None:
        """The customer begins to speak."""
        self.utterance += 1
        self.started_ns = self.voice.clock.now_ns() - 100 * MS
        self.voice.hear(ear_bus.UserStarted(utterance=self.utterance, at_ns=self.started_ns, confidence=0.9))

    def stop(self) -> None:
        """They stop."""
        self.voice.hear(
            ear_bus.UserStopped(
                utterance=self.utterance, at_ns=self.voice.clock.now_ns(), started_ns=self.started_ns, confidence=0.9
            )
        )

    @property
    def sign(self) -> float:
        """The opacity of the microphone's sign."""
        overlay = getattr(self.face.renderer, "overlay", None)
        placed = overlay.shown.get(EAR) if overlay is not None else None
        return placed.opacity if placed is not None else 0.0

    @property
    def state(self) -> str:
        return self.face.presenter._state_name()


def test_who_listens_to_utterances_makes_a_sign_with_each() -> None:
    kiosk = Kiosk()
    kiosk.run(500)
    kiosk.voice.say(wire.Listen())
    kiosk.run(1000)
    assert (kiosk.sign, kiosk.state) == (0.0, "idle")
    kiosk.start()
    kiosk.run(200)
    assert (kiosk.sign, kiosk.state) == (pytest.approx(0.9), "listening")
    kiosk.stop()
    kiosk.run(1000)
    assert (kiosk.sign, kiosk.state) == (pytest.approx(0.9), "idle")
    kiosk.run(1000)
    assert kiosk.sign == 0.0


def test_without_a_listener_the_face_listens_without_a_sign() -> None:
    kiosk = Kiosk()
    kiosk.run(500)
    kiosk.start()
    kiosk.run(500)
    assert (kiosk.sign, kiosk.state) == (0.0, "listening")


def test_all_sound_makes_a_sign_that_a_new_face_shows_too() -> None:
    kiosk = Kiosk()
    kiosk.run(500)
    kiosk.voice.say(wire.Listen(mode="always"))
    kiosk.run(10_000)
    assert kiosk.sign == pytest.approx(0.9)
    kiosk.join()
    kiosk.run(300)
    assert kiosk.sign == pytest.approx(0.9)
    kiosk.voice.say(wire.Listen(mode="off"))
    kiosk.run(2_000)
    assert kiosk.sign == 0.0


def test_a_mute_is_shown_and_ends_the_listening() -> None:
    kiosk = Kiosk()
    kiosk.run(500)
    kiosk.start()
    kiosk.run(200)
    kiosk.voice.say(wire.Mute())
    kiosk.run(1000)
    assert (kiosk.sign, kiosk.state) == (pytest.approx(0.9), "idle")
    kiosk.voice.say(wire.Unmute())
    kiosk.run(1000)
    assert kiosk.sign == 0.0


def test_a_barge_in_that_pauses_shows_a_face_that_listens_not_one_that_sleeps() -> None:
    kiosk = Kiosk(barge_in={"mode": "pause", "default": "resume"})
    kiosk.run(500)
    kiosk.voice.speak(ms=8000)
    kiosk.run(1500)
    assert kiosk.state == "speaking"
    kiosk.start()
    states = set()
    for _ in range(60):
        kiosk.run(20)
        states.add((kiosk.face.state.anchor.phase, kiosk.state))
    assert ("paused", "listening") in states
    assert ("paused", "paused") not in states
    kiosk.stop()
    kiosk.run(1500)
    assert kiosk.state == "speaking"
