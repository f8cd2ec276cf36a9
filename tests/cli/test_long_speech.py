"""Splitting long speech into turns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.cli.long_speech import PAUSE_MS, SEARCH_PART, TurnCutter

RATE_HZ = 8000
MS = RATE_HZ // 1000 * 2


def turns_of(pcm, chunk_bytes, most_ms=2000):
    """The turns' bytes."""
    turns, full = [b""], False
    for piece, ends in TurnCutter(RATE_HZ, most_ms).cut(
        pcm[at : at + chunk_bytes] for at in range(0, len(pcm), chunk_bytes)
    ):
        assert piece
        if full:
            turns.append(b"")
        turns[-1] += piece
        full = ends
    return turns


def speech(ms, *pauses):
    """Loud noise with silence from start_ms to end_ms."""
    pcm = np.full(ms * RATE_HZ // 1000, 4000, "<i2")
    for start_ms, end_ms in pauses:
        pcm[start_ms * 8 : end_ms * 8] = 0
    return pcm.tobytes()


def test_short_speech_is_one_turn():
    assert turns_of(speech(2000, (300, 900)), 333) == [speech(2000, (300, 900))]


@pytest.mark.parametrize("chunk_bytes", [1, 3, 320, 100_000])
@pytest.mark.parametrize(
    ("pause", "cut_ms"),
    [
        ((1700, 2000), 1700 + PAUSE_MS),  # where it is long enough to be one
        ((1650, 1690), 2000),  # too short
        ((1000, 1500), 2000),  # too early
        ((1300, 1900), 1600 + PAUSE_MS),  # it counts from where a pause is looked for on
    ],
)
def test_the_cut_is_in_a_pause_near_the_end_or_where_the_turn_is_full(chunk_bytes, pause, cut_ms):
    assert 2000 * (1 - SEARCH_PART) == 1600
    pcm = speech(3000, pause)
    turns = turns_of(pcm, chunk_bytes)
    assert [len(turn) / MS for turn in turns] == [cut_ms, 3000 - cut_ms]
    assert b"".join(turns) == pcm


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 700), st.integers(1, 120))
def test_every_byte_comes_once_in_order_and_no_turn_is_too_long(pcm, chunk_bytes, most_ms):
    turns = turns_of(pcm, chunk_bytes, most_ms)
    assert b"".join(turns) == pcm
    assert max(map(len, turns)) <= most_ms * MS
    assert all(len(turn) % 2 == 0 for turn in turns[:-1])


def test_a_live_stream_is_passed_on_block_by_block():
    """No block waits for the end of a synthesis in progress."""
    fed = 0

    def stream():
        nonlocal fed
        for _ in range(200):
            fed += 10 * MS
            yield speech(10)

    passed = 0
    for piece, _ in TurnCutter(RATE_HZ, 1000).cut(stream()):
        passed += len(piece)
        assert fed - passed < 20 * MS
