"""An agent takes the floor in mid-turn, speaks through the same face, and hands back; everyone is told at each step."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import bus, wire
from rigs.voice_rig import VoiceRig, tone

pytestmark = pytest.mark.usefixtures("any_device")

BOT, AGENT, OTHER, EYE = b"bot", b"agent", b"other", b"eye"


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT)
    rig.say(wire.Hello(protocol=1, client="Ada", role="agent"), client=AGENT)
    rig.say(wire.Hello(protocol=1, client="Ben", role="agent"), client=OTHER)
    rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=EYE)
    rig.step(50)
    return rig


def take(rig, client=AGENT, **fields):
    rig.say(wire.TakeFloor(**fields), client=client)


def ends(rig, client):
    return [(m.turn, m.reason, m.interrupted) for m in rig.got(wire.Finished, client)]


def floors(rig, client):
    return [(m.holder, m.why, m.yours) for m in rig.got(wire.Floor, client)]


def bot_speaks(rig):
    for name in ("one", "two"):
        rig.say(wire.Caption(turn=name, words=(wire.Word("hello", 0, 100), wire.Word("there", 100, 400))), client=BOT)
        rig.speak(name, ms=400, client=BOT)
    rig.step(200)


def test_an_agent_takes_the_floor_in_mid_turn_and_hands_back_a_held_queue(rig):
    bot_speaks(rig)
    epoch = rig.playback.epoch
    take(rig, queue="hold")
    rig.step(50)
    assert ends(rig, BOT) == [("one", "taken_over", True)]
    assert rig.got(wire.Finished, BOT)[0].last_word == "hello"
    assert rig.playback.epoch > epoch
    rig.speak("mine", ms=300, client=AGENT)
    rig.step(200)
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(1000)
    assert ends(rig, AGENT) == [("mine", "played", False)]
    assert ends(rig, BOT) == [("one", "taken_over", True), ("two", "played", False)]
    assert rig.got(wire.Finished, BOT)[1].played_ms == 400.0
    for client in (BOT, OTHER, EYE):
        assert floors(rig, client) == [("Ada", "taken", False), ("", "released", False)]
    assert floors(rig, AGENT) == [("Ada", "taken", True), ("", "released", False)]
    assert [m.held for m in rig.got(wire.Floor, BOT)] == [("two",), ("two",)]
    assert [m.held for m in rig.got(wire.Floor, EYE)] == [(), ()]


def test_the_held_turn_is_heard_whole_and_the_face_gets_all_of_it(rig):
    bot_speaks(rig)
    take(rig)
    rig.speak("mine", ms=300, client=AGENT)
    rig.step(500)
    epoch = rig.playback.epoch
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(800)
    published = b"".join(
        payload[0] for m, payload in rig.speech if isinstance(m, bus.Speech) and m.turn == "two" and m.epoch == epoch
    )
    assert published == tone(400).tobytes()
    heard, wanted = rig.sink.pcm, tone(400)[1:]
    places = np.flatnonzero(heard == wanted[0])
    assert [np.array_equal(heard[at : at + len(wanted)], wanted) for at in places].count(True) == 1


def test_an_agent_may_drop_the_queue(rig):
    bot_speaks(rig)
    take(rig, queue="drop")
    rig.step(100)
    assert sorted(ends(rig, BOT)) == [("one", "taken_over", True), ("two", "taken_over", True)]
    assert rig.got(wire.Floor, BOT)[0].held == ()


def test_the_bot_cannot_speak_or_steer_meanwhile_but_may_go_on_filling_its_held_turn(rig):
    rig.speak("one", ms=300, client=BOT)
    rig.speak("two", ms=100, client=BOT, end=False)
    rig.step(100)
    take(rig)
    for message in (wire.Pause(), wire.Volume(gain=0.1), wire.Emotion(name="sad"), wire.State(state="thinking")):
        rig.say(message, client=BOT)
    rig.audio("three", client=BOT)
    assert rig.errors(BOT) == ["floor_taken"] * 5
    rig.audio("two", seq=5, ms=100, client=BOT)
    rig.say(wire.End(turn="two"), client=BOT)
    rig.step(20_000)
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(500)
    assert rig.got(wire.Finished, BOT)[-1].played_ms == 200.0
    assert len(rig.errors(BOT)) == 5


def test_the_bot_may_interrupt_what_is_held(rig):
    bot_speaks(rig)
    take(rig)
    rig.speak("mine", ms=400, client=AGENT)
    rig.step(100)
    rig.say(wire.Interrupt(), client=BOT)
    rig.step(600)
    assert rig.got(wire.Interrupted, BOT)[0].turns == ("two",)
    assert ("two", "interrupted", True) in ends(rig, BOT)
    assert ends(rig, AGENT) == [("mine", "played", False)]


def test_two_agents_never_hold_the_floor_at_once(rig):
    take(rig)
    take(rig, client=OTHER)
    assert rig.errors(OTHER) == ["floor_taken"]
    rig.audio("x", client=OTHER)
    rig.say(wire.ReleaseFloor(), client=OTHER)
    assert rig.errors(OTHER) == ["floor_taken", "floor_taken", "floor_not_held"]
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(10)
    take(rig, client=OTHER)
    assert floors(rig, OTHER)[-1] == ("Ben", "taken", True)


def test_only_agents_take_the_floor_and_observers_only_look_on(rig):
    take(rig, client=BOT)
    take(rig, client=EYE)
    rig.audio("x", client=EYE)
    rig.say(wire.Pause(), client=EYE)
    rig.say(wire.Interrupt(), client=EYE)
    rig.say(wire.Subscribe(), client=BOT)
    assert rig.errors(BOT) == ["not_allowed"] * 2
    assert rig.errors(EYE) == ["not_allowed"] * 4
    assert not rig.playback.paused


def test_a_vanished_agents_floor_returns_after_the_timeout(rig):
    bot_speaks(rig)
    take(rig)
    rig.speak("mine", ms=10_000, client=AGENT)
    rig.step(500)
    rig.voice.left(AGENT)
    rig.step(VoiceConfig().floor_vanish_timeout_ms - 100)
    assert floors(rig, BOT)[-1] == ("Ada", "taken", False)
    rig.step(200)
    assert floors(rig, BOT)[-1] == ("", "vanished", False)
    rig.step(600)
    assert ends(rig, BOT)[-1] == ("two", "played", False)
    assert ends(rig, AGENT)[-1] == ("mine", "client_gone", True)


def test_a_vanished_agents_floor_may_be_taken_at_once(rig):
    take(rig)
    rig.speak("mine", ms=5000, client=AGENT)
    rig.step(100)
    rig.voice.left(AGENT)
    take(rig, client=OTHER)
    rig.speak("rescue", ms=100, client=OTHER)
    rig.step(5000)
    assert floors(rig, OTHER)[-1] == ("Ben", "taken", True)
    assert ends(rig, OTHER) == [("rescue", "played", False)]


def test_an_agent_that_hangs_loses_the_floor_and_a_ping_keeps_it():
    limit_ms = 10_000
    rig = VoiceRig(voice=VoiceConfig(floor_idle_timeout_ms=limit_ms))
    rig.hello(client=BOT)
    rig.hello(client=AGENT, role="agent")
    take(rig)
    rig.step(limit_ms - 1000)
    rig.say(wire.Ping(), client=AGENT)
    rig.step(limit_ms - 1000)
    assert floors(rig, BOT)[-1][1] == "taken"
    rig.step(2000)
    assert floors(rig, BOT)[-1] == ("", "idle_timeout", False)


def test_a_new_client_is_told_who_holds_the_floor(rig):
    take(rig)
    rig.hello(client=b"late")
    assert rig.got(wire.Welcome, b"late")[0].floor == "Ada"


def test_a_pause_of_the_bot_ends_with_the_takeover(rig):
    bot_speaks(rig)
    rig.say(wire.Pause(), client=BOT)
    rig.step(50)
    take(rig)
    rig.speak("mine", ms=100, client=AGENT)
    rig.step(300)
    assert ends(rig, AGENT) == [("mine", "played", False)]


def test_a_hundred_takeovers_lose_no_turn(rig):
    random = np.random.default_rng(11)
    for number in range(100):
        rig.speak(f"b{number}", ms=100, client=BOT)
        rig.speak(f"c{number}", ms=60, client=BOT)
        rig.step(5 * int(random.integers(1, 30)))
        take(rig, queue=["hold", "drop"][number % 2])
        rig.speak(f"a{number}", ms=60, client=AGENT)
        rig.step(5 * int(random.integers(1, 10)))
        rig.say(wire.ReleaseFloor(), client=AGENT)
        rig.step(400)
    assert len(ends(rig, BOT)) == 200
    assert [end for end in ends(rig, AGENT) if end[1] == "played"] == ends(rig, AGENT)
    assert len(ends(rig, AGENT)) == 100
    assert not rig.queue.turns
    assert rig.errors(BOT) == rig.errors(AGENT) == []


def test_a_holder_that_releases_begins_no_more_turns_and_may_end_what_it_has(rig):
    take(rig)
    rig.audio("mine", ms=100, client=AGENT)
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.audio("another", client=AGENT)
    rig.say(wire.End(turn="silent"), client=AGENT)
    assert [(m.code, m.turn) for m in rig.got(wire.Error, AGENT)] == [
        ("floor_taken", "another"),
        ("floor_taken", "silent"),
    ]
    rig.audio("mine", seq=1, ms=100, client=AGENT)
    rig.say(wire.End(turn="mine"), client=AGENT)
    rig.step(100)
    assert floors(rig, BOT)[-1][1] == "taken"
    rig.step(300)
    assert ends(rig, AGENT) == [("mine", "played", False)]
    assert rig.got(wire.Finished, AGENT)[0].played_ms == 200.0
    assert floors(rig, BOT)[-1] == ("", "released", False)


def test_who_takes_the_floor_anew_may_begin_turns_again(rig):
    take(rig)
    rig.audio("mine", ms=300, client=AGENT)
    rig.say(wire.ReleaseFloor(), client=AGENT)
    take(rig)
    rig.audio("another", client=AGENT)
    assert rig.errors(AGENT) == []
    rig.step(1000)
    assert floors(rig, BOT)[-1][1] == "taken"


def test_a_held_turn_that_is_not_ended_has_its_time_anew_when_it_is_given_back(rig):
    rig.speak("one", ms=300, client=BOT)
    rig.say(wire.Caption(turn="two", text="wait"), client=BOT)
    rig.audio("two", pcm=np.zeros(0, np.int16), client=BOT)  # begun, and dry
    rig.step(100)
    take(rig)
    limit_ms = VoiceConfig().turn_idle_timeout_ms
    rig.step(limit_ms + 1000)
    assert ends(rig, BOT) == [("one", "taken_over", True)]
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(limit_ms - 1000)
    assert [m.held for m in rig.got(wire.Floor, BOT)] == [("two",), ("two",)]
    assert len(ends(rig, BOT)) == 1
    rig.audio("two", seq=1, ms=100, client=BOT)
    rig.say(wire.End(turn="two"), client=BOT)
    rig.step(300)
    assert ends(rig, BOT)[-1] == ("two", "played", False)
    assert rig.got(wire.Finished, BOT)[-1].played_ms == 100.0


def test_and_finishes_as_idle_when_that_time_has_passed(rig):
    rig.speak("one", ms=300, client=BOT)
    rig.audio("two", pcm=np.zeros(0, np.int16), client=BOT)
    rig.step(100)
    take(rig)
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(VoiceConfig().turn_idle_timeout_ms + 500)
    assert ends(rig, BOT)[-1] == ("two", "idle_timeout", False)


def test_an_agent_does_not_lose_the_floor_while_it_speaks():
    rig = VoiceRig(voice=VoiceConfig(floor_idle_timeout_ms=1000))
    rig.hello(client=BOT)
    rig.hello(client=AGENT, role="agent")
    rig.speak("waits", ms=100, client=BOT)
    take(rig)
    rig.speak("long", ms=3000, client=AGENT)
    rig.step(2900)
    assert [m.why for m in rig.got(wire.Floor, BOT)] == ["taken"]
    rig.step(300)
    assert ends(rig, AGENT) == [("long", "played", False)]
    assert [m.why for m in rig.got(wire.Floor, BOT)] == ["taken", "idle_timeout"]


def test_what_a_vanished_holder_had_queued_is_not_played_later(rig):
    take(rig)
    for name in ("one", "two"):
        rig.speak(name, ms=4000, client=AGENT)
    rig.step(100)
    rig.voice.left(AGENT)
    rig.step(100)
    take(rig, client=OTHER)
    rig.step(100)
    assert sorted(ends(rig, AGENT)) == [("one", "taken_over", True), ("two", "taken_over", True)]
    assert rig.got(wire.Floor, OTHER)[-1].held == ()
    rig.say(wire.ReleaseFloor(), client=OTHER)
    rig.step(5000)
    assert len(ends(rig, AGENT)) == 2
    assert not rig.queue.turns


def test_an_agents_pause_ends_with_its_floor(rig):
    bot_speaks(rig)
    take(rig, queue="hold")
    rig.say(wire.Pause(), client=AGENT)
    rig.say(wire.ReleaseFloor(), client=AGENT)
    rig.step(800)
    assert ends(rig, BOT)[-1] == ("two", "played", False)
    assert not rig.playback.paused


def test_a_clients_room_is_its_own_and_what_is_interrupted_takes_none(rig):
    rig.speak("one", ms=5000, client=BOT)
    rig.step(10)
    full_ms = VoiceConfig().max_buffer_ms
    assert rig.queue.credit_ms(BOT) < full_ms - 4900
    assert rig.queue.credit_ms(AGENT) == full_ms
    rig.say(wire.Interrupt(), client=BOT)
    assert rig.queue.credit_ms(BOT) == full_ms


@pytest.mark.parametrize(
    "message",
    [
        wire.End(turn="t"),
        wire.Interrupt(),
        wire.Pause(),
        wire.Resume(),
        wire.Volume(gain=0.0),
        wire.Emotion(name="sad"),
        wire.State(state="thinking"),
        wire.Gesture(name="nod"),
        wire.LookAt(x=1.0, y=1.0),
        wire.Caption(turn="t", text="no"),
        wire.TakeFloor(),
    ],
    ids=lambda message: type(message).__name__,
)
def test_an_observer_changes_nothing_at_all(rig, message):
    rig.speak("t", ms=200, client=BOT)
    rig.step(20)
    rig.published.clear()
    rig.say(message, client=EYE)
    error = rig.got(wire.Error, EYE)[0]
    assert (error.code, error.retryable) == ("not_allowed", False)
    assert "observer" in error.message
    rig.step(400)
    assert not [m for m in rig.published if isinstance(m, bus.Expression | bus.GestureCue | bus.CaptionCue)]
    heard = np.trim_zeros(rig.sink.pcm)
    assert np.array_equal(heard[:3000], tone(200)[1:3001])
    assert ends(rig, BOT) == [("t", "played", False)]


def test_an_observer_says_nothing(rig):
    rig.audio("t", client=EYE)
    assert [(m.code, m.turn, m.seq) for m in rig.got(wire.Error, EYE)] == [("not_allowed", "t", 0)]
    assert not rig.queue.turns


@pytest.mark.parametrize("message", [wire.Subscribe(), wire.GetThumbnail()], ids=lambda m: type(m).__name__)
def test_a_speaker_does_not_look_on(rig, message):
    rig.say(message, client=BOT)
    error = rig.got(wire.Error, BOT)[0]
    assert error.code == "not_allowed"
    assert "hello as speaker" in error.message


@pytest.mark.parametrize("goes", [wire.ReleaseFloor(), wire.Bye()], ids=["releases", "says bye"])
def test_an_agent_whose_turns_another_held_speaks_them_when_it_takes_the_floor_and_can_give_it_back(rig, goes):
    """Held turns of the holder's own were never played, and the floor was never free again (found by the fuzzer)."""
    rig.say(wire.Pause(), client=OTHER)
    rig.speak("mine", ms=300, client=OTHER)
    take(rig)
    rig.voice.left(AGENT)
    take(rig, client=OTHER)
    rig.say(goes, client=OTHER)
    rig.step(1000)
    assert ends(rig, OTHER) == [("mine", "played", False)]
    assert rig.queue.holder is None
    assert floors(rig, BOT)[-1] == ("", "released", False)


def test_what_ended_just_before_its_holder_timed_out_keeps_its_reason(rig):
    take(rig)
    rig.speak("mine", ms=10_000, client=AGENT)
    rig.step(500)
    rig.voice.left(AGENT)
    rig.step(VoiceConfig().floor_vanish_timeout_ms - 5)
    rig.playback.interrupt(list(rig.queue.turns), "interrupted")
    epoch = rig.playback.epoch
    rig.step(200)
    assert floors(rig, BOT)[-1] == ("", "vanished", False)
    assert ends(rig, AGENT) == [("mine", "interrupted", True)]
    assert rig.playback.epoch == epoch
