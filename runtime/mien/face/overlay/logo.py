"""The operator's logo: a PNG with alpha in a corner of the screen, read again when the file changes."""

import logging
import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import DisplayError
from mien.face.overlay.drift import drift
from mien.render.base import AS_PICTURE, Overlay
from mien.units import NS_PER_S

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 4 * 2**20
# Its largest size and its distance from the edges, which some screens cut off, as shares of the screen.
MOST_WIDTH, MOST_HEIGHT, SAFE = 0.30, 0.10, 0.04
LOOK_EVERY_NS: Final = 2 * NS_PER_S
Pixels = NDArray[np.uint8]


def largest(width: int, height: int) -> tuple[int, int]:
    """The largest size of a logo on a screen of width x height pixels."""
    return round(MOST_WIDTH * width), round(MOST_HEIGHT * height)


def read_logo(path: Path, most: tuple[int, int]) -> Pixels:
    """uint8 (H, W, 4), premultiplied, reduced to at most `most` pixels. Raises DisplayError if it is no PNG."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DisplayError(f"{path}: more than {MAX_FILE_BYTES} bytes; use a smaller picture")
    except OSError as error:
        raise DisplayError(f"{path}: cannot be read: {error.strerror or error}") from error
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        surface = pygame.image.load(str(path))
        pixels = _premultiplied(pygame.image.tobytes(surface, "RGBA"), surface.get_size())
    except (pygame.error, ValueError) as error:
        raise DisplayError(f"{path}: is no PNG picture: {error}") from None
    height, width = pixels.shape[:2]
    shrink = min(1.0, most[0] / width, most[1] / height)
    if shrink == 1.0:
        return pixels
    size = (max(1, int(width * shrink)), max(1, int(height * shrink)))
    plain = pygame.image.frombuffer(pixels.tobytes(), (width, height), "RGBA")
    reduced = pygame.image.tobytes(pygame.transform.smoothscale(plain, size), "RGBA")
    return np.frombuffer(reduced, dtype=np.uint8).reshape(size[1], size[0], 4)


def _premultiplied(rgba: bytes, size: tuple[int, int]) -> Pixels:
    pixels = np.frombuffer(rgba, dtype=np.uint8).reshape(size[1], size[0], 4).copy()
    alpha = pixels[..., 3:].astype(np.uint16)
    pixels[..., :3] = (pixels[..., :3] * alpha + 127) // 255
    return pixels


class Logo:
    """Shows the file in a layer of the overlay. What cannot be read is logged once, and the last good one stays."""

    def __init__(self, path: Path, corner: str, layer: int) -> None:
        """corner: "top_left", "top_right", "bottom_left" or "bottom_right"."""
        self._path, self._corner, self._layer = path, corner, layer
        self._seen: tuple[int, int] | None = None
        self._size = (0, 0)
        self._look_ns = self._since_ns = -1

    def step(self, now_ns: int, overlay: Overlay) -> None:
        """Look for a new file now and then, and place what there is."""
        if self._since_ns < 0:
            self._since_ns = self._look_ns = now_ns
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + LOOK_EVERY_NS
            self._look(overlay)
        if self._size[0]:
            overlay.place(self._layer, *self._place(now_ns, overlay), 1.0, AS_PICTURE)

    def _look(self, overlay: Overlay) -> None:
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size)
        except OSError:
            seen = (0, 0)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            pixels = read_logo(self._path, largest(overlay.width, overlay.height))
        except DisplayError as error:
            log.error("face.logo cannot be shown: %s", error)
            return
        overlay.load(self._layer, pixels)
        self._size = (pixels.shape[1], pixels.shape[0])

    def _place(self, now_ns: int, overlay: Overlay) -> tuple[int, int]:
        """The upper left corner: within the safe area, drifting inwards."""
        safe = round(SAFE * min(overlay.width, overlay.height))
        right, down = drift(now_ns - self._since_ns)
        left, top = safe + right, safe + down
        if self._corner.endswith("right"):
            left = overlay.width - self._size[0] - left
        if self._corner.startswith("bottom"):
            top = overlay.height - self._size[1] - top
        return left, top
