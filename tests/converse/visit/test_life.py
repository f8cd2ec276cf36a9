"""The life of a visit on a manual clock: each way in, each way out, and what must never happen."""

import pytest

from mien.config import VisitConfig
from mien.converse.visit import acts
from mien.converse.visit.life import Visit
from mien.converse.visit.signals import (
    Announced,
    Answered,
    Asked,
    Busy,
    Closing,
    PersonAnswered,
    PersonLeft,
    PersonSpeaks,
    Present,
    Sound,
    Tick,
    Wished,
)
from mien.converse.visit.times import Times, times

S = 1_000_000_000


class Rig:
    """Every line that is said takes 2 s, unless `speaks` is off. A tick every 200 ms."""

    def __init__(self, **fields):
        self.visit = Visit(times=Times(**fields))
        self.now_ns = 1000 * S
        self.acts = []
        self.quiet_hours = False
        self.over_ns = 0
        self.speaks = True

    def take(self, signal):
        new = self.visit.take(signal, self.now_ns)
        self.acts += new
        if self.speaks and any(isinstance(act, acts.Say) for act in new):
            self.over_ns = self.now_ns + 2 * S
            self.acts += self.visit.take(Busy(True), self.now_ns)
        return new

    def wait(self, seconds):
        for _ in range(round(seconds * 5)):
            self.now_ns += S // 5
            if self.over_ns and self.now_ns >= self.over_ns:
                self.over_ns = 0
                self.take(Busy(False))
            self.take(Tick(self.quiet_hours))

    def speak(self, *, seconds=1):
        """The visitor asks something, which is answered."""
        self.take(Sound(True))
        self.wait(seconds)
        self.take(Sound(False))
        self.take(Asked(5))
        self.take(Busy(True))
        self.wait(1)
        self.take(Busy(False))
        self.take(Answered(known=True, heard=True))

    def talk(self):
        """Into a conversation by a touch."""
        self.take(Present(True, "touch"))
        self.wait(6)
        assert self.state == "conversation"

    @property
    def state(self):
        return self.visit.state

    def said(self):
        return [act.line for act in self.acts if isinstance(act, acts.Say)]

    def panel(self):
        return [act.panel for act in self.acts if isinstance(act, acts.Show)][-1]

    def ended(self):
        return [act.record for act in self.acts if isinstance(act, acts.Forget)]


@pytest.mark.parametrize(
    "come", [Present(True, "touch"), Sound(True), Wished("activity", "touch")], ids=["touch", "voice", "key"]
)
def test_a_touch_or_a_voice_greets_at_once_with_the_notice(come):
    rig = Rig()
    rig.take(come)
    rig.take(Sound(False))
    assert rig.said() == ["greeting"]
    rig.wait(6)
    assert rig.state == "conversation"
    assert rig.panel() == "conversation"


def test_a_sensor_greets_somebody_who_stays_and_not_who_passes_by():
    rig = Rig()
    rig.take(Present(True, "pir"))
    rig.wait(1)
    rig.take(Present(False, "pir"))
    rig.wait(60)
    assert rig.said() == []
    rig.take(Present(True, "pir"))
    rig.wait(1.6)
    assert rig.said() == ["greeting"]
    assert rig.state == "greeting"


def test_a_sensor_that_flaps_greets_nobody():
    rig = Rig()
    for number in range(200):
        rig.take(Present(bool(number % 2), "pir"))
        rig.wait(0.4)
    assert rig.said() == []


def test_silence_is_answered_with_more_time_before_the_goodbye():
    rig = Rig(idle=30 * S, extend=20 * S)
    rig.talk()
    rig.wait(29)
    assert rig.state == "extension"
    assert rig.said()[-1] == "still_there"
    assert rig.panel() == "extension"
    rig.wait(17)  # 20 s from when the question has been heard
    assert rig.state == "extension"
    rig.wait(5)
    assert rig.said()[-1] == "goodbye"
    rig.wait(6)
    assert rig.state == "attract"
    assert [record.ended for record in rig.ended()] == ["silence"]


