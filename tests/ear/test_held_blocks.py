"""Blocks wait for the far end, in order, and not for ever."""

import numpy as np
import pytest

from mien.ear.held_blocks import PATIENCE_NS, HeldBlocks
from mien.ear.microphone import Block

MS = 1_000_000
PCM = np.zeros(320, np.int16)


def held(*at_ms):
    blocks = HeldBlocks()
    for number, each_ms in enumerate(at_ms):
        blocks.add(Block(PCM, number, each_ms * MS, False))
    return blocks


def due(blocks, now_ms, known_ms):
    """known_ms: the far end has come up to there."""
    return [block.seq for block in blocks.due(now_ms * MS, lambda at_ns: at_ns + 20 * MS > known_ms * MS)]


def test_a_block_whose_far_end_is_known_waits_for_nothing():
    assert due(held(0, 20), now_ms=40, known_ms=40) == [0, 1]


def test_a_block_waits_for_its_far_end_and_comes_once():
    blocks = held(0, 20)
    assert due(blocks, now_ms=41, known_ms=39) == [0]
    assert due(blocks, now_ms=50, known_ms=39) == []
    assert due(blocks, now_ms=51, known_ms=40) == [1]
    assert due(blocks, now_ms=60, known_ms=99) == []


@pytest.mark.parametrize(("after_ns", "expected"), [(-1, []), (0, [0])])
def test_it_waits_for_60_ms_after_its_end(after_ns, expected):
    assert PATIENCE_NS == 60 * MS
    blocks = held(100)
    assert [block.seq for block in blocks.due(180 * MS + after_ns, lambda _: True)] == expected


def test_a_block_does_not_overtake_the_one_before():
    blocks = held(0, 20)
    assert [block.seq for block in blocks.due(40 * MS, lambda at_ns: at_ns == 0)] == []
