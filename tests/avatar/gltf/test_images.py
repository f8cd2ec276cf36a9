"""Texture images: size checks before decoding, scaling, bleeding."""

import struct

import numpy as np
import pytest

from mien.avatar.gltf.images import bled, decode_image, image_size, resized
from mien.errors import AvatarError


def jpeg(*segments: tuple[int, bytes], fill: bytes = b"") -> bytes:
    made = b"\xff\xd8"
    for marker, body in segments:
        made += fill + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
    return made


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xCF])
def test_a_jpegs_size_is_read_behind_its_other_segments(marker: int) -> None:
    frame = (marker, b"\x08" + struct.pack(">HH", 480, 640) + b"\x03")
    tables = ((0xE0, b"JFIF\0"), (0xC4, bytes(30)), (0xC8, bytes(7)), (0xCC, bytes(7)), (0xDB, bytes(65)))
    assert image_size(jpeg(*tables, frame), "it") == (640, 480)
    assert image_size(jpeg(*tables, frame, fill=b"\xff"), "it") == (640, 480)


@pytest.mark.parametrize("data", [b"\xff\xd8", jpeg((0xE0, b"JFIF\0")), b"\xff\xd8\xff\xc0\x00\x11\x08\x01"])
def test_an_image_that_ends_in_its_header_is_refused(data: bytes) -> None:
    with pytest.raises(AvatarError, match="it: the image ends inside its header"):
        image_size(data, "it")


@pytest.mark.parametrize(("size", "good"), [
    ((1, 16_384), True), ((8192, 8192), True), ((16_385, 1), False), ((1, 16_385), False), ((8192, 8193), False),
    ((0, 5), False), ((5, 0), False),
])  # fmt: skip
def test_an_image_is_measured_before_it_is_decoded(size: tuple[int, int], good: bool) -> None:
    """An image within the limits reaches the decoder, which finds no data after the header."""
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", *size)
    says = "cannot be decoded" if good else f"it: {size[0]} x {size[1]} pixels; at most"
    with pytest.raises(AvatarError, match=says):
        decode_image(data, "it", 64)


def test_colours_count_by_their_alpha_when_an_image_shrinks() -> None:
    image = np.zeros((4, 4, 4), np.uint8)
    image[:, ::2] = (200, 100, 50, 255)
    small = resized(image, 2, 2)
    np.testing.assert_allclose(small[..., :3], np.broadcast_to([200, 100, 50], (2, 2, 3)), atol=3)
    np.testing.assert_allclose(small[..., 3], 127, atol=2)
    assert resized(image, 4, 4) is image


def test_a_hole_takes_the_colour_round_it_and_what_has_none_is_left() -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    image[3, 3] = (240, 120, 60, 255)
    filled = bled(image)
    np.testing.assert_array_equal(filled[..., 3], image[..., 3])
    np.testing.assert_allclose(filled[0, 0, :3], [240, 120, 60], atol=2)
    np.testing.assert_array_equal(filled[3, 3], image[3, 3])
    full = np.full((8, 8, 4), 9, np.uint8)
    assert bled(full) is full
