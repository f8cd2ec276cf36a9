"""Memory trimming: returns unused memory to the system, for example after start-up or a shader compilation."""

from collections.abc import Callable
from typing import Final

from mien.core.stats import Counters
from mien.host.memory import pss_mb, release_unused_pages

GROWN_MB: Final = 15.0  # less than a shader compilation leaves behind, more than ordinary caches and buffers
# Within minutes of talk, about half of this is pages that were needed once. Speech touches most of the rest again, so
# trimming more often would only cost time.
CREPT_MB: Final = 8.0
CREPT_EVERY: Final = 120  # steps, of a second each


class MemoryTrim:
    """Stepped once a second. measure, release: replaced in tests.

    Never ends the service: if memory cannot be measured (for example without free descriptors), step() returns None
    and counts `memory_unread`.
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
        """This process's memory in MB PSS, or None if it cannot be measured.

        Trims at the first step and whenever memory has grown, but never during speech: it takes a frame or two.
        """
        try:
            return self._trimmed(speaking=speaking)
        except OSError:
            self._counters.count("memory_unread")
            return None

    def _trimmed(self, *, speaking: bool) -> float:
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
