"""Scores of one adapter: what its framework was told, against what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.bench.adapters.driver import Segment, Verdict
from mien.bench.adapters.truth import HeardSegment
from mien.bench.rows import Row, percentile_row
from mien.units import NS_PER_MS

POSITION_BAR_MS: Final = 20.0
FIRST_SOUND_BAR_MS: Final = 10.0
SILENCE_BAR_MS: Final = 60.0
MEMORY_BAR_MB: Final = 4.0  # between the first quarter of the script and its end: buffers of the framework still settle
BLURRED_FRAMES: Final = 200  # that fades at the ends and at pauses may make unreadable, of the code and not of speech
EXACT_MS: Final = 20.0  # a word that ends this near to the cut counts as cut


@dataclass(frozen=True, slots=True)
class Outcome:
    """One segment of the script. verdict: None when it hung. finishes: how often the framework was told its end."""

    segment: Segment
    verdict: Verdict | None
    finishes: int
    heard: HeardSegment | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Private memory of the framework's process in MB: after a quarter of the script, and at its end."""

    early_mb: float
    late_mb: float


def rows_of(
    name: str,
    rate_hz: int,
    script: Sequence[Outcome],
    plain: Sequence[Outcome],
    baseline: Sequence[Outcome],
    memory: Memory,
) -> list[Row]:
    """The rows. script: the seeded segments. plain, baseline: bursts through the adapter, and through mien.client."""
    everything = [*script, *plain]
    hung = [one.segment.number for one in everything if one.verdict is None]
    miscounted = [f"{one.segment.number} ({one.finishes})" for one in everything if one.finishes != 1]
    positions = [error for one in everything if (error := position_error_ms(one, rate_hz)) is not None]
    with_words = [one for one in everything if one.verdict is not None and one.verdict.words is not None]
    wrong_words = [one.segment.number for one in with_words if not words_right(one, rate_hz)]
    silences = [ms for one in script if (ms := silence_ms(one)) is not None]
    unheard = [one.segment.number for one in everything if incomplete(one)]
    added = first_sound_added_ms(plain, baseline)
    return [
        _count(f"{name}: segments that hung", hung, len(everything)),
        _count(f"{name}: segments not finished exactly once", miscounted, len(everything)),
        _count(f"{name}: segments heard with a gap, a repetition or an early end", unheard, len(everything)),
        percentile_row(f"{name}: reported position against the recording, p95", positions, 95, bar=POSITION_BAR_MS)
        if positions
        else _untold(f"{name}: reported position"),
        _count(f"{name}: segments with wrong words", wrong_words, len(with_words))
        if with_words
        else _untold(f"{name}: words"),
        Row(
            name=f"{name}: first sound added to mien.client's, p95",
            value=added,
            unit="ms",
            bar=FIRST_SOUND_BAR_MS,
            samples=len(plain),
        ),
        percentile_row(f"{name}: interruption to silence, p95", silences, 95, bar=SILENCE_BAR_MS),
        Row(
            name=f"{name}: growth of memory over the script",
            value=round(memory.late_mb - memory.early_mb, 2),
            unit="MB",
            bar=MEMORY_BAR_MB,
        ),
    ]


def _count(name: str, which: Sequence[object], samples: int) -> Row:
    shown = ", ".join(map(str, which[:8]))
    return Row(name=name, value=len(which), unit="", bar=0, samples=samples, note=shown)


def _untold(name: str) -> Row:
    return Row(name=name, value=None, unit="", samples=0, note="the framework is told none")


def heard_ms(one: Outcome, rate_hz: int) -> float:
    """How much of a segment the recording holds, in ms."""
    return 0.0 if one.heard is None else one.heard.frames * 1000 / rate_hz


def position_error_ms(one: Outcome, rate_hz: int) -> float | None:
    """|reported - heard| in ms; None where no position was reported."""
    if one.verdict is None or one.verdict.position_ms is None:
        return None
    return abs(one.verdict.position_ms - heard_ms(one, rate_hz))


def words_right(one: Outcome, rate_hz: int) -> bool:
    """Whether the reported words are those that were heard; the one that was cut may be among them or not."""
    if one.verdict is None or one.verdict.words is None:
        return True
    ms, told = heard_ms(one, rate_hz), one.verdict.words
    whole = [word.text for word in one.segment.words if word.end_ms <= ms - EXACT_MS]
    begun = [word.text for word in one.segment.words if word.start_ms < ms + EXACT_MS]
    return len(whole) <= len(told) <= min(len(begun), len(whole) + 2) and list(told) == begun[: len(told)]


def silence_ms(one: Outcome) -> float | None:
    """From the framework's interruption to the last sample heard, in ms, at least 0; None where nothing was cut."""
    if one.verdict is None or one.verdict.interrupted_ns is None or one.heard is None:
        return None
    return max(0.0, (one.heard.last_ns - one.verdict.interrupted_ns) / NS_PER_MS)


def incomplete(one: Outcome) -> bool:
    """Whether sound is missing within or repeated, or a segment that nobody interrupted was cut."""
    if one.heard is None:
        return one.verdict is not None and one.verdict.interrupted_ns is None
    cut = one.verdict is not None and one.verdict.interrupted_ns is None and not one.verdict.interrupted
    short = cut and one.heard.frames < len(one.segment.pcm) - BLURRED_FRAMES
    return short or one.heard.repeated > 0 or one.heard.lost > BLURRED_FRAMES


def first_sound_added_ms(plain: Sequence[Outcome], baseline: Sequence[Outcome]) -> float | None:
    """The difference of the 95th percentiles from the first push to the first sample heard; None without samples."""
    theirs, ours = _first_sounds_ms(plain), _first_sounds_ms(baseline)
    if not theirs or not ours:
        return None
    return round(float(np.percentile(theirs, 95) - np.percentile(ours, 95)), 3)


def _first_sounds_ms(outcomes: Sequence[Outcome]) -> list[float]:
    return [
        (one.heard.first_ns - one.verdict.pushed_ns) / NS_PER_MS
        for one in outcomes
        if one.heard is not None and one.verdict is not None
    ]
