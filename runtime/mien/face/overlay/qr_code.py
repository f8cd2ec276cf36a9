"""Draws a QR code as an overlay image."""

import importlib
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from mien.errors import TextError
from mien.text.typesetter import Image

LEAST_MM: Final = 25.0  # the side of the code without its quiet zone: read at arm's length
QUIET: Final = 4  # modules of white around it, as ISO/IEC 18004 asks
LEAST_MODULE_PX: Final = 2
SIDES: Final = range(21, 98, 4)  # modules of versions 1 to 20: 666 bytes at level M


def side_px(modules: int, px_per_mm: float) -> int:
    """The side of the image of a code with this many modules a side, in pixels."""
    return (modules + 2 * QUIET) * max(LEAST_MODULE_PX, math.ceil(LEAST_MM * px_per_mm / modules))


def largest_px(px_per_mm: float) -> int:
    """The greatest side of an image, in pixels."""
    return max(side_px(modules, px_per_mm) for modules in SIDES)


def draw_qr(text: str, px_per_mm: float, most_px: int) -> Image:
    """A premultiplied picture, to be placed AS_PICTURE: black on white, with the quiet zone. Raises TextError."""
    modules = _modules(text)
    side = side_px(len(modules), px_per_mm)
    if len(modules) > SIDES[-1] or side > most_px:
        raise TextError(
            f"a QR code of {len(text)} characters takes {side} pixels, {most_px} are free: "
            "use a shorter text, or check screen.diagonal_inches"
        )
    dark = np.pad(np.array(modules, dtype=bool), QUIET)
    image = np.full((side, side, 4), 255, dtype=np.uint8)
    image[..., :3][np.kron(dark, np.ones((side // len(dark),) * 2, dtype=bool))] = 0
    return image


def _modules(text: str) -> list[list[bool]]:
    try:
        segno = importlib.import_module("segno")
    except ImportError:
        raise TextError("QR codes need segno; pip install 'mien[visits]' where mien-face runs") from None
    try:
        matrix: Sequence[Sequence[int]] = segno.make(text, error="m", micro=False).matrix
    except ValueError as error:  # too long for any version
        raise TextError(f"a QR code of {len(text)} characters cannot be made: {error}") from None
    return [[bool(module) for module in row] for row in matrix]
