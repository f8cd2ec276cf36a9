"""A small picture of the face for an observer who asked: read back between two pictures, encoded elsewhere."""

import numpy as np
from numpy.typing import NDArray

from mien.core import bus
from mien.errors import DisplayError
from mien.render.base import Renderer
from mien.render.jpeg import encode_jpeg


class Thumbnails:
    """Asked and answered by the motion thread, read back by the one that draws: it pays for the read-back alone.

    One request at a time; a newer one takes the place of one that waits. A renderer without pixels never answers.
    """

    def __init__(self) -> None:
        self._wanted_width = 0
        self._picture: NDArray[np.uint8] | None = None

    def ask(self, width: int) -> None:
        """Somebody wants a picture about `width` pixels wide."""
        self._wanted_width = width

    @property
    def wanted(self) -> bool:
        """Whether the next frame is asked for."""
        return self._wanted_width > 0

    def after_draw(self, renderer: Renderer) -> None:
        """Call between draw() and present()."""
        width, self._wanted_width = self._wanted_width, 0
        if not width:
            return
        try:
            picture = renderer.capture()
        except DisplayError:
            return
        step = max(1, picture.shape[1] // width)
        self._picture = picture[::step, ::step].copy()

    def answer(self, epoch: int) -> bus.Thumbnail | None:
        """The picture that was asked for, as JPEG, once it is there. Raises DisplayError where it cannot be encoded."""
        picture, self._picture = self._picture, None
        if picture is None:
            return None
        height, width, _ = picture.shape
        return bus.Thumbnail(epoch=epoch, width=width, height=height, encoding="jpeg", data=encode_jpeg(picture))
