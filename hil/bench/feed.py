"""Timestamped output of a capture program, for screen and sound capture on a bench."""

import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from hil.errors import RigError

WAIT_S: Final = 5.0


class Feed:
    """Runs a command and splits its output into blocks of block_bytes; keeps the newest `kept`, with arrival times."""

    def __init__(self, part: str, command: Sequence[str], block_bytes: int, kept: int) -> None:
        """Raises RigError if the program is not installed."""
        self._part = part
        self._command = list(command)
        self._bytes = block_bytes
        self._blocks: deque[tuple[int, int, bytes]] = deque(maxlen=kept)
        self._count = 0
        self._news = threading.Condition()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise RigError(part, f"{self._command[0]} is not installed") from None
        self._thread = threading.Thread(target=self._read, name=part, daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        """Number of blocks received since the start."""
        return self._count

    def blocks(self, after: int) -> list[tuple[int, int, bytes]]:
        """(number from 0, arrival in ns, bytes) of each kept block from number `after` on."""
        with self._news:
            return [block for block in self._blocks if block[0] >= after]

    def wait(self, number: int, within_s: float = WAIT_S) -> None:
        """Wait for block `number`. Raises RigError with the program's output."""
        with self._news:
            there = self._news.wait_for(lambda: self._count > number or self._process.poll() is not None, within_s)
        if self._count <= number:
            why = "it delivers nothing" if not there else self._last_words()
            raise RigError(self._part, f"{' '.join(self._command)}: {why}")

    def close(self) -> None:
        """Stop the program; may be called twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._thread.join()

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode("utf-8", "replace").strip()[-300:]
        return f"ended with {self._process.poll()}: {said or 'no output'}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        while len(block := self._process.stdout.read(self._bytes)) == self._bytes:
            with self._news:
                self._blocks.append((self._count, time.monotonic_ns(), block))
                self._count += 1
                self._news.notify_all()
        self._process.wait()
        with self._news:
            self._news.notify_all()
