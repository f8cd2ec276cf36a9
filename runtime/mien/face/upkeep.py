"""Memory that starting left behind, or a shader compiled later, given back while nobody is spoken to."""

from collections.abc import Callable
from typing import Final

from mien.core.stats import Counters
from mien.host.memory import pss_mb, release_unused_pages

GROWN_MB: Final = 15.0  # a compiler that ran again is more; caches and buffers of ordinary work are less
# What is used now and then comes to half of that within minutes of talk: pages that were needed once. Speech needs most
# of the rest again at once, so that giving back more often than this would only cost.
CREPT_MB: Final = 8.0
CREPT_EVERY: Final = 120  # steps, of a second each


class Upkeep:
    """Asked once a second. measure, release: the tests hand in others.

    Housekeeping must not end a service: where the system gives no figure (no descriptor is left, say), there is none,
    and `memory_unread` counts it.
    """

    def __init__(
        self,
        counters: Counters,
        measure: Callable[[], float] = lambda: pss_mb(None),
        release: Callable[[], None] = release_unused_pages,
    ) -> None:
        self._counters = counters
        self._measure = measure
        self._release = release
        self._settled_mb: float | None = None
        self._steps = 0

    def step(self, *, speaking: bool) -> float | None:
        """This process's memory now, in MB PSS; None while it cannot be read. Gives back at first, then when it has
        grown, but never in speech: that takes a frame or two."""
        try:
            return self._kept_small(speaking=speaking)
        except OSError:
            self._counters.count("memory_unread")
            return None

    def _kept_small(self, *, speaking: bool) -> float:
        now_mb = self._measure()
        self._steps += 1
        if speaking or not self._has_grown(now_mb):
            return now_mb
        self._release()
        self._steps = 0
        self._settled_mb = self._measure()
        return self._settled_mb

    def _has_grown(self, now_mb: float) -> bool:
        if self._settled_mb is None:
            return True
        grown_mb = now_mb - self._settled_mb
        return grown_mb > GROWN_MB or (grown_mb > CREPT_MB and self._steps >= CREPT_EVERY)
