"""Captions end to end: from a client's messages through voice and bus to the overlay of the face."""

import pytest

from mien.config import parse_config
from mien.core import bus, wire
from mien.core.clock import ManualClock
from mien.core.media import MediaClock
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations
from mien.face.state import CueStore
from mien.render.headless import HeadlessRenderer
from rigs.voice_rig import VoiceRig

WORDS = tuple(
    wire.Word(text, 300 * number, 300 * number + 250)
    for number, text in enumerate(("One", "two", "three", "four", "five", "six"))
)
TEXT = "One two three four five six."


class Kiosk:
    """The voice on a manual clock, with the parts of a face that captions need."""

    def __init__(self):
        self.voice = VoiceRig()
        self.voice.hello()
        self.join()

    def join(self):
        """A face that has just been started."""
        self.renderer = HeadlessRenderer(720, 1280, ManualClock(0))
        self.clock, self.cues = MediaClock(), CueStore()
        config = parse_config({"captions": {"enabled": True}}, "test")
        self.annotations = Annotations(config, self.renderer, self.cues, Counters())
        self.voice.published.clear()
        self.voice.voice.captions.renew()

    def run(self, ms):
        for _ in range(ms // 20):
            self.voice.step(20)
            now_ns = self.voice.clock.now_ns()
            self.clock.take(self.voice.playback.anchor())
            for message in self.voice.published:
                if isinstance(message, bus.CaptionCue):
                    self.cues.take(bus.decode_from_voice(bus.encode(message)))
            self.voice.published.clear()
            self.annotations.step(now_ns, self.clock.anchor, self.clock.media_ns(now_ns), voice=None, motion_lost=False)
            self.annotations.worker.do()
        return self.renderer.overlay.shown.get(0)

    def finished(self, turn):
        return next(message for message in self.voice.got(wire.Finished) if message.turn == turn)


@pytest.fixture
def kiosk():
    return Kiosk()


def test_words_that_come_before_with_or_after_the_speech_are_shown_as_they_are_heard(kiosk):
    kiosk.voice.say(wire.Caption(turn="before", text=TEXT, words=WORDS))
    kiosk.voice.speak("before", ms=2000)
    kiosk.run(200 + 1000)
    first = kiosk.renderer.overlay.shown[0].progress
    assert first == pytest.approx(wordcount(kiosk, "before"), abs=1.0)
    kiosk.run(1500)
    kiosk.voice.speak("after", ms=2000)
    kiosk.run(500)
    kiosk.voice.say(wire.Caption(turn="after", text=TEXT, words=WORDS))
    kiosk.run(500)
    assert kiosk.renderer.overlay.shown[0].progress == pytest.approx(wordcount(kiosk, "after"), abs=1.0)


def wordcount(kiosk, name):
    turn = kiosk.voice.queue.find(b"a", name)
    return sum(word.start_ms <= turn.played_ms for word in WORDS)


def test_at_an_interrupt_face_and_client_agree_on_what_was_heard(kiosk):
    kiosk.voice.say(wire.Caption(turn="t", text=TEXT, words=WORDS))
    kiosk.voice.speak(ms=2000)
    kiosk.run(200 + 900)
    kiosk.voice.say(wire.Interrupt(turn="t"))
    shown = kiosk.run(100)
    assert shown.ahead == 0.0
    assert abs(shown.progress - kiosk.finished("t").words_heard) <= 1
    assert kiosk.run(2000) is None


def test_a_face_that_joins_in_mid_turn_shows_the_right_words(kiosk):
    kiosk.voice.say(wire.Caption(turn="t", text=TEXT, words=WORDS))
    kiosk.voice.speak(ms=2000)
    kiosk.run(1000)
    before = kiosk.renderer.overlay.shown[0].progress
    kiosk.join()
    after = kiosk.run(100)
    assert before <= after.progress <= before + 1


def test_an_agent_takes_over_and_the_held_turn_is_shown_afterwards(kiosk):
    kiosk.voice.say(wire.Hello(protocol=1, role="agent", client="Ada"), client=b"agent")
    for name in ("first", "held"):
        kiosk.voice.say(wire.Caption(turn=name, text=f"{name}. {TEXT}"))
        kiosk.voice.speak(name, ms=1500)
    kiosk.run(600)
    machine = kiosk.renderer.overlay.images[0]
    kiosk.voice.say(wire.TakeFloor(queue="hold"), client=b"agent")
    kiosk.voice.say(wire.Caption(turn="first", text="Here is Ada."), client=b"agent")
    kiosk.voice.speak("first", ms=800, client=b"agent")
    kiosk.run(400)
    person = kiosk.renderer.overlay.images[0]
    assert person.shape != machine.shape
    kiosk.voice.say(wire.ReleaseFloor(), client=b"agent")
    shown = kiosk.run(1200)
    assert shown.ahead > 0
    assert kiosk.renderer.overlay.images[0].shape not in (person.shape, machine.shape)


def test_a_pause_holds_the_words(kiosk):
    kiosk.voice.say(wire.Caption(turn="t", text=TEXT, words=WORDS))
    kiosk.voice.speak(ms=2000)
    kiosk.run(800)
    kiosk.voice.say(wire.Pause())
    kiosk.run(200)
    held = kiosk.renderer.overlay.shown[0]
    assert kiosk.run(5000) == held
    kiosk.voice.say(wire.Resume())
    assert kiosk.run(600).progress > held.progress
