"""The customer speaks over a turn: what the voice does by itself, and when, on a manual clock."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import ear_bus, wire
from rigs.voice_rig import VoiceRig, tone

S = 10**9
MS = 10**6
FADE = 80  # samples
DETECTED_MS = 100  # what an ear takes to be sure


class Kiosk(VoiceRig):
    """A voice with an ear, a client that speaks and another that listens."""

    def __init__(self, mode="pause", **fields):
        voice = fields.pop("voice", None)
        super().__init__(barge_in={"mode": mode, **fields}, voice=voice, fade_ms=5)
        self.ear_health()
        self.hello()
        self.hello(client=b"l", role="agent")
        self.say(wire.Listen(), client=b"l")
        self.step(100)
        self.utterance = 0

    def turn(self, ms=3000, after_ms=500, turn="t", end=True):
        """A turn is heard for so long."""
        self.speak(turn, ms=ms, end=end)
        self.step(after_ms)

    def start(self, *, ago_ms=DETECTED_MS):
        """The ear tells that the customer began to speak; returns that time."""
        self.utterance += 1
        at_ns = self.clock.now_ns() - ago_ms * MS
        self.hear(ear_bus.UserStarted(utterance=self.utterance, at_ns=at_ns, confidence=0.9))
        self.started_ns = at_ns
        return at_ns

    def stop(self, *, lasted_ms):
        """The ear tells that the customer stopped."""
        self.hear(
            ear_bus.UserStopped(
                utterance=self.utterance,
                at_ns=self.started_ns + lasted_ms * MS,
                started_ns=self.started_ns,
                confidence=0.9,
            )
        )

    def run(self, ms):
        """Time passes; the ear lives."""
        for _ in range(int(ms // 500)):
            self.ear_health()
            self.step(500)
        if ms % 500:
            self.step(ms % 500)

    def actions(self, client=b"a"):
        return [message.action for message in self.got(wire.BargeIn, client)]

    def loud(self):
        """Samples of the speech's own level written so far."""
        return int((np.abs(self.sink.pcm.astype(int)) > 6000).sum())

    def silent_since(self, at_ns):
        """How long after at_ns the last sample was heard, in ms, by the ideal device."""
        last = int(np.flatnonzero(self.sink.pcm)[-1])
        heard_ns = self.playback.device.clock.time_of_ns(last)
        return (heard_ns - at_ns) / MS


def test_by_default_nothing_happens():
    kiosk = Kiosk(mode="off")
    kiosk.turn()
    kiosk.start()
    kiosk.run(3500)
    assert kiosk.actions() == []
    assert kiosk.got(wire.Finished)[0].reason == "played"
    assert kiosk.got(wire.Finished)[0].barge_in_ms is None


def test_duck_makes_it_quiet_at_once_and_loud_again_when_the_customer_stops():
    kiosk = Kiosk(mode="duck", duck_db=20)
    kiosk.turn()
    kiosk.start()
    assert kiosk.actions() == kiosk.actions(b"l") == ["ducked"]
    written = len(kiosk.sink.pcm)
    kiosk.run(400)
    ducked = np.abs(kiosk.sink.pcm[written + 80 :].astype(int))
    assert 0 < ducked.max() <= 801
    kiosk.stop(lasted_ms=300)
    written = len(kiosk.sink.pcm)
    kiosk.run(400)
    assert np.abs(kiosk.sink.pcm[written + 80 :].astype(int)).max() > 7990
    kiosk.run(3000)
    assert kiosk.actions() == ["ducked", "resumed"]
    assert kiosk.got(wire.Finished)[0].played_ms == 3000


