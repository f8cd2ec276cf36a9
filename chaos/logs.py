"""Log oracle: no tracebacks, assertions or floods of lines."""

import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

Wrong = Callable[[str, str, str], None]

BAD: Final = re.compile(
    r"Traceback \(most recent call last\)|Exception (in|ignored)|Assertion failed|Fatal Python error|"
    r"Task exception was never retrieved|terminate called|Segmentation fault|Bad address|Logging error"
)
FACE_LOST: Final = re.compile(r"-> audio_only: the face")
WINDOW_S: Final = 10.0
MOST_LINES: Final = 300  # per WINDOW_S
AROUND: Final = 4000


class LogOracle:
    """Follows a log. excused(): whether an injected fault explains messages now."""

    def __init__(
        self, name: str, path: Path, wrong: Callable[[str, str, str, str], None], excused: Callable[[str], bool]
    ) -> None:
        self._name = name
        self._path = path
        self._wrong = wrong
        self._excused = excused
        self._at = 0
        self._tail = ""
        self._lines: deque[tuple[float, int]] = deque()
        self.face_losses = 0

    @property
    def tail(self) -> str:
        """The last lines of the log."""
        return self._tail

    def step(self) -> None:
        """Read new lines."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                new = file.read(1 << 20)
        except OSError:
            return
        self._at += len(new)
        if not new:
            return
        text = new.decode(errors="replace")
        self.take(text, time.monotonic())

    def take(self, text: str, now_s: float) -> None:
        """Check more text of the log."""
        self._tail = (self._tail + text)[-AROUND:]
        self.face_losses += len(FACE_LOST.findall(text))
        self._count(text.count("\n"), now_s)
        found = BAD.search(text)
        if found and not self._excused(self._tail):
            self._wrong("log", f"{self._name} {_what(self._tail)}", f"mien-{self._name} wrote: {found[0]}", self._tail)

    def _count(self, lines: int, now_s: float) -> None:
        self._lines.append((now_s, lines))
        while self._lines and now_s - self._lines[0][0] > WINDOW_S:
            self._lines.popleft()
        total = sum(count for _, count in self._lines)
        if total > MOST_LINES:
            self._wrong(
                "log",
                f"{self._name} flood",
                f"mien-{self._name} wrote {total} lines within {WINDOW_S:.0f} s",
                self._tail,
            )
            self._lines.clear()


def _what(text: str) -> str:
    """The last line that looks like an exception, as the key."""
    found = re.findall(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception|Failed|Interrupt|Again)): ", text, re.MULTILINE)
    return found[-1] if found else "fault"
