"""JPEG encoding, without leaks."""

import gc
import io
import sys

import numpy as np
import pygame
import pytest

from mien.errors import DisplayError
from mien.render import jpeg
from mien.render.jpeg import encode_jpeg


def decoded(data):
    return pygame.surfarray.array3d(pygame.image.load(io.BytesIO(data), "x.jpg")).swapaxes(0, 1).astype(int)


def test_the_jpeg_shows_the_image_the_right_way_up_in_its_own_colours():
    image = np.zeros((40, 62, 3), np.uint8)
    image[:20], image[20:], image[:, 40:] = (250, 10, 0), (0, 30, 200), (0, 220, 40)
    shown = decoded(encode_jpeg(image))
    assert shown.shape == image.shape
    for row, column in ((5, 5), (35, 5), (20, 55)):
        assert np.abs(shown[row, column] - image[row, column]).max() < 12


@pytest.mark.parametrize("shape", [(1, 1), (1, 320), (240, 1), (320, 320)])
def test_any_size_and_any_noise_fits(shape):
    noise = np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8)
    assert decoded(encode_jpeg(noise)).shape == noise.shape


def test_a_slice_of_a_larger_image_is_taken_as_it_looks():
    image = np.random.default_rng(2).integers(0, 255, (80, 80, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    part = image[::8, ::8]
    assert encode_jpeg(part) == encode_jpeg(part.copy())


def kept_files():
    """The number of in-memory files, including those of other tests."""
    return sum(isinstance(kept, io.BytesIO) for kept in gc.get_objects())


def test_nothing_of_a_thousand_images_is_kept():
    """pygame.image.save(surface, file) leaked every file: 5 KB per thumbnail, 20 MB an hour with one observer."""
    image = np.random.default_rng(1).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    encode_jpeg(image)
    gc.collect()
    files, before = kept_files(), sys.getallocatedblocks()
    for _ in range(1000):
        encode_jpeg(image)
    gc.collect()
    assert sys.getallocatedblocks() - before < 500
    assert kept_files() <= files


def test_a_jpeg_that_does_not_fit_is_refused_and_not_cut_off(monkeypatch):
    monkeypatch.setattr(jpeg, "_ROOM_BYTES", -40 * 30 * 3 + 700)
    with pytest.raises(DisplayError, match="40x30 cannot be encoded"):
        encode_jpeg(np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8))