def test_a_false_barge_in_costs_not_one_sample():
    """Ducked and resumed: every sample at its place, and as it was but for the ducked part."""
    plain, kiosk = Kiosk(mode="off"), Kiosk(mode="pause")
    for rig in (plain, kiosk):
        rig.turn(ms=2000)
        rig.start(ago_ms=60)
        rig.step(50)
        rig.stop(lasted_ms=40)
        rig.run(2500)
    assert kiosk.actions() == ["ducked", "resumed"]
    same, other = plain.sink.pcm, kiosk.sink.pcm
    assert len(same) == len(other)
    differs = np.flatnonzero(same != other)
    assert 0 < differs[-1] - differs[0] <= 16 * (50 + 5 + 5)
    assert np.all(np.abs(other.astype(int)) <= np.abs(same.astype(int)))


@pytest.mark.parametrize("declined_by", ["resume", "default", "short sound"])
def test_a_declined_pause_goes_on_where_it_stood(declined_by):
    plain, kiosk = Kiosk(mode="off"), Kiosk(mode="pause", default="resume", window_ms=1000)
    for rig in (plain, kiosk):
        rig.turn(ms=2000)
        rig.start()
        rig.step(200)
    assert kiosk.actions() == ["ducked", "paused"]
    if declined_by == "resume":
        kiosk.say(wire.Resume(), client=b"l")
        kiosk.step(5)
        assert kiosk.actions()[-1] == "resumed"
    elif declined_by == "short sound":
        kiosk.stop(lasted_ms=120)
        assert kiosk.actions()[-1] == "resumed"
    else:
        kiosk.step(850)
        assert kiosk.actions()[-1] == "paused"
        kiosk.step(50)
        assert kiosk.actions()[-1] == "resumed"
    for rig in (plain, kiosk):
        rig.run(3000)
    finished = kiosk.got(wire.Finished)[0]
    assert (finished.played_ms, finished.reason, finished.barge_in_ms) == (2000, "played", None)
    whole, heard = (rig.sink.pcm[np.flatnonzero(rig.sink.pcm)[0] :] for rig in (plain, kiosk))
    sounds = np.flatnonzero(heard)
    gap = int(np.argmax(np.diff(sounds)))  # the pause
    before, after = int(sounds[gap]) + 1, len(heard) - int(sounds[gap + 1])
    whole = whole[: np.flatnonzero(whole)[-1] + 1]
    after -= len(heard) - int(sounds[-1]) - 1
    assert np.array_equal(heard[sounds[-1] + 1 - after + FADE : sounds[-1] + 1], whole[len(whole) - after + FADE :])
    assert len(whole) - after - 10 <= before <= len(whole) - after + FADE  # at most the decay of its last sample more


@pytest.mark.usefixtures("any_device")
@pytest.mark.parametrize("seed", range(20))
def test_false_barge_ins_never_cost_a_sample_whatever_the_device(seed):
    """At any moments, of any length below min_speech: what is not ducked is as it would have been, at its place."""
    rigs = Kiosk(mode="off"), Kiosk(mode=("pause", "interrupt", "duck")[seed % 3], min_speech_ms=200)
    kiosk = rigs[1]
    for rig in rigs:
        draw = np.random.default_rng(seed)
        noise = draw.integers(-20_000, 20_000, 48_000).astype(np.int16)
        for turn in range(3):
            rig.speak(f"t{turn}", pcm=noise[turn * 16_000 : (turn + 1) * 16_000])
        rig.step(400)
        for _ in range(6):
            rig.ear_health()
            rig.start(ago_ms=int(draw.integers(10, 100)))
            rig.step(5 * int(draw.integers(1, 15)))
            rig.stop(lasted_ms=int(draw.integers(1, 190)))
            rig.step(5 * int(draw.integers(10, 60)))
        rig.run(4000)
    assert kiosk.actions().count("resumed") == kiosk.actions().count("ducked") > 2
    assert [m.played_ms for m in kiosk.got(wire.Finished)] == [1000.0] * 3
    same, other = (rig.sink.pcm.astype(int) for rig in rigs)
    assert len(same) == len(other)
    assert np.all(np.abs(other) <= np.abs(same))
    assert np.all((other == same) | (np.abs(other) >= 0.2 * np.abs(same) - 2))  # nothing is lower than ducked
    assert (other != same).sum() < 6 * 16 * 100


