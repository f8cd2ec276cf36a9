"""One visit as one line of the log."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from mien.converse.visit.record import End, Record, Touch
from mien.units import NS_PER_S


class VisitLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """utc: the beginning. Times in s from it; None: it did not happen. latencies_ms: of each answer, by stage.

    touched_by: with what buttons were chosen: "touch", "mouse", "key". language, captions: at the end of the visit.

    unanswered: questions without an answer, masked, where the configuration keeps them.
    """

    utc: str
    began_by: str
    ended: End
    lasted_s: float
    language: str = ""
    captions: bool = False
    greeted_s: float | None = None
    first_question_s: float | None = None
    first_answer_s: float | None = None
    called_s: float | None = None
    handed_over_s: float | None = None
    questions: int = 0
    answered: int = 0
    refused: int = 0
    interrupted: int = 0
    touches: int = 0
    touched_by: tuple[Touch, ...] = ()
    extensions: int = 0
    calls: int = 0
    calls_unanswered: int = 0
    consented: bool | None = None
    latencies_ms: tuple[dict[str, float], ...] = ()
    unanswered: tuple[str, ...] = ()


def visit_line(
    record: Record,
    began: datetime,
    *,
    latencies_ms: tuple[dict[str, float], ...] = (),
    unanswered: tuple[str, ...] = (),
) -> VisitLine:
    """The line of a record. began: when it began, with its time zone."""

    def after_s(at_ns: int) -> float | None:
        return round((at_ns - record.began_ns) / NS_PER_S, 2) if at_ns else None

    return VisitLine(
        utc=began.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        began_by=record.began_by,
        ended=record.ended,
        lasted_s=after_s(record.ended_ns) or 0.0,
        language=record.language,
        captions=record.captions,
        greeted_s=after_s(record.greeted_ns),
        first_question_s=after_s(record.first_question_ns),
        first_answer_s=after_s(record.first_answer_ns),
        called_s=after_s(record.called_ns),
        handed_over_s=after_s(record.handed_over_ns),
        questions=record.questions,
        answered=record.answered,
        refused=record.refused,
        interrupted=record.interrupted,
        touches=record.touches,
        touched_by=tuple(sorted(record.touched_by)),
        extensions=record.extensions,
        calls=record.calls,
        calls_unanswered=record.calls_unanswered,
        consented=record.consented,
        latencies_ms=latencies_ms,
        unanswered=unanswered,
    )


def encoded(line: VisitLine) -> bytes:
    """JSON with its line feed."""
    return msgspec.json.encode(line) + b"\n"
