"""Sums up the log of a day or a month. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct

from mien.converse.latency import STAGES
from mien.converse.visit.log.line import VisitLine

TOP = 10


class StageLatency(Struct, frozen=True, kw_only=True):
    """One stage over all answers, in ms."""

    stage: str
    median_ms: float
    p95_ms: float


class Report(Struct, frozen=True, kw_only=True):
    """visits by hour and day are by the local time of their beginning; by_day leaves no day out between the first and
    the last with a visit. unreadable: lines that are no visits.

    answered_share: of the questions that were answered or refused; None without any. unanswered: with how often.
    """

    period: str
    visits: int
    funnel: dict[str, int]
    ended: dict[str, int]
    began_by: dict[str, int]
    questions: int
    answered: int
    refused: int
    interrupted: int
    answered_share: float | None
    by_touch: int
    calls: int
    calls_unanswered: int
    median_s: float | None
    by_hour: tuple[int, ...]
    by_day: dict[str, int]
    latencies: tuple[StageLatency, ...]
    unanswered: tuple[tuple[str, int], ...]
    unreadable: int = 0


def report(period: str, lines: Sequence[VisitLine], unreadable: int = 0) -> Report:
    """Sum up visits. period: for the title."""
    answered, refused = sum(line.answered for line in lines), sum(line.refused for line in lines)
    return Report(
        period=period,
        visits=len(lines),
        funnel={
            "greeted": sum(line.greeted_s is not None for line in lines),
            "asked": sum(line.questions > 0 for line in lines),
            "answered": sum(line.answered > 0 for line in lines),
            "called a person": sum(line.calls > 0 for line in lines),
            "talked to a person": sum(line.handed_over_s is not None for line in lines),
        },
        ended=dict(Counter(line.ended for line in lines).most_common()),
        began_by=dict(Counter(line.began_by for line in lines).most_common()),
        questions=sum(line.questions for line in lines),
        answered=answered,
        refused=refused,
        interrupted=sum(line.interrupted for line in lines),
        answered_share=round(answered / (answered + refused), 3) if answered + refused else None,
        by_touch=sum(line.touches > 0 for line in lines),
        calls=sum(line.calls for line in lines),
        calls_unanswered=sum(line.calls_unanswered for line in lines),
        median_s=round(median(line.lasted_s for line in lines), 1) if lines else None,
        by_hour=_by_hour(lines),
        by_day=_by_day(lines),
        latencies=tuple(_latencies(lines)),
        unanswered=_top(lines),
        unreadable=unreadable,
    )


def _by_hour(lines: Iterable[VisitLine]) -> tuple[int, ...]:
    hours = Counter(_began(line).hour for line in lines)
    return tuple(hours[hour] for hour in range(24))


def _by_day(lines: Iterable[VisitLine]) -> dict[str, int]:
    counts = Counter(_began(line).date() for line in lines)
    if not counts:
        return {}
    first, last = min(counts), max(counts)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {day.isoformat(): counts[day] for day in days}


def _began(line: VisitLine) -> datetime:
    return datetime.fromisoformat(line.utc.replace("Z", "+00:00")).astimezone()


def _latencies(lines: Iterable[VisitLine]) -> Iterable[StageLatency]:
    answers = [stages for line in lines for stages in line.latencies_ms]
    for stage in STAGES:
        values = sorted(stages[stage] for stages in answers if stage in stages)
        if values:
            high = values[min(len(values) - 1, int(0.95 * len(values)))]
            yield StageLatency(stage=stage, median_ms=round(median(values), 1), p95_ms=high)


def _top(lines: Iterable[VisitLine]) -> tuple[tuple[str, int], ...]:
    """The most frequent questions without an answer; spelling with capitals or a full stop makes no difference."""
    counts: Counter[str] = Counter()
    spelt: dict[str, str] = {}
    for line in lines:
        for text in line.unanswered:
            plain = text.strip(" .!?").lower()
            spelt.setdefault(plain, text)
            counts[plain] += 1
    return tuple((spelt[plain], count) for plain, count in counts.most_common(TOP))
