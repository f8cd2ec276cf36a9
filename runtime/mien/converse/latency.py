"""Where the time goes from the customer's last sound to mien's first."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import median
from typing import Final

from mien.units import NS_PER_MS

STAGES: Final = ("endpoint", "recognition", "answer", "first audio", "preroll", "all")


@dataclass(slots=True)
class Measured:
    """One answer, in ns of CLOCK_MONOTONIC.

    silence_ns: the silence was long enough. recognised_ns, thought_ns: the text and the answer's beginning were known;
    0: not yet.
    decided_ns: the turn was decided. sent_ns: the first speech was given to the voice. heard_ns: it was heard.
    """

    last_sound_ns: int
    silence_ns: int
    recognised_ns: int
    thought_ns: int
    decided_ns: int
    sent_ns: int = 0
    heard_ns: int = 0

    def stages_ms(self) -> dict[str, float]:
        """Each stage: the time that it adds to those before. They add up to "all"."""
        known = (self.silence_ns, self.recognised_ns, self.decided_ns, self.thought_ns, self.sent_ns, self.heard_ns)
        marks = list(accumulate((self.last_sound_ns, *known), max))
        silence, recognised, decided, thought, sent, heard = (
            round((mark - before) / NS_PER_MS, 1) for before, mark in pairwise(marks)
        )
        stages = (silence, recognised + decided, thought, sent, heard)
        return {**dict(zip(STAGES, stages, strict=False)), "all": round((marks[-1] - marks[0]) / NS_PER_MS, 1)}


@dataclass(slots=True)
class Latencies:
    """All answers of a session."""

    answers: list[Measured] = field(default_factory=list)

    def table(self) -> list[tuple[str, float, float]]:
        """(stage, median, 95th percentile) in ms over all that were heard."""
        found = [answer.stages_ms() for answer in self.answers if answer.heard_ns]
        if not found:
            return []
        rows = []
        for stage in STAGES:
            values = sorted(stages[stage] for stages in found)
            rows.append((stage, round(median(values), 1), values[min(len(values) - 1, int(0.95 * len(values)))]))
        return rows
