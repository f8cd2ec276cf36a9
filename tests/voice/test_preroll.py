"""When a turn may open, decision by decision."""

import numpy as np
import pytest

from mien.config import PlaybackConfig
from mien.core import wire
from mien.units import NS_PER_MS
from mien.voice.preroll import FACE_TIMEOUT_NS, Preroll
from mien.voice.turn import Turn
from mien.voice.turn_queue import receive
from rigs.voice_rig import VoiceRig

NOW_NS = 10**12
EPOCH = 5


def turn_of(ms, *, ended=False, start_ms=0):
    turn = Turn(name="t", owner=b"a", rate_hz=16000, sink_rate_hz=16000, now_ns=NOW_NS)
    turn.playout.start_frame = None if start_ms is None else 16 * start_ms
    receive(turn, np.zeros(16 * ms, np.int16), NOW_NS)
    if ended:
        turn.end()
    return turn


def gate_with(*, face=True, ready_ms=None, epoch=EPOCH):
    preroll = Preroll(PlaybackConfig(preroll_ms=120, motion_lead_ms=20))
    preroll.renew(EPOCH)
    if face:
        preroll.note_seen(NOW_NS)
    if ready_ms is not None:
        preroll.note_ready(epoch, ready_ms * NS_PER_MS, NOW_NS)
    return preroll


def opens(preroll, turn, *, waited_ms=0.0):
    return preroll.may_open(turn, NOW_NS - round(waited_ms * NS_PER_MS), NOW_NS)


@pytest.mark.parametrize(
    ("ms", "ended", "may"), [(0, True, True), (0, False, False), (19, False, False), (20, False, True), (1, True, True)]
)
def test_without_a_face_a_turn_opens_with_20_ms_in_hand_or_at_its_end(ms, ended, may):
    assert opens(gate_with(face=False), turn_of(ms, ended=ended)) is may


@pytest.mark.parametrize(("waited_ms", "may"), [(0, False), (119.999, False), (120, True), (500, True)])
def test_nothing_waits_longer_than_the_preroll(waited_ms, may):
    assert opens(gate_with(), turn_of(200), waited_ms=waited_ms) is may
    assert opens(gate_with(), turn_of(5), waited_ms=waited_ms) is may


def test_a_turn_that_has_no_sound_yet_does_not_open_however_long_it_waited():
    assert not opens(gate_with(), turn_of(0), waited_ms=1000)


@pytest.mark.parametrize(
    ("start_ms", "ready_ms", "may"),
    [(0, 19, False), (0, 20, True), (1000, 1019, False), (1000, 1020, True), (None, 5000, False)],
)
def test_motion_has_to_be_ahead_of_the_turn(start_ms, ready_ms, may):
    assert opens(gate_with(ready_ms=ready_ms), turn_of(200, start_ms=start_ms)) is may


@pytest.mark.parametrize(("ms", "ready_ms", "may"), [(10, 9, False), (10, 10, True), (200, 19, False), (200, 20, True)])
def test_of_a_short_turn_that_is_whole_motion_is_needed_to_its_end(ms, ready_ms, may):
    assert opens(gate_with(ready_ms=ready_ms), turn_of(ms, ended=True)) is may


@pytest.mark.parametrize(("age_ns", "there"), [(0, True), (FACE_TIMEOUT_NS - 1, True), (FACE_TIMEOUT_NS, False)])
def test_a_face_that_says_nothing_for_long_is_not_waited_for(age_ns, there):
    preroll = gate_with(face=False)
    assert not preroll.present(NOW_NS)
    preroll.note_seen(NOW_NS - age_ns)
    assert preroll.present(NOW_NS) is there
    assert opens(preroll, turn_of(200)) is not there


@pytest.mark.parametrize("epoch", [EPOCH - 1, EPOCH + 1, 2**64 - 1, -1])
def test_what_is_told_of_an_epoch_that_the_voice_is_not_in_counts_for_nothing(epoch):
    preroll = gate_with(face=False, ready_ms=5000, epoch=epoch)
    assert preroll.present(NOW_NS)  # it is a sign of life
    assert not opens(preroll, turn_of(200))
    preroll.note_ready(EPOCH, 20 * NS_PER_MS, NOW_NS)
    assert opens(preroll, turn_of(200))


def test_a_new_epoch_makes_what_was_ready_worthless():
    preroll = gate_with(ready_ms=5000)
    preroll.renew(EPOCH + 1)
    assert not opens(preroll, turn_of(200))


def test_a_report_from_nowhere_costs_no_later_turn_its_preroll():
    rig = VoiceRig(preroll_ms=500)
    rig.hello()
    rig.preroll.note_ready(2**64 - 1, 0, rig.clock.now_ns())
    for number in range(3):
        rig.speak(f"t{number}", ms=100)
        rig.preroll.note_ready(rig.playback.epoch, 10**10, rig.clock.now_ns())
        rig.step(300)
        rig.say(wire.Interrupt())
        rig.step(20)
    assert [started.latency_ms <= 30 for started in rig.got(wire.Started)] == [True] * 3


@pytest.mark.parametrize(("ms", "opens_now"), [(10, False), (30, True)])
def test_the_reserve_is_counted_at_the_rate_of_the_device(ms, opens_now):
    rig = VoiceRig(rate_hz=48000)
    rig.hello(rate_hz=8000)
    rig.step(50)
    rig.audio(pcm=np.ones(8 * ms, np.int16))
    rig.step(60)
    assert bool(rig.got(wire.Started)) is opens_now
