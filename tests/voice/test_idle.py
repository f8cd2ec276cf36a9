"""What an idle voice costs, and what becomes of a device that nobody needs."""

import pytest

from mien.core import ear_bus, wire
from mien.errors import SinkError
from mien.voice.sinks import IdleRelease
from rigs.card_sink import CardSink
from rigs.stepped_service import stepped_service
from rigs.voice_rig import RecordingSink, VoiceRig, tone

S = 10**9


class Devices:
    """Opens cards, remembers them, and refuses while `broken`."""

    def __init__(self, **traits):
        self.opened, self.broken, self._traits = [], False, traits

    def __call__(self, config, clock):
        if self.broken:
            raise SinkError("no card")
        self.opened.append(CardSink(clock, config.rate_hz, config.rate_hz // 20, **self._traits))
        return self.opened[-1]

    @property
    def card(self):
        return self.opened[-1]

    @property
    def closed(self):
        return [card._closed for card in self.opened]


def speak(rig, turn="t", ms=200):
    rig.say(wire.Audio(turn=turn, seq=0), tone(ms).tobytes())
    rig.say(wire.End(turn=turn))


@pytest.mark.parametrize("latency_ms", [0, 60, -30])
@pytest.mark.parametrize("traits", [{"step_ms": 1, "period_ms": 1}, {"step_ms": 10}], ids=["fine", "coarse"])
def test_an_idle_voice_wakes_at_most_60_times_a_second_and_its_device_never_runs_dry(tmp_path, traits, latency_ms):
    devices = Devices(**traits)
    with stepped_service(tmp_path, opener=devices, output_latency_ms=latency_ms) as rig:
        rig.run_ms(500)
        rig.run_ms(10_000)
        assert len(rig.waits) <= 600
        assert devices.card.underruns == 0


def test_a_deeper_device_lets_it_sleep_longer_but_not_for_ever(tmp_path):
    with stepped_service(
        tmp_path, opener=lambda config, clock: RecordingSink(clock, config.rate_hz, 16000), buffer_ms=500
    ) as rig:
        rig.run_ms(500)
        rig.run_ms(10_000)
        assert 95 <= len(rig.waits) <= 105


def test_while_there_is_speech_it_steps_every_5_ms(tmp_path):
    with stepped_service(tmp_path, opener=Devices()) as rig:
        rig.say(wire.Hello(protocol=1))
        rig.run_ms(100)
        speak(rig, ms=500)
        rig.run_ms(400)
        assert set(rig.waits) == {5}
        rig.say(wire.Pause())
        rig.run_ms(100)
        rig.run_ms(1000)
        assert len(rig.waits) <= 60
        rig.say(wire.Resume())
        rig.run_ms(500)
        assert rig.got(wire.Finished)[0].played_ms == 500.0


def test_levels_and_a_thumbnail_that_does_not_come_are_told_in_time_while_nobody_speaks(tmp_path):
    with stepped_service(tmp_path, opener=Devices()) as rig:
        rig.say(wire.Hello(protocol=1, role="observer"))
        rig.say(wire.Subscribe(topics=("levels",)))
        rig.run_ms(2000)
        assert 18 <= len(rig.got(wire.Levels)) <= 21
        rig.say(wire.Subscribe(topics=()))
        rig.say(wire.GetThumbnail(width=64))
        rig.run_ms(2100)
        assert [error.code for error in rig.got(wire.Error)] == ["no_thumbnail"]


def test_a_client_that_is_held_back_does_not_wait_for_the_next_round_of_an_idle_voice(tmp_path, monkeypatch):
    with stepped_service(tmp_path, opener=Devices()) as rig:
        router, rounds = rig.service._router, []
        monkeypatch.setattr(router, "step", lambda: rounds.append(rig.clock.now_ns()))
        rig.run_ms(1000)
        assert 4 <= len(rounds) <= 6
        rounds.clear()
        monkeypatch.setattr(type(router), "holding_back", True)
        rig.run_ms(1000)
        assert len(rounds) == len(rig.waits)


@pytest.mark.parametrize("asleep_ms", [0, 3, 7, 12, 17])
def test_first_sound_waits_for_no_more_than_the_filler_in_the_device(tmp_path, asleep_ms):
    with stepped_service(tmp_path, opener=Devices(step_ms=1, period_ms=1)) as rig:
        rig.say(wire.Hello(protocol=1))
        rig.run_ms(200)
        while rig.waits[-1] < 15:
            rig.run_ms(1)
        rig.clock.advance_ms(asleep_ms)
        speak(rig)
        rig.run_ms(300)
        assert rig.got(wire.Started)[0].latency_ms <= 26


@pytest.mark.parametrize(
    ("idle_s", "age_ns", "wanted"), [(0, 10**6 * S, True), (60, 60 * S - 1, True), (60, 60 * S, False)]
)
def test_when_a_device_is_wanted(idle_s, age_ns, wanted):
    release = IdleRelease(idle_s, 5)
    assert release.wants_device(5 + age_ns, busy=False, sign=None) is wanted


def test_speech_and_every_sign_of_it_want_the_device_again():
    release = IdleRelease(60, 0)
    assert release.wants_device(100 * S, busy=True, sign="idle")
    assert release.wants_device(159 * S, busy=False, sign="idle")
    assert not release.wants_device(160 * S, busy=False, sign="idle")
    assert release.wants_device(161 * S, busy=False, sign="listening")
    assert release.wants_device(220 * S, busy=False, sign="listening")
    assert not release.wants_device(221 * S, busy=False, sign="listening")


def test_a_silent_device_is_let_go_and_the_voice_sleeps_and_says_so(tmp_path):
    devices = Devices()
    with stepped_service(tmp_path, opener=devices, idle_release_s=5) as rig:
        rig.run_ms(4900)
        assert devices.closed == [False]
        rig.run_ms(300)
        assert devices.closed == [True]
        rig.run_ms(10_000)
        assert len(rig.waits) <= 101
        assert devices.closed == [True]
        assert [report["device"] for report in rig.health[:3]] == ["open"] * 3
        assert rig.health[-1]["device"] == "released"
        assert {report["level"] for report in rig.health} == {"audio_only"}
        assert rig.got(wire.LevelChanged) == []


def test_a_turn_wakes_the_device_and_is_heard_whole_behind_the_silence_that_wakes_the_screen(tmp_path):
    devices = Devices(step_ms=1, period_ms=1)
    with stepped_service(tmp_path, opener=devices, idle_release_s=5, wake_ms=250) as rig:
        rig.say(wire.Hello(protocol=1))
        rig.run_ms(8000)
        asked_ns = rig.clock.now_ns()
        speak(rig)
        assert devices.closed == [True, False]
        rig.run_ms(1000)
        begun = next(at for at, sample in enumerate(devices.card.pcm) if sample) - 1
        assert begun == 16 * 250
        assert list(devices.card.pcm[begun : begun + 3200]) == list(tone(200))
        heard_ms = (devices.card.heard_at_ns(begun) - asked_ns) / 1e6
        assert rig.got(wire.Started)[0].latency_ms == pytest.approx(heard_ms, abs=2)
        assert [(m.played_ms, m.reason) for m in rig.got(wire.Finished)] == [(200.0, "played")]
        assert rig.health[-1]["device"] == "open"


def test_a_sign_of_coming_speech_wakes_it_in_time(tmp_path):
    devices = Devices(step_ms=1, period_ms=1)
    with stepped_service(tmp_path, opener=devices, idle_release_s=5, wake_ms=250) as rig:
        rig.say(wire.Hello(protocol=1))
        rig.run_ms(8000)
        rig.say(wire.State(state="listening"))
        assert devices.closed == [True, False]
        rig.run_ms(400)
        speak(rig)
        rig.run_ms(300)
        assert rig.got(wire.Started)[0].latency_ms <= 26
        rig.run_ms(6000)
        assert devices.closed == [True, True]


def test_a_device_that_does_not_come_back_is_lost_and_not_let_go(tmp_path):
    devices = Devices()
    with stepped_service(tmp_path, opener=devices, idle_release_s=5) as rig:
        rig.say(wire.Hello(protocol=1))
        rig.run_ms(8000)
        devices.broken = True
        speak(rig)
        rig.run_ms(1100)
        assert [(m.played_ms, m.reason) for m in rig.got(wire.Finished)] == [(0.0, "sink_lost")]
        assert [m.new for m in rig.got(wire.LevelChanged)] == ["silent"]
        assert rig.health[-1]["device"] == "lost"
        devices.broken = False
        rig.run_ms(3000)
        assert [m.new for m in rig.got(wire.LevelChanged)] == ["silent", "audio_only"]
        rig.run_ms(7000)
        assert rig.health[-1]["device"] == "released"


def test_a_file_is_never_let_go_because_it_would_begin_anew(tmp_path):
    with stepped_service(
        tmp_path, opener=Devices(), sink="wav", wav_path=str(tmp_path / "x.wav"), idle_release_s=1
    ) as rig:
        rig.run_ms(5000)
        assert rig.health[-1]["device"] == "open"


def test_by_default_it_is_never_let_go(tmp_path):
    devices = Devices()
    with stepped_service(tmp_path, opener=devices) as rig:
        rig.run_ms(3000)
        rig.clock.advance_ms(3_600_000)
        rig.run_ms(1000)
        assert devices.closed == [False]


def test_a_turn_without_sound_is_over_though_the_device_was_let_go():
    rig = VoiceRig()
    rig.hello()
    rig.step(100)
    rig.playback.release()
    rig.say(wire.End(turn="t"))
    rig.step(50)
    assert rig.got(wire.Finished)[0].reason == "played"
    assert rig.playback.anchor().phase == "idle"


def test_an_ear_that_nobody_listens_to_wakes_an_idle_voice_no_more_often(tmp_path):
    """But for its own report once a second. It gets the far end all the same."""
    devices = Devices()
    health = ear_bus.EarHealth(pid=7, state="ok", why="", level_dbfs=-40.0, clean_dbfs=-40.0, counters={})
    with stepped_service(tmp_path, opener=devices) as rig:
        far = []
        rig.service._engine.ear._publish = far.append
        rig.run_ms(500)
        waits = 0
        for _ in range(10):
            rig.service._engine.hear([ear_bus.encode(health)])
            rig.run_ms(1000)
            waits += len(rig.waits)
        assert waits <= 610
        assert devices.card.underruns == 0
        told = [ear_bus.decode_from_voice(frames[0]) for frames in far]
        frames = sum(message.frames for message in told if isinstance(message, ear_bus.FarEnd))
        assert 9.9 * 16000 <= frames <= 10.1 * 16000
        assert sum(isinstance(message, ear_bus.EarOrders) for message in told) == 11


def test_without_an_ear_its_bus_has_one_message_a_second(tmp_path):
    with stepped_service(tmp_path, opener=Devices()) as rig:
        told = []
        rig.service._engine.ear._publish = told.append
        rig.run_ms(10_000)
        assert 9 <= len(told) <= 11
        assert {type(ear_bus.decode_from_voice(frames[0])) for frames in told} == {ear_bus.EarOrders}