def test_who_wants_more_time_gets_it_again_and_again_and_longer():
    rig = Rig(idle=10 * S, extend=20 * S)
    rig.talk()
    asked = []
    for _ in range(12):  # WCAG 2.2.1: at least ten times
        begun_ns = rig.now_ns
        while rig.state == "conversation":
            rig.wait(0.2)
        asked.append((rig.now_ns - begun_ns) / S)
        rig.take(Wished("more_time", "touch"))
        assert rig.state == "conversation"
    assert asked[5] > 4 * asked[0]
    assert rig.ended() == []


@pytest.mark.parametrize("sign", [Sound(True), Asked(3), Wished("activity", "touch"), Wished("more_time")])
def test_any_sign_of_life_ends_the_question_for_more_time(sign):
    rig = Rig(idle=10 * S)
    rig.talk()
    rig.wait(12)
    assert rig.state == "extension"
    rig.take(sign)
    assert rig.state == "conversation"


def test_it_never_ends_while_somebody_speaks():
    rig = Rig(idle=10 * S, extend=20 * S)
    rig.talk()
    rig.take(Busy(True))
    rig.wait(100)  # a long answer
    assert rig.state == "conversation"
    rig.take(Busy(False))
    rig.take(Wished("goodbye"))
    rig.take(Busy(True))
    rig.wait(30)
    assert rig.ended() == []
    rig.take(Sound(True))
    rig.take(Busy(False))
    rig.wait(30)
    assert rig.ended() == []  # the visitor says something too
    rig.take(Sound(False))
    rig.wait(1)
    assert [record.ended for record in rig.ended()] == ["word"]


def test_who_asks_once_more_after_the_goodbye_is_answered():
    rig = Rig()
    rig.talk()
    rig.take(Wished("goodbye"))
    rig.take(Busy(True))
    rig.take(Asked(4))
    assert rig.state == "conversation"
    rig.take(Busy(False))
    rig.wait(10)
    assert rig.ended() == []


def test_who_leaves_in_mid_sentence_is_waited_for_and_then_forgotten():
    rig = Rig(left=8 * S)
    rig.take(Present(True, "pir"))
    rig.wait(8)
    rig.take(Sound(True))
    rig.take(Present(False, "pir"))
    rig.wait(20)
    assert rig.ended() == []
    rig.take(Sound(False))
    rig.wait(14)
    assert [record.ended for record in rig.ended()] == ["left"]
    assert rig.said() == ["greeting"]  # nobody is there to say goodbye to


def test_an_ear_that_never_ends_an_utterance_does_not_hold_the_kiosk_for_good():
    rig = Rig()
    rig.talk()
    rig.take(Sound(True))
    rig.wait(300)
    assert [record.ended for record in rig.ended()] == ["silence"]


def test_without_a_sensor_nobody_is_taken_for_gone():
    rig = Rig(left=2 * S, idle=1000 * S)
    rig.talk()
    rig.wait(100)
    assert rig.state == "conversation"


def test_who_stays_after_the_goodbye_is_not_greeted_again_and_again():
    rig = Rig()
    rig.take(Present(True, "pir"))
    rig.wait(8)
    rig.take(Wished("goodbye", "touch"))
    rig.wait(60)
    rig.take(Present(True, "pir"))
    rig.wait(60)
    assert rig.said() == ["greeting"]
    rig.take(Present(False, "pir"))
    rig.wait(1)
    rig.take(Present(True, "pir"))
    rig.wait(2)
    assert rig.said() == ["greeting", "greeting"]


def test_while_one_sensor_sees_somebody_they_are_there():
    rig = Rig(left=8 * S)
    rig.take(Present(True, "pir"))
    rig.take(Present(True, "headphones"))
    rig.wait(8)
    rig.take(Present(False, "headphones"))
    rig.wait(20)
    assert rig.state == "conversation"
    rig.take(Present(False, "pir"))
    rig.wait(14)
    assert [record.ended for record in rig.ended()] == ["left"]


