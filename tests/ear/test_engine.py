"""The whole ear by hand: what the voice and the meters are told, and the states with their remedies."""

import os
import tracemalloc

import numpy as np
import pytest

from mien.core import ear_bus
from mien.core.ear_bus import EarHealth, EarLevels, EarOrders
from mien.errors import BusError, CaptureError
from mien.host.evdev import EV_KEY, EVENT, KEY_MICMUTE
from rigs.ear_rig import EarRig, MadeCapture


def test_health_comes_once_a_second_with_its_figures():
    rig = EarRig()
    rig.run_ms(5000)
    assert 5 <= len(rig.told(EarHealth)) <= 7
    health = rig.health
    assert (health.pid, health.state, health.why) == (os.getpid(), "ok", "")
    assert (health.erle_db, health.delay_ms, health.pss_mb) == (31.5, 12.25, 42.0)


def test_levels_are_those_of_the_sound_since_the_last_report():
    loud = [True]

    def sound(_first, count):
        return np.full(count, 16384 if loud[0] else 0)

    rig = EarRig(opener=lambda _, clock: MadeCapture(clock, 16000, sound=sound))
    rig.run_ms(2000)
    assert rig.health.level_dbfs == pytest.approx(-6.0, abs=0.1)
    loud[0] = False
    rig.run_ms(2500)
    assert rig.health.level_dbfs == -100


def test_meters_get_levels_ten_times_a_second_and_all_events():
    rig = EarRig(rate_hz=16000)
    rig.run_ms(400)
    rig.far_end(np.full(320, 3277, np.int16))
    rig.start_speech()
    rig.run_ms(600)
    levels = [message for message in rig.meters if isinstance(message, EarLevels)]
    assert len(levels) == pytest.approx(10, abs=1)
    assert max(message.far_dbfs for message in levels) == pytest.approx(-20, abs=0.1)
    assert [message.speech for message in levels][-1] is True
    kinds = {type(message).__name__ for message in rig.meters}
    assert kinds == {"EarLevels", "EarHealth", "UserStarted"}


def test_meters_get_no_sound():
    rig = EarRig()
    rig.order("s16le", always=True)
    rig.run_ms(1000)
    assert rig.heard
    assert not any(isinstance(message, ear_bus.NearEnd) for message in rig.meters)


def test_muted_the_meters_see_silence():
    rig = EarRig(muted=True)
    rig.start_speech()
    rig.run_ms(1000)
    levels = [message for message in rig.meters if isinstance(message, EarLevels)]
    assert {(message.level_dbfs, message.peak_dbfs, message.clean_dbfs, message.speech) for message in levels} == {
        (-100, -100, -100, False)
    }


@pytest.mark.parametrize("state", ["no_echo_reference", "silent", "clipping", "loopback"])
def test_the_pipeline_s_states_are_told_at_once_with_their_remedy(state):
    rig = EarRig()
    rig.run_ms(1100)
    before = len(rig.told(EarHealth))
    rig.pipeline.state, rig.pipeline.why = state, f"remedy of {state}"
    rig.run_ms(40)
    assert len(rig.told(EarHealth)) == before + 1
    assert (rig.health.state, rig.health.why) == (state, f"remedy of {state}")
    assert rig.engine.status == f"{state}: remedy of {state}"
    assert rig.engine.state == state


def test_a_card_that_is_missing_at_the_start_is_a_state_and_no_failure():
    missing = [True]

    def opener(_config, clock):
        if missing:
            raise CaptureError("hw:7: cannot be opened (No such device); `mien ear cards` lists the devices")
        return MadeCapture(clock)

    rig = EarRig(opener=opener)
    rig.run_ms(1000)
    assert rig.health.state == "no_card"
    assert "`mien ear cards`" in rig.health.why
    missing.clear()
    rig.run_ms(3000)
    assert (rig.health.state, rig.health.why) == ("ok", "")


def test_a_card_that_is_unplugged_is_told_at_once_and_comes_back():
    rig = EarRig(rate_hz=16000)
    rig.run_ms(1000)
    rig.cards[0].fails = "hw:1: the device is gone (No such device)"
    rig.run_ms(40)
    assert (rig.health.state, rig.health.why) == ("no_card", "hw:1: the device is gone (No such device)")
    rig.run_ms(3000)
    assert rig.health.state == "ok"
    assert len(rig.cards) == 2
    assert rig.pipeline.gaps == 1
    assert rig.pipeline.abandoned > 0, "speech that continues on the next card would start no utterance"


def test_muted_weighs_more_than_any_other_state():
    rig = EarRig()
    rig.pipeline.state = "clipping"
    rig.order(muted=True)
    rig.run_ms(100)
    assert rig.engine.state == "muted"
    rig.order()
    rig.run_ms(40)
    assert rig.engine.state == "clipping"


def test_lost_sound_is_told_to_the_pipeline_and_counted():
    rig = EarRig(rate_hz=16000)
    rig.run_ms(1000)
    rig.cards[0].lose(400)
    rig.run_ms(1100)
    assert rig.pipeline.gaps == 1
    assert rig.health.counters["capture_overruns"] == 1
    assert rig.health.counters["capture_lost_ms"] == pytest.approx(400, abs=30)


