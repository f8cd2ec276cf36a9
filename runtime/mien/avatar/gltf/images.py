"""Texture images from an untrusted file. The size is read from the header before anything is decoded."""

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


def decode_image(data: bytes, field: str, most: int) -> NDArray[np.uint8]:
    """uint8 (height, width, 4), scaled down to `most` pixels on its longer side. Raises AvatarError."""
    if data.startswith(KTX2):
        raise AvatarError(f"{field}: KTX2 is not supported; export it again with PNG, JPEG or WebP textures")
    width, height = image_size(data, field)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise AvatarError(f"{field}: {width} x {height} pixels; at most {MAX_PIXELS} are decoded. Make it smaller")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        surface = pygame.image.load(io.BytesIO(data))
        if surface.get_size() != (width, height):
            raise AvatarError(
                f"{field}: has {surface.get_size()} pixels, but its header says {width} x {height}; save it again"
            )
        shrink = min(1.0, most / max(width, height))
        if shrink < 1.0:
            # smoothscale() needs 24 or 32 bits; palettes and greyscale are converted first.
            deep = surface.get_bitsize() in (24, 32)
            raw = None if deep else pygame.image.tobytes(surface, "RGBA")
            plain = surface if raw is None else pygame.image.frombuffer(raw, surface.get_size(), "RGBA")
            surface = pygame.transform.smoothscale(plain, tuple(max(1, round(s * shrink)) for s in (width, height)))
        rgba = pygame.image.tobytes(surface, "RGBA")
    except (pygame.error, ValueError, MemoryError) as error:
        raise AvatarError(f"{field}: cannot be decoded: {error}; save the image again") from None
    return np.frombuffer(rgba, dtype=np.uint8).reshape(*surface.get_size()[::-1], 4)


def resized(rgba: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """An image, uint8 (H, W, 4), at another size. Colours are weighted by alpha, so that holes leave no fringes."""
    if rgba.shape[:2] == (height, width):
        return rgba
    import pygame

    alpha = rgba[..., 3:].astype(np.uint16)
    weighted = np.concatenate([(rgba[..., :3] * alpha + 127) // 255, alpha], axis=2).astype(np.uint8)
    surface = pygame.image.frombuffer(weighted.tobytes(), (rgba.shape[1], rgba.shape[0]), "RGBA")
    scaled = pygame.image.tobytes(pygame.transform.smoothscale(surface, (width, height)), "RGBA")
    small = np.frombuffer(scaled, dtype=np.uint8).reshape(height, width, 4).astype(np.uint16)
    small[..., :3] = np.minimum(small[..., :3] * 255 // np.maximum(small[..., 3:], 1), 255)
    return small.astype(np.uint8)


def bled(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image with power-of-two sides, its colours bled into transparent texels for filters and mipmaps."""
    if min(rgba.shape[:2]) < 2 or bool((rgba[..., 3] > 0).all()):
        return rgba
    height, width = rgba.shape[:2]
    weight = rgba[..., 3:].astype(np.uint32)
    total = (rgba[..., :3] * weight).reshape(height // 2, 2, width // 2, 2, 3).sum(axis=(1, 3))
    weights = weight.reshape(height // 2, 2, width // 2, 2, 1).sum(axis=(1, 3))
    half = np.concatenate([total // np.maximum(weights, 1), (weights + 3) // 4], axis=2).astype(np.uint8)
    wide = np.repeat(np.repeat(bled(half), 2, axis=0), 2, axis=1)
    filled = rgba.copy()
    hole = rgba[..., 3] == 0
    filled[hole, :3] = wide[hole, :3]
    return filled


def image_size(data: bytes, field: str) -> tuple[int, int]:
    """Width and height according to the header. Raises AvatarError for an unsupported format."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
    except (struct.error, IndexError):
        raise AvatarError(f"{field}: the image ends inside its header; is the copy complete?") from None
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