def test_headphones_that_are_plugged_in_greet_and_so_they_do_whoever_stayed():
    rig = Rig()
    rig.take(Present(True, "pir"))
    rig.wait(8)
    rig.take(Wished("goodbye", "touch"))
    rig.wait(60)
    rig.take(Present(True, "headphones"))
    rig.wait(2)
    assert rig.said() == ["greeting", "greeting"]


def test_a_notice_that_was_spoken_over_is_given_again():
    rig = Rig()
    rig.take(Sound(True))
    rig.take(Announced("greeting", heard=False))
    rig.take(Sound(False))
    rig.speak()
    rig.wait(5)
    assert rig.said()[:2] == ["greeting", "notice"]
    rig.take(Announced("notice", heard=True))
    rig.wait(10)
    assert rig.said().count("notice") == 1


def test_consent_comes_first_and_a_no_ends_the_visit():
    rig = Rig(consent=True)
    rig.take(Present(True, "touch"))
    rig.wait(3)
    assert (rig.state, rig.panel()) == ("consent", "consent")
    assert not rig.visit.consented
    rig.take(Wished("no_consent", "touch"))
    rig.wait(6)
    assert [(record.ended, record.consented) for record in rig.ended()] == [("no_consent", False)]
    rig.take(Present(True, "touch"))
    rig.wait(6)
    rig.take(Wished("consent"))
    assert rig.state == "conversation"
    assert rig.visit.consented


def test_who_has_not_consented_may_still_call_a_person():
    rig = Rig(consent=True)
    rig.take(Present(True, "touch"))
    rig.wait(6)
    rig.take(Wished("person"))
    assert rig.state == "calling"
    rig.take(PersonAnswered(coming=False))
    assert rig.state == "conversation"
    assert not rig.visit.consented


def test_the_consent_of_one_visitor_is_not_that_of_the_next():
    rig = Rig(consent=True)
    rig.take(Present(True, "touch"))
    rig.wait(6)
    rig.take(Wished("consent"))
    rig.take(Wished("goodbye"))
    rig.wait(6)
    assert not rig.visit.consented


def test_idle_lines_are_seldom_and_never_in_quiet_hours_or_a_visit():
    rig = Rig(attract_every=600 * S)
    rig.wait(1300)
    assert rig.said() == ["attract"] * 2
    rig.quiet_hours = True
    rig.wait(3000)
    assert rig.said() == ["attract"] * 2
    rig.quiet_hours = False
    rig.talk()
    assert rig.ended() == []
    rig.wait(40)
    assert rig.said()[-1] != "attract"


