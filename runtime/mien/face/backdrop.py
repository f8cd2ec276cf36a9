"""The background that `face.background` asks for: a colour, two colours, or a picture."""

import os
import re
from pathlib import Path
from typing import Final

import numpy as np

from mien.errors import DisplayError
from mien.render.scene import Background, Rgb

MAX_FILE_BYTES: Final = 32 * 2**20
MAX_SIDE: Final = 1920
_COLOR: Final = "#[0-9a-fA-F]{6}"


def read_background(asked: str) -> Background | None:
    """None for "", which leaves it to the avatar. Raises DisplayError for a file that is no picture."""
    if not asked:
        return None
    if re.fullmatch(f"{_COLOR}(,{_COLOR})?", asked):
        top, _, bottom = asked.partition(",")
        return Background(top=_rgb(top), bottom=_rgb(bottom or top), glow=(0.0, 0.0, 0.0))
    return Background(picture=_picture(Path(asked)))


def _rgb(color: str) -> Rgb:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _picture(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """uint8 (H, W, 4), at most MAX_SIDE pixels on its longer side, its top row first."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise DisplayError(f"{path}: more than {MAX_FILE_BYTES} bytes; use a smaller picture")
    except OSError as error:
        raise DisplayError(f"{path}: cannot be read: {error.strerror or error}") from error
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        surface = pygame.image.load(str(path))
        plain = pygame.image.frombuffer(pygame.image.tobytes(surface, "RGBA"), surface.get_size(), "RGBA")
    except (pygame.error, ValueError) as error:
        raise DisplayError(f"{path}: is no PNG or JPEG picture: {error}") from None
    shrink = min(1.0, MAX_SIDE / max(plain.get_size()))
    if shrink < 1.0:
        width, height = (max(1, round(side * shrink)) for side in plain.get_size())
        plain = pygame.transform.smoothscale(plain, (width, height))
    width, height = plain.get_size()
    return np.frombuffer(pygame.image.tobytes(plain, "RGBA"), dtype=np.uint8).reshape(height, width, 4)
