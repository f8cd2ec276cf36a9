"""What the face reports once a second: to the voice, to watchers and to systemd."""

import os

from mien.core import bus
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.face.motion_stage import Score
from mien.face.presenter import Presenter
from mien.render.base import Renderer
from mien.units import NS_PER_S, ns_to_ms


class FaceReporter:
    """Makes the FaceHealth of the second that has passed."""

    def __init__(self, *, score: Score, pacer: DisplayPacer, counters: Counters, renderer: Renderer) -> None:
        self._score = score
        self._pacer = pacer
        self._counters = counters
        self._renderer = renderer
        self._shown_before = 0
        self._since_ns = 0

    def report(
        self, presenter: Presenter, level: str, pss_mb: float | None, now_ns: int, screen: bus.Screen = "on"
    ) -> bus.FaceHealth:
        """The report; starts the next second. pss_mb: None where it could not be read."""
        offsets = presenter.offsets_ms.median_and_abs_p95()
        presenter.offsets_ms.clear()
        seconds = max(1, now_ns - self._since_ns) / NS_PER_S
        fps = (self._pacer.shown - self._shown_before) / seconds if self._since_ns else 0.0
        self._shown_before, self._since_ns = self._pacer.shown, now_ns
        info = self._renderer.info
        return bus.FaceHealth(
            epoch=max(0, self._score.clock.epoch),
            pid=os.getpid(),
            level=level,
            fps=round(fps, 2),
            shown=self._pacer.shown,
            missed=self._pacer.missed,
            offset_median_ms=None if offsets is None else round(offsets[0], 3),
            offset_p95_ms=None if offsets is None else round(offsets[1], 3),
            motion_lead_ms=self._lead_ms(now_ns),
            pss_mb=None if pss_mb is None else round(pss_mb, 1),
            counters=self._counters.snapshot(),
            renderer=info.device or info.backend,
            quality=info.quality,
            idle=presenter.take_idle(),
            screen=screen,
        )

    def _lead_ms(self, now_ns: int) -> float | None:
        with self._score.lock:
            anchor = self._score.clock.anchor
            if anchor is None or anchor.phase != "speaking":
                return None
            return round(ns_to_ms(self._score.timeline.end_ns - self._score.clock.media_ns(now_ns)), 1)
