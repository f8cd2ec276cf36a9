"""Turn oracle: each turn that began is finished exactly once, in time; played_ms never decreases.

Pure: all times are passed in, in seconds of one clock. Thread-safe.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mien.core import wire

Wrong = Callable[[str, str, str], None]

REMEMBERED: Final = 512  # ended turns of which a second `finished` is still detected


@dataclass(slots=True)
class Entry:
    """One turn. due_s: when it must be finished; None while nothing is due. fate: how it ended, "" before."""

    number: int
    owner: str
    played_ms: float = 0.0
    started: bool = False
    due_s: float | None = None
    fate: str = ""
    finished: wire.Finished | None = None


class TurnBook:
    """patience_s: how long beyond its length a turn may take. wrong(oracle, about, what): called for violations."""

    def __init__(self, patience_s: float, wrong: Wrong) -> None:
        self._patience_s = patience_s
        self._wrong = wrong
        self._lock = threading.RLock()
        self._turns: dict[str, Entry] = {}
        self.begun = 0
        self.fates: dict[str, int] = {}

    def begin(self, name: str, number: int, owner: str) -> None:
        """Call before a turn's first audio is sent."""
        with self._lock:
            self._turns[name] = Entry(number, owner)
            self.begun += 1
            while len(self._turns) > REMEMBERED:
                oldest = next(iter(self._turns))
                if not self._turns[oldest].fate:
                    break
                del self._turns[oldest]

    def ended(self, name: str, now_s: float, length_s: float) -> None:
        """Everything was sent: a `finished` is due."""
        with self._lock:
            entry = self._turns.get(name)
            if entry is not None and not entry.fate:
                entry.due_s = now_s + length_s + self._patience_s

    def excuse(self, name: str, why: str) -> None:
        """No `finished` is due: the turn was refused at its first chunk, or its session is lost."""
        with self._lock:
            entry = self._turns.get(name)
            if entry is not None and not entry.fate:
                self._end(entry, why)

    def excuse_all(self, owner: str, why: str) -> list[str]:
        """The same for every open turn of a client. Returns their names."""
        with self._lock:
            names = [name for name, entry in self._turns.items() if entry.owner == owner and not entry.fate]
            for name in names:
                self._end(self._turns[name], why)
            return names

    def postpone(self, by_s: float) -> None:
        """Extend deadlines: the voice was blocked from outside for so long."""
        with self._lock:
            for entry in self._turns.values():
                if entry.due_s is not None:
                    entry.due_s += by_s

    def event(self, owner: str, message: object) -> Entry | None:
        """Process a message to a client. Returns the entry of its turn."""
        with self._lock:
            entry = self._turns.get(getattr(message, "turn", None) or "")
            if entry is None or entry.owner != owner:
                return None
            match message:
                case wire.Started():
                    if entry.started:
                        self._wrong("turns", "started twice", f"{message.turn}: received a second `started`")
                    entry.started = True
                case wire.Progress() | wire.Stalled():
                    self._played(entry, message.turn, message.played_ms)
                case wire.Finished():
                    self._finished(entry, message)
            return entry

    def check(self, now_s: float) -> list[str]:
        """Overdue turns, in words, each reported once."""
        overdue = []
        with self._lock:
            for name, entry in self._turns.items():
                if entry.due_s is not None and not entry.fate and now_s > entry.due_s:
                    overdue.append(f"{name} (reported as played: {entry.played_ms:.0f} ms, started: {entry.started})")
                    self._end(entry, "overdue")
        return overdue

    def open_of(self, owner: str) -> int:
        """How many turns of a client are open."""
        with self._lock:
            return sum(entry.owner == owner and not entry.fate for entry in self._turns.values())

    def _played(self, entry: Entry, name: str, played_ms: float) -> None:
        if played_ms < entry.played_ms - 0.01:
            self._wrong("played_ms", "went back", f"{name}: played_ms went from {entry.played_ms} to {played_ms}")
        entry.played_ms = max(entry.played_ms, played_ms)

    def _finished(self, entry: Entry, message: wire.Finished) -> None:
        self._played(entry, message.turn, message.played_ms)
        if entry.finished is not None:
            self._wrong(
                "turns",
                "finished twice",
                f"{message.turn}: finished as {entry.finished.reason}, and again as {message.reason}",
            )
        elif entry.fate == "refused":
            self._wrong(
                "turns",
                "finished unbegun",
                f"{message.turn}: refused at its first chunk, yet finished as {message.reason}",
            )
        entry.finished = message
        if not entry.fate:
            self._end(entry, message.reason)

    def _end(self, entry: Entry, fate: str) -> None:
        entry.fate = fate
        self.fates[fate] = self.fates.get(fate, 0) + 1
