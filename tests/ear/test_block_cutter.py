"""Blocks of 20 ms at 16 kHz from whatever sizes a card delivers."""

import random

import numpy as np
import pytest

from mien.ear.block_cutter import BlockCutter


def pieces(pcm, seed=1):
    """In sizes of 0 to 30 ms."""
    size = random.Random(seed)
    at = 0
    while at < len(pcm):
        step = size.randint(0, 1440)
        yield pcm[at : at + step]
        at += step


@pytest.mark.parametrize("rate_hz", [16000, 44100, 48000])
def test_the_sizes_of_the_pieces_make_no_difference(rate_hz):
    pcm = np.random.default_rng(1).normal(0, 3000, (rate_hz * 2, 2)).astype(np.int16)
    whole = list(BlockCutter(rate_hz, 1).push(pcm))
    cutter = BlockCutter(rate_hz, 1)
    cut = [block for piece in pieces(pcm) for block in cutter.push(piece)]
    assert np.array_equal(np.concatenate([block for block, _ in cut]), np.concatenate([block for block, _ in whole]))
    assert [frame for _, frame in cut] == [frame for _, frame in whole]
    assert [frame for _, frame in cut] == [index * 320 * rate_hz // 16000 for index in range(len(cut))]


def test_a_block_comes_as_soon_as_it_can():
    cutter = BlockCutter(48000, 0)
    silence = np.zeros((480, 1), np.int16)
    assert [len(list(cutter.push(silence))) for _ in range(8)] == [0, 0, 1, 0, 1, 0, 1, 0]


def test_a_restart_drops_what_is_not_whole_and_counts_on_from_the_device_s_number():
    cutter = BlockCutter(16000, 0)
    list(cutter.push(np.full((500, 1), 1, np.int16)))
    cutter.restart(7777)
    (block, frame), *rest = cutter.push(np.full((330, 1), 2, np.int16))
    assert frame == 7777
    assert (block == 2).all()
    assert not rest