@pytest.mark.usefixtures("any_device")
@pytest.mark.parametrize(("buffer_ms", "min_speech_ms"), [(25, 160), (40, 160), (25, 300), (25, 120)])
@pytest.mark.parametrize("mode", ["pause", "interrupt"])
def test_the_speaker_is_silent_within_min_speech_buffer_and_fade(mode, buffer_ms, min_speech_ms):
    kiosk = Kiosk(mode=mode, min_speech_ms=min_speech_ms, window_ms=10_000)
    kiosk.playback.device.target = 16 * buffer_ms
    kiosk.turn()
    at_ns = kiosk.start()
    kiosk.run(600)
    step_ms, fade_ms = 5, 5
    coarse_ms = getattr(kiosk.sink, "_step", 0) / 16  # a device that moves by so much tells what it holds too late
    assert kiosk.silent_since(at_ns) <= min_speech_ms + buffer_ms + fade_ms + step_ms + coarse_ms


def test_an_ear_that_is_sure_only_later_than_min_speech_pauses_at_once():
    kiosk = Kiosk(mode="pause", min_speech_ms=160)
    kiosk.turn()
    kiosk.start(ago_ms=200)
    assert kiosk.actions() == ["ducked", "paused"]


def test_pause_says_what_was_heard_and_how_long_there_is_to_decide():
    kiosk = Kiosk(mode="pause", window_ms=700, default="resume")
    kiosk.turn(after_ms=800)
    started = kiosk.got(wire.Started)[0]
    kiosk.start(ago_ms=100)
    kiosk.step(100)
    ducked, paused = kiosk.got(wire.BargeIn)
    assert (ducked.window_ms, ducked.default) == (0, "")
    assert (paused.turn, paused.utterance, paused.window_ms, paused.default) == ("t", 1, 700, "resume")
    assert paused.heard_ms == ducked.heard_ms == pytest.approx(800 - 100 - started.latency_ms, abs=6)
    assert kiosk.got(wire.BargeIn, b"l") == [ducked, paused]
    assert kiosk.playback.anchor().phase == "paused"


def test_a_client_confirms_with_an_interrupt():
    kiosk = Kiosk(mode="pause")
    kiosk.turn()
    kiosk.speak("u", ms=500)
    kiosk.start()
    kiosk.step(200)
    kiosk.say(wire.Interrupt())
    kiosk.run(500)
    assert kiosk.actions() == kiosk.actions(b"l") == ["ducked", "paused", "interrupted"]
    heard_ms = kiosk.got(wire.BargeIn)[0].heard_ms
    ended = {message.turn: message for message in kiosk.got(wire.Finished)}
    assert [(m.reason, m.barge_in_ms) for m in ended.values()] == [("interrupted", heard_ms), ("interrupted", 0.0)]
    assert ended["t"].played_ms > heard_ms
    assert not kiosk.playback.paused
    kiosk.turn(ms=300, turn="v", after_ms=600)
    assert kiosk.got(wire.Finished)[-1].reason == "played"


def test_an_interrupt_while_ducked_confirms_too():
    kiosk = Kiosk(mode="duck")
    kiosk.turn()
    kiosk.start()
    kiosk.say(wire.Interrupt(turn="t"))
    kiosk.step(200)
    assert kiosk.actions() == ["ducked", "interrupted"]
    assert kiosk.got(wire.Finished)[0].barge_in_ms == kiosk.got(wire.BargeIn)[0].heard_ms