def test_the_far_end_reaches_the_pipeline_as_it_was_heard():
    rig = EarRig()
    pcm = np.arange(320, dtype=np.int16)
    rig.far_end(pcm, stream=3, offset=640, at_ns=77)
    rig.far_end(stream=3, offset=960, frames=1600, at_ns=88)
    (first, sound), (second, silence) = rig.pipeline.far
    assert (first.stream, first.offset, first.frames, first.at_ns) == (3, 640, 320, 77)
    assert np.array_equal(sound, pcm)
    assert (second.frames, second.silent, silence) == (1600, True, None)


@pytest.mark.parametrize("payload", [b"", bytes(638), bytes(1280)])
def test_a_far_end_of_another_length_is_refused(payload):
    rig = EarRig()
    with pytest.raises(BusError, match="without a payload frame of that length"):
        rig.far_end(frames=320, payload=payload)


def test_a_voice_of_another_release_is_refused():
    rig = EarRig()
    with pytest.raises(BusError, match="install mien-voice and mien-ear from one release"):
        rig.engine.take([b"\x63" + ear_bus.encode(EarOrders())[1:]])


def test_the_mute_of_a_voice_that_is_gone_ends_with_it():
    rig = EarRig()
    rig.order(muted=True)
    rig.run_ms(1000)
    assert rig.engine.state == "muted"
    assert rig.pipeline.voice_runs
    rig.run_ms(3000)
    assert rig.engine.state == "ok"
    assert not rig.pipeline.voice_runs  # so that the far end that does not come is nothing to complain about
    rig.order()
    assert rig.pipeline.voice_runs


def test_closing_ends_an_utterance_and_closes_the_card():
    rig = EarRig()
    rig.run_ms(100)
    rig.start_speech()
    rig.run_ms(100)
    rig.engine.close()
    assert len(rig.told(ear_bus.UserStopped)) == 1
    assert rig.cards[0].closed


def test_a_tap_is_shown_raw_and_clean_sound():
    rig = EarRig(rate_hz=16000)
    seen = []
    rig.engine._tap = lambda block, cleaned: seen.append((block.seq, len(block.pcm), len(cleaned.pcm)))
    rig.run_ms(1000)
    assert seen == [(seq, 320, 320) for seq in range(len(seen))]
    assert len(seen) > 45
    assert rig.health.recording  # the face must show it


def test_without_a_tap_nothing_is_recorded():
    rig = EarRig()
    rig.run_ms(100)
    assert not rig.health.recording


def test_a_mute_key_that_cannot_be_read_is_told_though_the_ear_works(tmp_path):
    rig = EarRig(mute_key=str(tmp_path / "event7"))
    rig.run_ms(1100)
    assert rig.health.state == "ok"
    assert f"the mute key does not work: ear.mute_key: {tmp_path}/event7: cannot be read" in rig.health.why
    rig.order(muted=True)
    rig.run_ms(40)
    assert (rig.health.state, rig.health.why) == ("muted", "by a client")


def test_the_mute_key_mutes_and_unmutes(tmp_path):
    path = tmp_path / "event0"
    os.mkfifo(path)
    device = os.open(path, os.O_RDWR)
    rig = EarRig(mute_key=str(path))
    rig.order("s16le", always=True)
    rig.run_ms(500)
    states = []
    for _ in range(2):
        os.write(device, EVENT.pack(1, 2, EV_KEY, KEY_MICMUTE, 1))
        rig.run_ms(100)
        states.append((rig.engine.state, rig.health.why))
    assert states == [("muted", "by the mute key; press it again"), ("ok", "")]
    rig.engine.close()
    os.close(device)


def test_memory_stays_flat():
    rig = EarRig(rate_hz=16000)
    tracemalloc.start()
    rig.order("s16le", always=True)
    sizes = []
    for _ in range(3):
        for _ in range(10):
            rig.order("s16le", always=True)
            rig.run_ms(2000)
            rig.reports.clear()
            rig.meters.clear()
            rig.pipeline.near_ns.clear()
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[2] - sizes[1] < 20_000


def test_a_block_waits_until_the_voice_has_told_what_was_played():
    rig = EarRig()
    rig.run_ms(1000)
    rig.pipeline.far_until_ns = rig.clock.now_ns()
    seen = len(rig.pipeline.near_ns)
    rig.run_ms(50)
    assert len(rig.pipeline.near_ns) <= seen + 1
    rig.pipeline.far_until_ns = None
    rig.run_ms(20)
    steps = np.diff(rig.pipeline.near_ns)
    assert rig.pipeline.near_ns[-1] > rig.clock.now_ns() - 50_000_000
    assert set(steps.tolist()) == {20_000_000}, "each block once, in order"


def test_a_voice_that_tells_nothing_more_delays_the_ear_by_60_ms_and_no_longer():
    rig = EarRig()
    rig.run_ms(1000)
    rig.pipeline.far_until_ns = 0
    rig.run_ms(500)
    age_ms = (rig.clock.now_ns() - rig.pipeline.near_ns[-1]) / 1e6
    assert 60 <= age_ms <= 120
