"""The signal path as a whole: the kiosk starts nothing, a customer does, and each bad input has its name."""

import numpy as np
import pytest

from ear.ear_signals import (
    BLOCK_NS,
    RATE_HZ,
    START_NS,
    Scene,
    babble,
    hiss,
    level_db,
    pcm,
    room,
    seconds,
    through,
)
from mien.config import EarConfig
from mien.core.ear_bus import UserStarted, UserStopped
from mien.ear.pipeline import Pipeline

ROOM = room(seed=3)


def scene(**chosen):
    return Scene(Pipeline(EarConfig(**chosen)))


def kiosk(length_s, seed=11):
    """What is played and what the microphone hears of it."""
    far = babble(length_s, pitch_hz=105, seed=seed) * 0.8
    return far, through(far, ROOM) * 0.15 + hiss(length_s)


def test_the_kiosks_own_speech_is_removed_and_starts_nothing():
    far, near = kiosk(10)
    run = scene().run(near, far)
    assert not run.events
    assert set(run.states) == {"ok"}
    tail = slice(5 * RATE_HZ, None)
    assert level_db(np.rint(near * 32767)[tail]) - level_db(run.sound[tail]) > 33
    figures = run.ear.figures
    assert figures.erle_db > 20
    assert figures.delay_ms == pytest.approx(20 / 16, abs=0.3)
    assert figures.far_missing_frames < 320  # the far end ends with the scene, and is read a little early
    assert figures.far_jumps == 0
    assert (figures.far_streams, figures.gaps) == (1, 0)


@pytest.mark.parametrize("delay_ms", [100.0, -100.0])
def test_a_wrong_delay_is_corrected(delay_ms):
    far, near = kiosk(10)
    run = scene(delay_ms=delay_ms).run(near, far)
    tail = slice(6 * RATE_HZ, None)
    assert level_db(np.rint(near * 32767)[tail]) - level_db(run.sound[tail]) > 30
    assert run.ear.figures.delay_ms == pytest.approx(20 / 16, abs=0.3)


def test_a_customer_alone_is_dated_and_passes():
    near = hiss(4)
    near[RATE_HZ : 2 * RATE_HZ + 8000] += babble(1.5, pitch_hz=190, seed=3) * 0.3
    run = scene().run(near)
    started, stopped = run.events
    assert isinstance(started, UserStarted)
    assert isinstance(stopped, UserStopped)
    assert seconds(started.at_ns) == pytest.approx(1.0, abs=0.03)
    assert seconds(stopped.at_ns) == pytest.approx(2.5, abs=0.08)
    assert run.known_s[0] - 1.0 < 0.18
    assert 0.5 <= started.confidence <= 1
    speech = slice(RATE_HZ, 2 * RATE_HZ)
    assert abs(level_db(np.rint(near * 32767)[speech]) - level_db(run.sound[speech])) < 2


def test_a_customer_who_speaks_over_the_kiosk_is_found_in_time():
    far, near = kiosk(12)
    near[9 * RATE_HZ : 11 * RATE_HZ] += babble(2, pitch_hz=200, seed=8) * 0.3
    run = scene().run(near, far)
    assert isinstance(run.events[0], UserStarted)
    assert seconds(run.events[0].at_ns) == pytest.approx(9.0, abs=0.06)
    assert run.known_s[0] - 9.0 < 0.18


def test_the_cleaned_sound_is_dated_without_the_cancellers_latency():
    run = scene().run(hiss(0.2))
    assert START_NS + 9 * 20_000_000 - run.last.at_ns == 14_000_000  # 224 frames
    assert run.last.pcm.shape == (320,)
    plain = scene(echo_cancellation=False, noise_suppression="off").run(hiss(0.2))
    assert plain.last.at_ns == START_NS + 9 * 20_000_000


def test_a_voice_that_never_played_is_no_missing_reference():
    assert set(scene().run(hiss(2)).states) == {"ok"}


def test_a_reference_that_stops_has_its_state_and_starts_nothing():
    far, near = kiosk(3)
    run = scene().run(near, far)
    run.run(babble(2, pitch_hz=190, seed=2) * 0.3)
    assert set(run.states[161:]) == {"no_echo_reference"}
    assert "mien-voice" in run.last.why
    assert not run.events
    run.ear.voice_runs = False  # then nothing plays
    assert run.run(hiss(0.1)).last.state == "ok"
    run.ear.voice_runs = True
    back, near = kiosk(1, seed=12)
    run.stream = 2
    assert run.run(near, back).states[-1] == "ok"


def test_after_the_reference_is_back_it_is_aligned_again():
    far, near = kiosk(4)
    run = scene().run(near, far)
    run.run(hiss(3))
    far, near = kiosk(5, seed=13)
    run.run(near, far)
    tail = slice(-2 * RATE_HZ, None)
    assert level_db(np.rint(near * 32767)[tail]) - level_db(run.sound[tail]) > 30
    assert not run.events


