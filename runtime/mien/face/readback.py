"""Pixels read back from a drawn frame, for thumbnails or to detect a blank screen."""

import logging

import numpy as np
from numpy.typing import NDArray

from mien.core import bus
from mien.core.stats import Counters
from mien.errors import DisplayError
from mien.render.base import Renderer
from mien.render.jpeg import encode_jpeg
from mien.units import NS_PER_S

log = logging.getLogger("mien.face")

BLANK_CHECK_NS = NS_PER_S  # after the first frame


class Thumbnails:
    """Thumbnails for observers. The drawing thread only reads pixels back; the motion thread encodes them.

    A newer request replaces one that is pending. Requests to a renderer without pixels are never answered.
    """

    def __init__(self) -> None:
        self._wanted_width = 0
        self._pixels: NDArray[np.uint8] | None = None

    def ask(self, width: int) -> None:
        """Request a thumbnail about `width` pixels wide; 0 cancels."""
        self._wanted_width = width

    @property
    def wanted(self) -> bool:
        """Whether a request is pending."""
        return self._wanted_width > 0

    def after_draw(self, renderer: Renderer) -> None:
        """Capture the frame if a thumbnail is wanted. Call between draw() and present()."""
        width, self._wanted_width = self._wanted_width, 0
        if not width:
            return
        try:
            pixels = renderer.capture()
        except DisplayError:
            return
        step = max(1, pixels.shape[1] // width)
        self._pixels = pixels[::step, ::step].copy()

    def answer(self, epoch: int) -> bus.Thumbnail | None:
        """The captured thumbnail as JPEG, once. None while there is none. Raises DisplayError if encoding fails."""
        pixels, self._pixels = self._pixels, None
        if pixels is None:
            return None
        height, width, _ = pixels.shape
        return bus.Thumbnail(epoch=epoch, width=width, height=height, encoding="jpeg", data=encode_jpeg(pixels))


class BlankCheck:
    """Checks once, a second after the first frame, whether the screen is blank.

    A renderer that draws nothing would otherwise pass for healthy. Counts `picture_blank`, which health reports.
    """

    def __init__(self, renderer: Renderer, counters: Counters) -> None:
        self._renderer = renderer
        self._counters = counters
        self._due_ns: int | None = None
        self._done = False

    def after_draw(self, now_ns: int) -> None:
        """Call between draw() and present()."""
        if self._done:
            return
        if self._due_ns is None:
            self._due_ns = now_ns + BLANK_CHECK_NS
        if now_ns >= self._due_ns:
            self._done = True
            if self._renderer.looks_blank():
                self._counters.count("picture_blank")
                log.error("the screen is blank: %s draws nothing", self._renderer.info.device or "the renderer")
