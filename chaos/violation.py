"""What an oracle says when it sees what must not be."""

import threading
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Violation:
    """oracle: which one. about: a short key, equal for failures that are one. what: the whole of it, for a person.

    at_s: since the run began. context: what surrounds it, such as the end of a log.
    """

    oracle: str
    about: str
    what: str
    at_s: float = 0.0
    context: str = ""

    @property
    def key(self) -> str:
        """Two runs failed alike when this is equal."""
        return f"{self.oracle}/{self.about}"


@dataclass(slots=True)
class Verdicts:
    """Every violation of a run, the first of each kind in full. Safe for threads, and bounded."""

    most: int = 100
    began_s: float = field(default_factory=time.monotonic)
    found: list[Violation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, oracle: str, about: str, what: str, context: str = "") -> None:
        """Something is wrong."""
        violation = Violation(oracle, about, what, round(time.monotonic() - self.began_s, 2), context)
        with self._lock:
            self.counts[violation.key] = self.counts.get(violation.key, 0) + 1
            if self.counts[violation.key] == 1 and len(self.found) < self.most:
                self.found.append(violation)

    @property
    def first(self) -> Violation | None:
        """The one that came first."""
        return self.found[0] if self.found else None
