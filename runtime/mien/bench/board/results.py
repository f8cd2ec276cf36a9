"""Turns what was recorded while a board talked into the figures of its report."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bench.board.figures import fact, figure, spread
from mien.bench.board.report import Latency, Offset, OnScreen, Service
from mien.bench.board.resources import unmeasured
from mien.bench.board.talk import Mark, Talk
from mien.bench.offsets import FrameTrace, first_motion_ns, last_sound_ns, mouth_closed_ns, offsets_ms
from mien.units import NS_PER_MS

FIRST_SOUND: Final = 2  # of a mark
NEVER_STARTED: Final = "no turn was reported as started"
NEVER_MOVED: Final = "the mouth never moved visibly"
NEVER_CLOSED: Final = "the lips never closed after an interruption"
NEVER_SILENT: Final = "no interruption came while speech was heard"


def latency_of(talk: Talk, no_face: str, no_card: str) -> Latency:
    """no_face: why there is no face; "" if there is one. no_card: why there is no sound card."""
    silences = [
        (end_ns - sent_ns) / NS_PER_MS
        for sent_ns, epoch, played_ms in talk.cuts
        if np.isfinite(played_ms) and (end_ns := last_sound_ns(talk.anchors, int(epoch), played_ms)) is not None
    ]
    return Latency(
        first_sound_burst_ms=spread([mark[FIRST_SOUND] for mark in talk.burst], NEVER_STARTED),
        first_sound_stream_ms=spread([mark[FIRST_SOUND] for mark in talk.stream], NEVER_STARTED),
        first_motion_burst_ms=spread(_motions(talk.trace, talk.burst), no_face or NEVER_MOVED),
        first_motion_stream_ms=spread(_motions(talk.trace, talk.stream), no_face or NEVER_MOVED),
        barge_in_sound_ms=spread(silences, NEVER_SILENT),
        barge_in_lips_ms=spread(_closings(talk.trace, talk.cuts), no_face or NEVER_CLOSED),
        underruns=figure(
            None if no_card else talk.underruns, "the null sink has no underruns" if no_card else "no report came"
        ),
    )


def offset_of(talk: Talk, no_face: str) -> Offset:
    """The offset over all speech before the load."""
    if talk.trace is None:
        return Offset(median_ms=figure(None, no_face), absolute_ms=spread((), no_face))
    seen_ns, offsets = offsets_ms(talk.trace, talk.anchors)
    offsets = offsets[_within(seen_ns, talk.unloaded_ns)]
    none = "no frame was shown while speech was heard"
    return Offset(
        median_ms=figure(float(np.median(offsets)) if len(offsets) else None, none, 3),
        absolute_ms=spread(list(np.abs(offsets)), none),
    )


def on_screen_of(talk: Talk, size: str, no_face: str) -> OnScreen:
    """size: of the face's window, in words."""
    intervals = [] if talk.trace is None else _intervals_ms(talk.trace, talk.talking_ns)
    return OnScreen(
        size=fact(size, no_face),
        interval_ms=spread(intervals, no_face or talk.no_trace or "fewer than two frames with speech were shown"),
        missed_percent=figure(_missed_percent(talk), no_face or "the face reported no frames", 2),
    )


def services_of(talk: Talk, no_face: str) -> tuple[Service, Service]:
    """Voice and face, in this order."""
    absent = unmeasured(no_face or "the service did not run")
    voice, face = (
        Service(name=name, idle=talk.idle.get(name, absent), talking=talk.talking.get(name, absent))
        for name in ("voice", "face")
    )
    return voice, face


def _motions(trace: FrameTrace | None, marks: Sequence[Mark]) -> list[float]:
    if trace is None:
        return []
    seen = [(sent_ns, first_motion_ns(trace, sent_ns, done_ns)) for sent_ns, done_ns, _ in marks]
    return [(at_ns - sent_ns) / NS_PER_MS for sent_ns, at_ns in seen if at_ns is not None]


def _closings(trace: FrameTrace | None, cuts: Sequence[Mark]) -> list[float]:
    if trace is None:
        return []
    shut = [(sent_ns, mouth_closed_ns(trace, sent_ns)) for sent_ns, *_ in cuts]
    return [(at_ns - sent_ns) / NS_PER_MS for sent_ns, at_ns in shut if at_ns is not None]


def _intervals_ms(trace: FrameTrace, span_ns: tuple[int, int]) -> list[float]:
    """Between consecutive frames with speech."""
    rows = np.flatnonzero(_within(trace.visible_ns, span_ns) & (trace.media_ns >= 0))
    gaps = np.diff(trace.visible_ns[rows])[np.diff(rows) == 1]
    return list(gaps / NS_PER_MS)


def _missed_percent(talk: Talk) -> float | None:
    if talk.talking_health is None:
        return None
    before, after = talk.talking_health
    shown, missed = after.shown - before.shown, after.missed - before.missed
    return 100 * missed / (shown + missed) if shown + missed > 0 else None


def _within(at_ns: NDArray[np.int64], span_ns: tuple[int, int]) -> NDArray[np.bool_]:
    within: NDArray[np.bool_] = (at_ns >= span_ns[0]) & (at_ns <= span_ns[1])
    return within