def test_captured_sound_that_was_lost_is_a_gap_and_the_echo_stays_removed():
    far, near = kiosk(12)
    run = scene()
    half = 7 * RATE_HZ // 320 * 320
    lost = 25 * 320
    run.run(near[:half], far[:half])
    run.ear.gap()
    for at in range(half, half + lost, 320):  # the voice goes on while nothing is captured
        run.send(np.rint(far[at : at + 320] * 32767).astype(np.int16))
    run.number += lost // 320
    run.run(near[half + lost :], far[half + lost :])
    tail = slice(-2 * RATE_HZ, None)
    assert level_db(np.rint(near * 32767)[tail]) - level_db(run.sound[tail]) > 30
    assert run.ear.figures.gaps == 1
    assert not run.events


def test_abandoning_ends_a_running_utterance():
    near = hiss(2)
    near[RATE_HZ:] += babble(1, pitch_hz=190, seed=3) * 0.3
    run = scene().run(near)
    (stopped,) = run.ear.abandon()
    assert stopped.utterance == run.events[-1].utterance == 1
    assert seconds(stopped.at_ns) == pytest.approx(2.0, abs=0.06)
    assert run.ear.abandon() == ()


def test_a_silent_microphone():
    run = scene().run(np.zeros(3 * RATE_HZ))
    assert run.states[-1] == "silent"
    assert "alsamixer" in run.last.why
    assert run.ear.figures.level_dbfs == -100


def test_a_clipping_microphone():
    run = scene().run(np.clip(babble(3) * 4, -1, 1))
    assert run.states[-1] == "clipping"
    assert run.ear.figures.peak >= 0.999


def test_a_loopback_is_named_and_starts_nothing():
    far = babble(8, seed=6) * 0.5
    run = scene().run(np.roll(far, 500), far)
    assert run.states[-1] == "loopback"
    assert "mien ear cards" in run.last.why
    assert not run.events


def test_the_same_sound_gives_the_same_samples():
    far, near = kiosk(3)
    first, second = (scene().run(near, far).sound for _ in range(2))
    assert np.array_equal(first, second)


def test_the_ear_knows_which_blocks_lack_the_far_end():
    far, near = kiosk(3)
    run = scene()
    for number in range(100):
        run.send(pcm(far[number * 320 : number * 320 + 320]))
        if number:
            run.ear.process(pcm(near[number * 320 - 320 : number * 320]), START_NS + (number - 1) * BLOCK_NS)
    assert run.ear.lacks(START_NS + 99 * BLOCK_NS), "8 ms early and the filter's reach: the next block is needed, too"
    run.send(pcm(far[32000:32320]))
    assert not run.ear.lacks(START_NS + 99 * BLOCK_NS)


def test_a_dead_voice_lacks_nothing():
    far, near = kiosk(1)
    run = scene()
    run.send(pcm(far[:320]))
    run.ear.process(pcm(near[:320]), START_NS)
    assert run.ear.lacks(START_NS + BLOCK_NS)
    run.ear.voice_runs = False
    assert not run.ear.lacks(START_NS + BLOCK_NS)


def test_a_delay_that_makes_every_block_wait_is_wrong_and_mended():
    run = scene(delay_ms=-30.0)
    far, _ = kiosk(4)
    near = through(far, ROOM) * 0.15 + hiss(4)
    waits = []
    for number in range(190):
        run.send(pcm(far[number * 320 : number * 320 + 320]))
        if number:
            at_ns = START_NS + (number - 1) * BLOCK_NS
            waits.append(run.ear.lacks(at_ns))
            run.ear.process(pcm(near[number * 320 - 320 : number * 320]), at_ns)
    assert all(waits[1:10])
    assert not any(waits[-60:])


@pytest.mark.parametrize(("late_blocks", "known_after_s"), [(0, 0.0), (4, 0.22)])
def test_while_the_canceller_remembers_a_hole_in_the_far_end_nothing_begins(late_blocks, known_after_s):
    """The far end comes too late. Until 224 ms after that, what is left may be the kiosk's own echo."""
    far, near = kiosk(8)
    near[300 * 320 : 350 * 320] += babble(1.0, pitch_hz=190, seed=3) * 0.5
    run = scene()
    for number in range(390):
        while run.sent <= number and not 300 <= number < 300 + late_blocks:
            run.send(pcm(far[run.sent * 320 : run.sent * 320 + 320]))
        if number > 1:
            mine = number - 2
            made = run.ear.process(pcm(near[mine * 320 : mine * 320 + 320]), START_NS + mine * BLOCK_NS)
            run.known_s += [mine * 0.02 - 6.0] * len(made.events)
            run.events += made.events
    assert isinstance(run.events[0], UserStarted)
    assert known_after_s <= run.known_s[0] < known_after_s + 0.2
