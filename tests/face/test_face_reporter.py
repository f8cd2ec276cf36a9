"""The face's report of the past second."""

import os
from types import SimpleNamespace

import pytest

from mien.core.stats import Counters
from mien.face.health import FaceReporter

SECOND_NS = 10**9


class Presenter:
    """offsets_ms: (median, 95th percentile of what is off), until they are cleared."""

    def __init__(self, offsets):
        self._offsets = offsets
        self.offsets_ms = self

    def median_and_abs_p95(self):
        return self._offsets

    def clear(self):
        self._offsets = None

    def take_idle(self):
        return True


@pytest.fixture
def rig():
    pacer = SimpleNamespace(shown=100, missed=3)
    state = SimpleNamespace(epoch=7, lead_ns=lambda _: 123_456_789)
    info = SimpleNamespace(device="V3D", backend="gles", quality="high")
    counters = Counters()
    counters.count("a", 2)
    reporter = FaceReporter(state=state, pacer=pacer, counters=counters, renderer=SimpleNamespace(info=info))
    return SimpleNamespace(pacer=pacer, state=state, info=info, reporter=reporter)


def test_all_that_is_known_is_told_and_rounded(rig):
    presenter = Presenter((-1.23456, 4.56789))
    told = rig.reporter.report(presenter, "full", 81.26, SECOND_NS, "dim", 0.123456)
    assert (told.epoch, told.pid, told.level, told.shown, told.missed) == (7, os.getpid(), "full", 100, 3)
    assert (told.offset_median_ms, told.offset_p95_ms, told.motion_lead_ms) == (-1.235, 4.568, 123.5)
    assert (told.pss_mb, told.counters, told.renderer, told.quality) == (81.3, {"a": 2}, "V3D", "high")
    assert (told.idle, told.screen, told.brightness) == (True, "dim", 0.123)


def test_what_is_not_known_is_told_so(rig):
    rig.state.epoch, rig.state.lead_ns, rig.info.device = -1, lambda _: None, ""
    told = rig.reporter.report(Presenter(None), "envelope", None, SECOND_NS)
    assert (told.epoch, told.motion_lead_ms, told.renderer, told.pss_mb) == (0, None, "gles", None)
    assert (told.offset_median_ms, told.offset_p95_ms, told.screen, told.brightness) == (None, None, "on", 1.0)


def test_the_rate_is_that_of_the_time_since_the_last_report(rig):
    assert rig.reporter.report(Presenter(None), "full", None, 5 * SECOND_NS).fps == 0.0
    rig.pacer.shown = 130
    assert rig.reporter.report(Presenter(None), "full", None, 6 * SECOND_NS + 1_234_567).fps == 29.96
    rig.pacer.shown = 150
    assert rig.reporter.report(Presenter(None), "full", None, 8 * SECOND_NS + 1_234_567).fps == 10.0


def test_offsets_are_told_once(rig):
    presenter = Presenter((1.0, 2.0))
    assert rig.reporter.report(presenter, "full", None, SECOND_NS).offset_median_ms == 1.0
    assert rig.reporter.report(presenter, "full", None, 2 * SECOND_NS).offset_median_ms is None
