"""Keeps a face before the customer: what `mien run` does when mien-face ends."""

from collections.abc import Callable
from typing import Final, Protocol

from mien.units import NS_PER_MS, NS_PER_S

FIRST_NS: Final = 500 * NS_PER_MS
LONGEST_NS: Final = 30 * NS_PER_S
CALM_NS: Final = 60 * NS_PER_S  # a face that lived so long has a clean slate


class Child(Protocol):
    """What is asked of the process, as subprocess.Popen answers it."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        ...


class FaceKeeper:
    """Starts a face that ended again: after 0.5, 1, 2 ... 30 s, so at most seven times in a minute, and for ever.

    start: starts a face and returns it. say: tells the user, a line for each end and each start.
    """

    def __init__(self, start: Callable[[], Child], say: Callable[[str], None]) -> None:
        self._start = start
        self._say = say
        self._face: Child | None = None
        self._started_ns = 0
        self._due_ns = 0
        self._wait_ns = FIRST_NS

    def step(self, now_ns: int) -> None:
        """Look after it; to be called a few times a second. now_ns: monotonic."""
        if self._face is None:
            if now_ns >= self._due_ns:
                self._face, self._started_ns = self._start(), now_ns
            return
        code = self._face.poll()
        if code is None:
            return
        self._face = None
        if now_ns - self._started_ns >= CALM_NS:
            self._wait_ns = FIRST_NS
        self._due_ns = now_ns + self._wait_ns
        self._say(f"the face ended with {code}; another starts in {self._wait_ns / NS_PER_S:g} s")
        self._wait_ns = min(2 * self._wait_ns, LONGEST_NS)
