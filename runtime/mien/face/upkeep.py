"""Memory that starting left behind, or a shader compiled later, given back while nobody is spoken to."""

from collections.abc import Callable
from typing import Final

from mien.host.memory import pss_mb
from mien.host.pages import give_back

GROWN_MB: Final = 15.0  # a compiler that ran again is more; caches and buffers of ordinary work are less


class Upkeep:
    """Asked once a second. measure, release: the tests hand in others."""

    def __init__(self, measure: Callable[[], float] = lambda: pss_mb(None),
                 release: Callable[[], None] = give_back) -> None:
        self._measure = measure
        self._release = release
        self._settled_mb: float | None = None

    def step(self, *, speaking: bool) -> float:
        """This process's memory now, in MB PSS. Gives back at first, then when it has grown, but never in speech: that
        takes a picture or two."""
        now_mb = self._measure()
        grown = self._settled_mb is None or now_mb > self._settled_mb + GROWN_MB
        if speaking or not grown:
            return now_mb
        self._release()
        self._settled_mb = self._measure()
        return self._settled_mb
