"""What a microphone delivers that is no sound: nothing at all, or too much."""

import numpy as np

from mien.ear.input_check import CLIP_HOLD_BLOCKS, SILENT_BLOCKS, InputCheck

RANDOM = np.random.default_rng(4)


def blocks(level):
    return [np.clip(RANDOM.standard_normal(320) * level, -32768, 32767).astype(np.int16) for _ in range(200)]


def test_digital_silence_is_silent_after_two_seconds_and_a_hiss_is_not():
    check = InputCheck()
    states = [check.block(np.zeros(320, np.int16)) for _ in range(SILENT_BLOCKS)]
    assert states[-1] == "silent"
    assert set(states[:-1]) == {"ok"}
    assert check.block(blocks(1.5)[0]) == "ok"


def test_a_constant_is_silence_too():
    check = InputCheck()
    assert [check.block(np.full(320, -200, np.int16)) for _ in range(SILENT_BLOCKS)][-1] == "silent"


def test_speech_at_full_scale_clips_but_one_slam_does_not():
    loud, check = blocks(25_000), InputCheck()
    assert check.block(loud[0]) == "ok"
    assert [check.block(block) for block in loud][-1] == "clipping"
    assert check.peak == 32768
    quiet = [check.block(block) for block in blocks(500) * 2]
    assert quiet[0] == "clipping"
    assert quiet[CLIP_HOLD_BLOCKS] == "ok"
