"""Health of the face: a watchdog heartbeat fed by every thread, a report once a second."""

import os
from collections.abc import Callable

from mien.core import bus
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.face.presenter import Presenter
from mien.face.state import FaceState
from mien.render.base import Renderer
from mien.units import NS_PER_S, ns_to_ms


class Heartbeat:
    """Feeds systemd's watchdog once every part has advanced since the last feed: one dead thread stops the feeding.

    Progress counts, not time, so that a slow machine passes. feed: notifies systemd.
    """

    def __init__(self, feed: Callable[[], None]) -> None:
        self._feed = feed
        self._advanced: dict[str, bool] = {}

    def watch(self, part: str) -> None:
        """Require progress of this part from now on."""
        self._advanced[part] = False

    def advance(self, part: str) -> None:
        """Record progress of a part. Called by its own thread."""
        self._advanced[part] = True

    def feed(self) -> None:
        """Feed the watchdog if every part has advanced since the last feed. Called by one thread only."""
        if self._advanced and all(self._advanced.values()):
            for part in self._advanced:
                self._advanced[part] = False
            self._feed()


class FaceReporter:
    """Builds the FaceHealth report of the past second, for the voice and for observers."""

    def __init__(self, *, state: FaceState, pacer: DisplayPacer, counters: Counters, renderer: Renderer) -> None:
        self._state = state
        self._pacer = pacer
        self._counters = counters
        self._renderer = renderer
        self._shown_before = 0
        self._since_ns = 0

    def report(
        self,
        presenter: Presenter,
        level: str,
        pss_mb: float | None,
        now_ns: int,
        screen: bus.Screen = "on",
        brightness: float = 1.0,
    ) -> bus.FaceHealth:
        """The report; starts the next second. pss_mb: None where it could not be read. brightness: 0..1."""
        offsets = presenter.offsets_ms.median_and_abs_p95()
        presenter.offsets_ms.clear()
        seconds = max(1, now_ns - self._since_ns) / NS_PER_S
        fps = (self._pacer.shown - self._shown_before) / seconds if self._since_ns else 0.0
        self._shown_before, self._since_ns = self._pacer.shown, now_ns
        info = self._renderer.info
        lead_ns = self._state.lead_ns(now_ns)
        return bus.FaceHealth(
            epoch=max(0, self._state.epoch),
            pid=os.getpid(),
            level=level,
            fps=round(fps, 2),
            shown=self._pacer.shown,
            missed=self._pacer.missed,
            offset_median_ms=None if offsets is None else round(offsets[0], 3),
            offset_p95_ms=None if offsets is None else round(offsets[1], 3),
            motion_lead_ms=None if lead_ns is None else round(ns_to_ms(lead_ns), 1),
            pss_mb=None if pss_mb is None else round(pss_mb, 1),
            counters=self._counters.snapshot(),
            renderer=info.device or info.backend,
            quality=info.quality,
            idle=presenter.take_idle(),
            screen=screen,
            brightness=round(brightness, 3),
        )