class TestAPerson:
    def calling(self, **fields):
        rig = Rig(**fields)
        rig.talk()
        rig.take(Wished("person", "touch"))
        rig.wait(4)
        assert rig.acts.count(acts.Call(open=True)) == 1
        return rig

    def test_who_waits_is_told_how_long_and_in_the_end_the_truth(self):
        rig = self.calling(call=60 * S, call_tell=20 * S)
        rig.wait(70)
        told = [act for act in rig.acts if isinstance(act, acts.Say)]
        assert [act.line for act in told[1:]] == ["still_calling", "still_calling", "nobody"]
        assert 18 <= told[1].seconds <= 24
        assert rig.acts.count(acts.Call(open=False)) == 1
        assert rig.state == "conversation"
        rig.take(Wished("goodbye"))
        rig.wait(6)
        assert rig.ended()[0].calls_unanswered == 1

    def test_who_said_when_they_come_is_given_that_time(self):
        rig = self.calling(call=30 * S)
        rig.take(PersonAnswered(coming=True, in_s=120))
        assert rig.said()[-1] == "coming"
        rig.wait(100)
        assert rig.state == "calling"

    def test_nobody_can_come(self):
        rig = self.calling()
        rig.take(PersonAnswered(coming=False))
        assert rig.said()[-1] == "not_coming"
        assert rig.state == "conversation"

    def test_a_person_speaks_and_hands_back_with_a_note(self):
        rig = self.calling()
        rig.take(PersonSpeaks())
        assert (rig.state, rig.panel()) == ("person", "none")
        rig.wait(1000)
        assert rig.ended() == []
        rig.take(PersonLeft("the ticket was refunded"))
        assert acts.Note("the ticket was refunded") in rig.acts
        assert rig.said()[-1] == "back"
        assert rig.state == "conversation"
        rig.wait(200)
        assert rig.ended()[0].handed_over_ns

    def test_one_may_also_speak_uncalled(self):
        rig = Rig()
        rig.talk()
        rig.take(PersonSpeaks())
        assert rig.state == "person"
        rig.take(PersonLeft())
        assert rig.state == "conversation"

    def test_the_visitor_may_give_up(self):
        rig = self.calling()
        rig.take(Wished("goodbye", "touch"))
        rig.wait(6)
        assert rig.acts.count(acts.Call(open=False)) == 1
        assert rig.ended()[0].ended == "touch"


def test_a_clock_that_jumps_ends_nothing():
    rig = Rig(idle=30 * S)
    rig.talk()
    rig.now_ns += 3600 * S  # the machine slept
    rig.wait(5)
    assert rig.state == "conversation"
    rig.now_ns -= 1000 * S  # and back
    rig.wait(5)
    assert rig.state == "conversation"


def test_a_kiosk_that_stops_forgets_the_visit():
    rig = Rig()
    assert rig.visit.close() == []
    rig.talk()
    record = [act.record for act in rig.visit.close() if isinstance(act, acts.Forget)]
    assert [one.ended for one in record] == ["shutdown"]
    assert rig.state == "attract"


def test_the_times_are_the_configured_ones():
    made = times(VisitConfig(idle_s=60, extend_s=30, greet_after_ms=500, attract=("Hello",), attract_every_s=120))
    assert (made.idle, made.extend, made.greet_after, made.attract_every) == (60 * S, 30 * S, S // 2, 120 * S)
    assert times(VisitConfig()).attract_every == 0


@pytest.mark.parametrize("signal", [Sound(True), Asked(3), Present(True, "sensor"), Announced("greeting", True)])
def test_no_visit_begins_while_closed_and_nothing_is_said_of_it_by_itself(signal):
    rig = Rig(attract_every=30 * S)
    rig.take(Closing(True))
    rig.take(signal)
    rig.wait(120)
    assert rig.state == "attract"
    assert rig.said() == []


@pytest.mark.parametrize("signal", [Present(True, "touch"), Wished("activity", "touch"), Wished("person", "key")])
def test_who_touches_a_closed_kiosk_is_told_once_at_a_time(signal):
    rig = Rig()
    rig.take(Closing(True))
    rig.take(signal)
    rig.take(signal)  # while it is being said
    rig.wait(5)
    assert (rig.state, rig.said()) == ("attract", ["closed"])
    rig.take(Closing(False))
    rig.talk()


def test_the_visit_that_is_there_ends_as_always_and_none_follows():
    rig = Rig()
    rig.talk()
    rig.take(Closing(True))
    rig.speak()
    assert rig.state == "conversation"
    assert not rig.visit.closed
    rig.take(Wished("goodbye", "touch"))
    rig.wait(20)
    assert rig.state == "attract"
    assert rig.visit.closed
    rig.take(Sound(True))
    assert rig.state == "attract"


def test_somebody_who_has_only_been_seen_is_not_greeted_any_more():
    rig = Rig(greet_after=3 * S)
    rig.take(Present(True, "sensor"))
    assert rig.state == "presence"
    rig.take(Closing(True))
    rig.wait(10)
    assert (rig.state, rig.said()) == ("attract", [])