def test_an_interrupt_of_a_later_turn_only_does_not_decide():
    kiosk = Kiosk(mode="pause")
    kiosk.turn()
    kiosk.speak("u", ms=500)
    kiosk.start()
    kiosk.step(200)
    kiosk.say(wire.Interrupt(turn="u"))
    assert kiosk.actions() == ["ducked", "paused"]
    kiosk.step(1000)
    assert kiosk.actions() == ["ducked", "paused", "interrupted"]
    assert [(m.turn, m.barge_in_ms) for m in kiosk.got(wire.Finished)][-1][0] == "t"


def test_the_default_interrupts_what_waits_too_and_tells_the_client_as_an_interrupt_does():
    kiosk = Kiosk(mode="pause", window_ms=400)
    kiosk.turn(end=False)
    kiosk.speak("u", ms=500)
    kiosk.start()
    kiosk.step(700)
    assert kiosk.actions() == ["ducked", "paused", "interrupted"]
    assert kiosk.got(wire.Interrupted) == [wire.Interrupted(turns=("t", "u"))]
    kiosk.step(100)
    assert [m.turn for m in kiosk.got(wire.Finished)] == ["t", "u"]
    kiosk.audio("t", 150)
    assert kiosk.errors() == ["turn_closed"]


def test_no_window_decides_at_once():
    kiosk = Kiosk(mode="pause", window_ms=0, default="interrupt")
    kiosk.turn()
    kiosk.start()
    kiosk.step(100)
    assert kiosk.actions() == ["ducked", "paused", "interrupted"]


def test_mode_interrupt_asks_nobody():
    kiosk = Kiosk(mode="interrupt")
    kiosk.turn()
    kiosk.start()
    assert kiosk.actions() == ["ducked"]
    kiosk.step(200)
    assert kiosk.actions() == kiosk.actions(b"l") == ["ducked", "interrupted"]
    finished = kiosk.got(wire.Finished)[0]
    assert (finished.reason, finished.interrupted) == ("interrupted", True)
    assert 0 < finished.barge_in_ms < finished.played_ms


def test_the_next_turn_after_an_interrupt_is_as_loud_as_ever_from_its_first_sample():
    kiosk = Kiosk(mode="interrupt")
    kiosk.turn()
    kiosk.start()
    kiosk.step(300)
    written = len(kiosk.sink.pcm)
    kiosk.turn(ms=300, turn="u", after_ms=500)
    heard = kiosk.sink.pcm[written:]
    first = int(np.flatnonzero(heard)[0]) - 1
    assert np.array_equal(heard[first : first + 4800], tone(300))


def test_the_fade_out_of_an_interrupt_stays_ducked():
    kiosk = Kiosk(mode="interrupt", duck_db=40)
    kiosk.turn()
    kiosk.start()
    written = len(kiosk.sink.pcm)
    kiosk.step(300)
    assert np.abs(kiosk.sink.pcm[written + 80 :].astype(int)).max() <= 81


def test_nothing_happens_within_the_guard_after_an_opening():
    for ago_ms, begins in ((150, False), (5, True)):
        kiosk = Kiosk(mode="duck", guard_ms=200)
        kiosk.speak(ms=2000)
        while not kiosk.got(wire.Started):
            kiosk.step(5)
        kiosk.step(250)
        kiosk.start(ago_ms=ago_ms)
        assert bool(kiosk.actions()) is begins, ago_ms


def test_a_turn_that_follows_without_a_gap_has_no_guard_of_its_own():
    kiosk = Kiosk(mode="interrupt", guard_ms=200)
    kiosk.speak("t", ms=600)
    kiosk.speak("u", ms=2000)
    while "t" not in [m.turn for m in kiosk.got(wire.Finished)]:
        kiosk.step(5)
    kiosk.step(20)
    kiosk.start(ago_ms=60)
    kiosk.step(200)
    assert kiosk.actions() == ["ducked", "interrupted"]
    message, finished = kiosk.got(wire.BargeIn)[0], kiosk.got(wire.Finished)[-1]
    assert (message.turn, message.heard_ms) == ("u", 0.0)
    assert (finished.turn, finished.barge_in_ms) == ("u", 0.0)


