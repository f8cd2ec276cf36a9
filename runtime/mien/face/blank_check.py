"""A look at the picture one second after the first: a face that draws nothing must not pass for a healthy one."""

from mien.core.stats import Counters
from mien.render.base import Renderer
from mien.render.blank import is_blank
from mien.units import NS_PER_S

AFTER_NS = NS_PER_S


class BlankCheck:
    """Reads one picture back, once; counts `picture_blank` when it is all one colour."""

    def __init__(self, renderer: Renderer, counters: Counters) -> None:
        self._renderer = renderer
        self._counters = counters
        self._due_ns: int | None = None
        self._done = renderer.info.backend == "headless"  # nothing to read back, by contract

    def after_draw(self, now_ns: int) -> None:
        """Call between draw() and present()."""
        if self._done:
            return
        if self._due_ns is None:
            self._due_ns = now_ns + AFTER_NS
        if now_ns >= self._due_ns:
            self._done = True
            if is_blank(self._renderer.capture().reshape(-1, 3)):
                self._counters.count("picture_blank")
