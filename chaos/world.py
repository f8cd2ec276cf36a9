"""Shared state of a run, including which injected faults explain what the oracles see."""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from chaos.ear import Ear
from chaos.places import Places
from chaos.plan import Args
from chaos.processes import Processes
from chaos.turns import TurnBook
from chaos.violation import Verdicts
from chaos.watchers import BusWatch, EarWatch, SystemdSocket

PLACES: Final = ("sound", "journal", "run", "keys", "face files", "systemd")
AFTER_S: Final = 15.0  # how long a fault has effects after its end: sessions reconnect, the sound card is retried


def patience(seconds: float) -> float:
    """Scale a duration for an idle machine by the load: up to four times as long if it is overloaded."""
    return seconds * min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


@dataclass(slots=True)
class Interval:
    """on: the affected part: one of voice, face, ear, sound, journal, run. end_s: infinite while it lasts."""

    on: str
    start_s: float
    end_s: float = float("inf")


class Faults:
    """Faults injected outside the protocol. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Interval] = []

    def begin(self, on: str) -> Interval:
        """Begin a fault."""
        fault = Interval(on, time.monotonic())
        with self._lock:
            self._all.append(fault)
            self._all = self._all[-400:]
        return fault

    def end(self, fault: Interval) -> None:
        """Until now."""
        fault.end_s = time.monotonic()

    def lasted(self, on: str, start_s: float, end_s: float) -> bool:
        """Whether a fault affected it at any time in this interval."""
        with self._lock:
            return any(fault.on == on and fault.start_s <= end_s and fault.end_s >= start_s for fault in self._all)

    def explain(self, *on: str, since_s: float | None = None) -> bool:
        """Whether a fault affected one of these since then, or within the last AFTER_S."""
        since_s = time.monotonic() if since_s is None else since_s
        with self._lock:
            return any(fault.on in on and fault.end_s + AFTER_S >= since_s for fault in self._all)


@dataclass(slots=True)
class World:
    """One run. doors: addresses for hostile clients. quiet: asks the actors to pause.

    one_at_a_time: locks for what no two acts may change concurrently. told: the newest Status and Floor received.
    """

    seed: int
    places: Places
    processes: Processes
    ear: Ear
    book: TurnBook
    bus: BusWatch
    ears: EarWatch
    systemd: SystemdSocket
    verdicts: Verdicts
    doors: dict[str, Any]
    endpoints: dict[str, str]
    faults: Faults = field(default_factory=Faults)
    quiet: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    face_losses: int = 0
    told: dict[str, object] = field(default_factory=dict)
    one_at_a_time: dict[str, threading.RLock] = field(default_factory=lambda: {on: threading.RLock() for on in PLACES})
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def number(self) -> int:
        """A new, unique number for a turn."""
        return next(self._numbers)

    def wait(self, seconds: float) -> bool:
        """Sleep. Returns whether the run continues."""
        return not self.stopping.wait(seconds)

    @contextlib.contextmanager
    def doing(self, on: str) -> Iterator[None]:
        """Context of a fault that affects voice, face, sound, journal or run."""
        fault = self.faults.begin(on)
        try:
            yield
        finally:
            self.faults.end(fault)


Notes = dict[str, Any]
Fault = Callable[[World, Args], Notes]
