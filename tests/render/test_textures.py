"""Mipmaps against their definition."""

import itertools

import numpy as np
import pytest

from mien.render.textures import mipmaps


@pytest.mark.parametrize("shape", [(8, 8), (4, 16), (1, 8), (1, 1)])
def test_each_level_is_the_mean_of_the_one_before(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (*shape, 4), dtype=np.uint8)
    levels = mipmaps(pixels)
    assert levels[0] is pixels
    assert levels[-1].shape == (1, 1, 4)
    for large, small in itertools.pairwise(levels):
        rows, columns = (2 if side > 1 else 1 for side in large.shape[:2])
        assert small.shape == (large.shape[0] // rows, large.shape[1] // columns, 4)
        blocks = large.reshape(small.shape[0], rows, small.shape[1], columns, 4).astype(float).mean(axis=(1, 3))
        assert np.abs(blocks - small).max() <= 0.51
        assert small.dtype == np.uint8
