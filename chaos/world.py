"""All that a run holds, and which faults of ours explain what is seen."""

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
from chaos.watchers import BusWatch, SystemdSocket

PLACES: Final = ("sound", "journal", "run", "keys", "face files", "systemd")
AFTER_S: Final = 15.0  # what a fault explains after its end: sessions are opened anew, a card is tried again


def patience(seconds: float) -> float:
    """So long on a machine with nothing else to do; up to four times as long on one with more to do than processors."""
    return seconds * min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


@dataclass(slots=True)
class Interval:
    """On what: voice, face, sound, journal, run. end_s: infinite while it lasts."""

    on: str
    start_s: float
    end_s: float = float("inf")


class Faults:
    """What the harness does to mien from beside the protocol. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Interval] = []

    def begin(self, on: str) -> Interval:
        """From now on."""
        fault = Interval(on, time.monotonic())
        with self._lock:
            self._all.append(fault)
            self._all = self._all[-400:]
        return fault

    def end(self, fault: Interval) -> None:
        """Until now."""
        fault.end_s = time.monotonic()

    def lasted(self, on: str, start_s: float, end_s: float) -> bool:
        """Whether something was done to it at any time between these."""
        with self._lock:
            return any(fault.on == on and fault.start_s <= end_s and fault.end_s >= start_s for fault in self._all)

    def explain(self, *on: str, since_s: float | None = None) -> bool:
        """Whether something was done to one of these since then, or within the last AFTER_S."""
        since_s = time.monotonic() if since_s is None else since_s
        with self._lock:
            return any(fault.on in on and fault.end_s + AFTER_S >= since_s for fault in self._all)


@dataclass(slots=True)
class World:
    """One run. doors: addresses for hostile clients. quiet: the conversation is asked to rest.

    one_at_a_time: what no two acts may change together. told: the newest Status and Floor that a client was told.
    """

    seed: int
    places: Places
    processes: Processes
    ear: Ear
    book: TurnBook
    bus: BusWatch
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
        """A number for a turn, never given before."""
        return next(self._numbers)

    def wait(self, seconds: float) -> bool:
        """Sleep. Returns whether the run goes on."""
        return not self.stopping.wait(seconds)

    @contextlib.contextmanager
    def doing(self, on: str) -> Iterator[None]:
        """Something is done to one of these: voice, face, sound, journal, run."""
        fault = self.faults.begin(on)
        try:
            yield
        finally:
            self.faults.end(fault)


Notes = dict[str, Any]
Fault = Callable[[World, Args], Notes]
