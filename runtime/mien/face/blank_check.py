"""A look at the picture one second after the first: a face that draws nothing must not pass for a healthy one."""

import logging

from mien.core.stats import Counters
from mien.render.base import Renderer
from mien.units import NS_PER_S

log = logging.getLogger("mien.face")

AFTER_NS = NS_PER_S


class BlankCheck:
    """Reads a few pixels back, once; counts `picture_blank`, which health reports, and logs it when they are alike."""

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
            self._due_ns = now_ns + AFTER_NS
        if now_ns >= self._due_ns:
            self._done = True
            if self._renderer.looks_blank():
                self._counters.count("picture_blank")
                log.error("the screen is blank: %s draws nothing", self._renderer.info.device or "the renderer")