@pytest.mark.parametrize("when", ["nobody speaks", "before the turn", "paused", "long ago", "turn over"])
def test_no_barge_in_where_no_turn_is_heard(when):
    kiosk = Kiosk(mode="interrupt")
    if when == "paused":
        kiosk.turn()
        kiosk.say(wire.Pause())
        kiosk.step(100)
        kiosk.start(ago_ms=20)
    elif when == "before the turn":
        kiosk.turn(after_ms=100)
        kiosk.start(ago_ms=200)
    elif when == "long ago":
        kiosk.turn()
        kiosk.start(ago_ms=kiosk.clock.now_ns() // MS)
    elif when == "turn over":
        kiosk.turn(ms=300, after_ms=380)
        kiosk.start(ago_ms=150)
    else:
        kiosk.start()
    kiosk.run(300)
    assert kiosk.actions() == []


def test_a_turn_that_ends_while_ducked_ends_the_barge_in_and_the_next_is_loud():
    kiosk = Kiosk(mode="duck")
    kiosk.turn(ms=700, after_ms=600)
    kiosk.start()
    kiosk.run(400)
    assert kiosk.got(wire.Finished)[0].reason == "played"
    written = len(kiosk.sink.pcm)
    kiosk.turn(ms=300, turn="u", after_ms=500)
    heard = kiosk.sink.pcm[written:]
    first = int(np.flatnonzero(heard)[0]) - 1
    assert np.array_equal(heard[first : first + 4800], tone(300))
    assert kiosk.actions() == ["ducked"]


def test_a_turn_that_ends_while_ducked_passes_the_barge_in_on_to_the_next():
    kiosk = Kiosk(mode="pause", min_speech_ms=300, window_ms=400)
    kiosk.speak("t", ms=700)
    kiosk.speak("u", ms=2000)
    kiosk.step(640)
    kiosk.start()
    kiosk.step(260)
    assert [m.turn for m in kiosk.got(wire.Finished)] == ["t"]
    assert [(m.turn, m.action) for m in kiosk.got(wire.BargeIn)] == [("t", "ducked"), ("u", "paused")]
    kiosk.step(600)
    assert [(m.turn, m.reason, m.barge_in_ms) for m in kiosk.got(wire.Finished)][1:] == [("u", "interrupted", 0.0)]


def test_a_turn_that_was_written_whole_ends_while_paused():
    kiosk = Kiosk(mode="pause")
    kiosk.turn(ms=700, after_ms=615)
    kiosk.start(ago_ms=150)
    kiosk.step(100)
    assert kiosk.actions() == ["ducked", "paused"]
    kiosk.run(1500)
    finished = kiosk.got(wire.Finished)[0]
    assert finished.reason in ("played", "interrupted")
    assert not kiosk.playback.paused
    kiosk.turn(ms=200, turn="u")
    assert kiosk.got(wire.Finished)[-1].reason == "played"


def test_a_takeover_ends_it():
    kiosk = Kiosk(mode="pause")
    kiosk.turn()
    kiosk.start()
    kiosk.step(200)
    kiosk.say(wire.TakeFloor(), client=b"l")
    kiosk.step(200)
    finished = kiosk.got(wire.Finished)[0]
    assert (finished.reason, finished.barge_in_ms) == ("taken_over", None)
    kiosk.speak("agent", ms=300, client=b"l")
    written = len(kiosk.sink.pcm)
    kiosk.step(500)
    assert np.abs(kiosk.sink.pcm[written:].astype(int)).max() >= 7990
    assert kiosk.got(wire.Finished, b"l")[0].reason == "played"


def test_the_agent_on_the_floor_is_barged_into_and_others_may_not_decide():
    kiosk = Kiosk(mode="pause", window_ms=500)
    kiosk.say(wire.TakeFloor(), client=b"l")
    kiosk.speak("agent", ms=2000, client=b"l")
    kiosk.step(500)
    kiosk.start()
    kiosk.step(200)
    assert kiosk.actions(b"l") == ["ducked", "paused"]
    kiosk.say(wire.Resume())
    assert kiosk.errors() == ["floor_taken"]
    kiosk.run(600)
    assert kiosk.got(wire.Finished, b"l")[0].reason == "interrupted"


def test_a_client_that_left_is_interrupted_too():
    kiosk = Kiosk(mode="interrupt")
    kiosk.turn()
    kiosk.voice.left(b"a")
    kiosk.start()
    kiosk.step(300)
    assert kiosk.queue.turns == []
    assert kiosk.actions(b"l") == ["ducked", "interrupted"]


def test_a_clients_pause_outlasts_a_declined_barge_in_and_is_bounded_as_ever():
    kiosk = Kiosk(mode="pause", default="resume", window_ms=300, voice=VoiceConfig(max_pause_ms=1000))
    kiosk.turn(ms=1500)
    kiosk.start()
    kiosk.step(100)
    kiosk.say(wire.Pause())
    kiosk.step(500)
    assert kiosk.actions()[-1] == "resumed"
    assert kiosk.playback.paused
    kiosk.run(600)
    assert kiosk.got(wire.Resumed) == [wire.Resumed(why="pause_timeout")]
    kiosk.run(1500)
    assert kiosk.got(wire.Finished)[0].played_ms == 1500


def test_volume_of_a_client_multiplies_with_the_ducking():
    kiosk = Kiosk(mode="duck", duck_db=20)
    kiosk.say(wire.Volume(gain=0.5, fade_ms=0))
    kiosk.turn()
    kiosk.start()
    kiosk.step(50)
    written = len(kiosk.sink.pcm)
    kiosk.step(200)
    assert np.abs(kiosk.sink.pcm[written:].astype(int)).max() == pytest.approx(400, abs=3)
    kiosk.say(wire.Volume(gain=1.0, fade_ms=0))
    written = len(kiosk.sink.pcm)
    kiosk.step(200)
    assert np.abs(kiosk.sink.pcm[written + 1 :].astype(int)).max() == pytest.approx(800, abs=3)
    kiosk.stop(lasted_ms=400)
    kiosk.step(50)
    written = len(kiosk.sink.pcm)
    kiosk.step(200)
    assert np.abs(kiosk.sink.pcm[written:].astype(int)).max() >= 7990


@pytest.mark.parametrize(("default", "reason"), [("interrupt", "interrupted"), ("resume", "played")])
def test_an_ear_that_dies_in_a_pause_leaves_the_default(default, reason):
    kiosk = Kiosk(mode="pause", default=default, window_ms=8000)
    kiosk.turn(ms=1000, after_ms=400)
    kiosk.start()
    kiosk.step(5000)
    assert kiosk.actions() == ["ducked", "paused"]
    assert kiosk.got(wire.Ear, b"l")[-1].state == "absent"
    kiosk.step(5000)
    assert kiosk.got(wire.Finished)[0].reason == reason
    assert not kiosk.playback.paused


def test_an_ear_that_dies_while_it_is_ducked_makes_it_loud_again():
    kiosk = Kiosk(mode="duck")
    kiosk.turn(ms=9000, after_ms=400)
    kiosk.start()
    kiosk.step(4500)
    assert kiosk.actions() == ["ducked", "resumed"]
    written = len(kiosk.sink.pcm)
    kiosk.step(200)
    assert np.abs(kiosk.sink.pcm[written:].astype(int)).max() >= 7990


def test_another_ear_in_its_place_counts_as_one_that_died():
    kiosk = Kiosk(mode="duck")
    kiosk.turn()
    kiosk.start()
    kiosk.ear_health(pid=8)
    assert kiosk.actions() == ["ducked", "resumed"]


def test_muting_ends_what_only_ducks():
    kiosk = Kiosk(mode="duck")
    kiosk.turn()
    kiosk.start()
    kiosk.say(wire.Mute(), client=b"l")
    assert kiosk.actions() == ["ducked", "resumed"]
    kiosk.start()
    assert kiosk.actions() == ["ducked", "resumed"]


def test_a_stop_of_another_utterance_says_nothing():
    kiosk = Kiosk(mode="duck")
    kiosk.turn()
    kiosk.start()
    kiosk.hear(ear_bus.UserStopped(utterance=99, at_ns=kiosk.clock.now_ns(), started_ns=0, confidence=1.0))
    assert kiosk.actions() == ["ducked"]


def test_two_customers_one_after_the_other():
    kiosk = Kiosk(mode="pause", window_ms=3000)
    kiosk.turn()
    kiosk.start()
    kiosk.run(500)
    kiosk.stop(lasted_ms=400)
    assert kiosk.actions() == ["ducked", "paused"]
    kiosk.start()
    kiosk.say(wire.Resume())
    kiosk.run(300)
    assert kiosk.actions() == ["ducked", "paused", "resumed"]
    kiosk.stop(lasted_ms=200)
    kiosk.start(ago_ms=50)
    assert kiosk.actions()[-1] == "ducked"


def test_counters_tell_how_often():
    kiosk = Kiosk(mode="pause", window_ms=300)
    kiosk.turn()
    kiosk.start()
    kiosk.step(600)
    counted = {name: count for name, count in kiosk.counters.snapshot().items() if name.startswith("barge_ins_")}
    assert counted == {"barge_ins_ducked": 1, "barge_ins_paused": 1, "barge_ins_interrupted": 1}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_it_comes_to_an_end_and_leaves_nothing(seed):
    """Any mixture of utterances, decisions and turns: in the end nothing is ducked or paused, and turns are heard."""
    draw = np.random.default_rng(seed)
    mode = ("duck", "pause", "interrupt")[seed % 3]
    kiosk = Kiosk(mode=mode, window_ms=300, default=("resume", "interrupt")[seed % 2])
    for number in range(80):
        act = int(draw.integers(0, 9))
        if act <= 2:
            kiosk.speak(f"t{number}", ms=int(draw.integers(20, 700)))
        elif act == 3:
            kiosk.start(ago_ms=int(draw.integers(0, 300)))
        elif act == 4 and kiosk.utterance:
            kiosk.stop(lasted_ms=int(draw.integers(0, 500)))
        elif act == 5:
            kiosk.say(wire.Resume(), client=(b"a", b"l")[number % 2])
        elif act == 6:
            kiosk.say(wire.Interrupt() if number % 2 else wire.Pause())
        elif act == 7:
            kiosk.say(wire.Volume(gain=1.0))
        kiosk.ear_health()
        kiosk.step(int(draw.integers(1, 60)) * 5)
    kiosk.say(wire.Resume())
    if kiosk.utterance:
        kiosk.stop(lasted_ms=1000)
    kiosk.run(12_000)
    assert kiosk.queue.turns == []
    assert not kiosk.voice.barge_in
    assert not kiosk.playback.paused
    written = len(kiosk.sink.pcm)
    kiosk.turn(ms=300, turn="last", after_ms=600)
    heard = kiosk.sink.pcm[written:]
    first = int(np.flatnonzero(heard)[0]) - 1
    assert np.array_equal(heard[first : first + 4800], tone(300))


def test_a_start_that_an_ear_dates_into_the_future_counts_from_now():
    kiosk = Kiosk(mode="pause", min_speech_ms=200)
    kiosk.turn()
    kiosk.start(ago_ms=-2000)
    assert kiosk.actions() == ["ducked"]
    kiosk.step(250)
    assert kiosk.actions() == ["ducked", "paused"]


def test_a_barge_in_ends_a_pause_that_the_turns_client_has_set_meanwhile():
    kiosk = Kiosk(mode="interrupt", min_speech_ms=300)
    kiosk.turn()
    kiosk.start(ago_ms=50)
    kiosk.say(wire.Pause())
    kiosk.step(400)
    assert kiosk.actions() == ["ducked", "interrupted"]
    kiosk.speak("answer", ms=100)
    kiosk.step(300)
    assert [message.turn for message in kiosk.got(wire.Finished)] == ["t", "answer"]
    assert kiosk.got(wire.Resumed) == []


def test_the_end_of_an_earlier_sound_does_not_end_the_one_that_goes_on():
    kiosk = Kiosk(mode="duck")
    kiosk.turn()
    kiosk.start()
    kiosk.utterance = 7
    kiosk.stop(lasted_ms=300)
    assert kiosk.actions() == ["ducked"]
    assert kiosk.got(wire.UserStopped, b"l") == []
    kiosk.utterance = 1
    kiosk.stop(lasted_ms=300)
    assert kiosk.actions() == ["ducked", "resumed"]
    assert len(kiosk.got(wire.UserStopped, b"l")) == 1


def test_a_sound_is_as_long_as_the_ear_says_at_its_end():
    """It may have found out meanwhile that the sound began earlier."""
    kiosk = Kiosk(mode="pause", min_speech_ms=200, window_ms=2000)
    kiosk.turn()
    kiosk.start()
    kiosk.step(150)
    assert kiosk.actions() == ["ducked", "paused"]
    kiosk.started_ns -= 300 * MS
    kiosk.stop(lasted_ms=350)  # 50 ms from the start that was told
    assert kiosk.actions() == ["ducked", "paused"]


def test_resume_declines_what_is_only_ducked():
    kiosk = Kiosk(mode="duck")
    kiosk.turn(ms=2000)
    kiosk.start()
    kiosk.step(200)
    assert kiosk.actions() == ["ducked"]
    kiosk.say(wire.Resume(), client=b"l")
    kiosk.step(5)
    assert kiosk.actions() == ["ducked", "resumed"]


@pytest.mark.parametrize("after", ["stopped", "resume", "ear lost"])
def test_what_was_interrupted_is_not_resumed_by_what_comes_in_the_same_moment(after):
    kiosk = Kiosk(mode="interrupt", min_speech_ms=150)
    kiosk.turn()
    kiosk.start(ago_ms=200)
    assert kiosk.actions() == ["ducked", "interrupted"]
    if after == "stopped":
        kiosk.stop(lasted_ms=100)
    elif after == "resume":
        kiosk.say(wire.Resume())
    else:
        kiosk.voice.ear._hush()
    assert not kiosk.voice.barge_in
    kiosk.run(500)
    assert kiosk.actions() == ["ducked", "interrupted"]
    assert [done.reason for done in kiosk.got(wire.Finished)] == ["interrupted"]


def test_an_agent_that_takes_the_floor_for_its_own_turn_ends_the_pause_of_the_customer():
    kiosk = Kiosk(mode="pause", window_ms=5000, default="interrupt")
    kiosk.speak("mine", ms=3000, client=b"l")
    kiosk.step(500)
    kiosk.start()
    kiosk.run(200)
    assert kiosk.actions(b"l") == ["ducked", "paused"]
    kiosk.say(wire.TakeFloor(), client=b"l")
    kiosk.step(10)
    assert kiosk.actions(b"l") == ["ducked", "paused", "resumed"]
    assert not kiosk.voice.barge_in
    written = len(kiosk.sink.pcm)
    kiosk.run(6000)
    assert kiosk.actions(b"l") == ["ducked", "paused", "resumed"]
    assert [(done.reason, done.played_ms) for done in kiosk.got(wire.Finished, b"l")] == [("played", 3000)]
    assert np.abs(kiosk.sink.pcm[written + FADE :].astype(int)).max() > 7990
