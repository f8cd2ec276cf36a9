"""Where the time goes from the customer's last sound to mien's first."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Final

from mien.units import NS_PER_MS

STAGES: Final = ("endpoint", "recognition", "answer", "first audio", "preroll", "all")


@dataclass(slots=True)
class Measured:
    """One answer. All CLOCK_MONOTONIC in ns: of the last sound, of results, of the decision, of the first sound.

    sent_ns: the first speech was given to the voice. heard_ns: it was heard.
    """

    last_sound_ns: int
    recognised_ns: int
    thought_ns: int
    decided_ns: int
    sent_ns: int = 0
    heard_ns: int = 0

    def stages_ms(self) -> dict[str, float]:
        """Each stage: the time that it adds beyond the one before. They add up to "all"."""
        endpoint = self.decided_ns - self.last_sound_ns
        late_text = max(0, min(self.recognised_ns, self.decided_ns) - self.last_sound_ns)
        recognition = max(0, late_text - endpoint)
        answered = max(self.decided_ns, self.thought_ns)
        parts = (
            endpoint,
            recognition,
            answered - self.decided_ns,
            self.sent_ns - answered,
            self.heard_ns - self.sent_ns,
        )
        return {
            **{name: round(part / NS_PER_MS, 1) for name, part in zip(STAGES, parts, strict=False)},
            "all": round((self.heard_ns - self.last_sound_ns) / NS_PER_MS, 1),
        }


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
