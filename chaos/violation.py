"""Violations, as reported by the oracles."""

import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Violation:
    """oracle: its name. about: a short key, equal for equal failures. what: the full text.

    at_s: since the start of the run. context: such as the end of a log.
    """

    oracle: str
    about: str
    what: str
    at_s: float = 0.0
    context: str = ""

    @property
    def key(self) -> str:
        """Equal for failures with the same cause."""
        return f"{self.oracle}/{self.about}"


@dataclass(slots=True)
class Verdicts:
    """All violations of a run, the first of each kind in full. Thread-safe and bounded."""

    most: int = 100
    began_s: float = field(default_factory=time.monotonic)
    found: list[Violation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, oracle: str, about: str, what: str, context: str = "") -> None:
        """Report a violation."""
        violation = Violation(oracle, about, what, round(time.monotonic() - self.began_s, 2), context)
        with self._lock:
            self.counts[violation.key] = self.counts.get(violation.key, 0) + 1
            if self.counts[violation.key] == 1 and len(self.found) < self.most:
                self.found.append(violation)

    @property
    def first(self) -> Violation | None:
        """The first violation."""
        return self.found[0] if self.found else None
