"""Every sample of the coded speech tells whose it is and where it lies."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.bench.coded import LEAST_STEP, PRIME, SHORTEST, TURNS, Run, find_runs, samples, step_of


def test_no_two_turns_have_a_step_in_common():
    steps = [step_of(turn) for turn in range(TURNS)]
    assert len(set(steps)) == TURNS
    assert min(steps) >= LEAST_STEP
    assert max(steps) < PRIME - LEAST_STEP


@settings(max_examples=200, deadline=None)
@given(
    turn=st.integers(1, TURNS - 1),
    start=st.integers(0, 200_000),
    count=st.integers(SHORTEST, 5_000),
    before=st.integers(0, 300),
)
def test_a_piece_is_found_where_it_lies(turn, start, count, before):
    block = np.concatenate((np.zeros(before, np.int16), samples(turn, start, count), np.zeros(20, np.int16)))
    assert find_runs(block) == [Run(before, count, turn, start % PRIME)]


def test_no_sample_is_silence_and_all_are_int16():
    speech = samples(123, 0, 3 * PRIME)
    assert speech.dtype == np.int16
    assert speech.min() == 1
    assert speech.max() == PRIME


def test_silence_constants_and_their_fades_are_nobodys():
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(16) + 0.5) / 16)
    for value in (0, 1, 100, 2000):
        constant = np.full(200, value)
        block = np.concatenate((np.zeros(50), ramp * value, constant, ramp[::-1] * value, np.zeros(50))).astype(
            np.int16
        )
        assert find_runs(block) == []


def test_a_decay_that_falls_by_the_same_again_and_again_is_nobodys():
    assert find_runs(np.array([32, 31, 30, 28, 26, 23, 20, 17, 14, 11, 8, 5, 3, 1, 0, 0], np.int16)) == []


def test_noise_is_nobodys():
    noise = np.random.default_rng(1).integers(-32768, 32767, 200_000).astype(np.int16)
    assert find_runs(noise) == []


def test_two_turns_without_a_gap_are_two_runs():
    block = np.concatenate((samples(5, 100, 400), samples(6, 0, 300)))
    assert find_runs(block) == [Run(0, 400, 5, 100), Run(400, 300, 6, 0)]


def test_a_block_shorter_than_what_is_believed_is_nothing():
    assert find_runs(samples(5, 0, SHORTEST - 1)) == []
