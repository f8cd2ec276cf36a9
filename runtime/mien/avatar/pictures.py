"""PNG, JPEG and WebP from a file that is not trusted: the size is read from the header before anything is decoded."""

import io
import os
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import AvatarError

MAX_SIDE: Final = 16_384
MAX_PIXELS: Final = 8192 * 8192
KTX2: Final = b"\xabKTX 20\xbb"


def decode_picture(data: bytes, field: str, most: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 4), its longer side at most `most`. Raises AvatarError."""
    if data.startswith(KTX2):
        raise AvatarError(f"{field}: KTX2 is not read; export it again with PNG, JPEG or WebP textures")
    width, height = picture_size(data, field)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise AvatarError(f"{field}: {width} x {height} pixels; at most {MAX_PIXELS} are decoded")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        surface = pygame.image.load(io.BytesIO(data))
    except (pygame.error, ValueError) as error:
        raise AvatarError(f"{field}: cannot be decoded: {error}") from None
    rgba = np.frombuffer(pygame.image.tobytes(surface, "RGBA"), dtype=np.uint8).reshape(*surface.get_size()[::-1], 4)
    while max(rgba.shape[:2]) > most:
        rgba = _halve(rgba)
    return rgba


def _halve(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    for axis in (0, 1):
        if rgba.shape[axis] == 1:  # doubled and then halved, a side of one pixel stays
            rgba = np.repeat(rgba, 2, axis=axis)
    h, w = (side & ~1 for side in rgba.shape[:2])
    wide = rgba[:h, :w].astype(np.uint16)
    total = wide[0::2, 0::2] + wide[1::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 1::2]
    halved: NDArray[np.uint8] = ((total + 2) // 4).astype(np.uint8)
    return halved


def picture_size(data: bytes, field: str) -> tuple[int, int]:
    """Width and height as the header says. Raises AvatarError for a format that is not read."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
    except (struct.error, IndexError):
        raise AvatarError(f"{field}: the picture ends inside its header") from None
    raise AvatarError(f"{field}: neither PNG, JPEG nor WebP; export it again with one of them")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        while data[at] != 0xFF or data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF
