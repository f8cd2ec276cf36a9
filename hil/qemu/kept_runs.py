"""Stored results of earlier runs in guest time, for comparison with new runs of the same board."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hil.images import fingerprint

MOST = 8


class KeptRuns:
    """notes: the file that stores them. image, parts, command: identify the board; runs of others are ignored."""

    def __init__(self, notes: Path, image: Path, parts: Iterable[Path], command: list[str]) -> None:
        told = [fingerprint(image), *command, *(path.read_text() for path in sorted(parts))]
        self._key = hashlib.sha256("\n".join(told).encode()).hexdigest()
        self._notes = notes

    def runs(self) -> list[dict[str, Any]]:
        """The figures of each run, oldest first."""
        if not self._notes.exists():
            return []
        kept = json.loads(self._notes.read_text())
        return list(kept["runs"]) if kept["board"] == self._key else []

    def add(self, figures: dict[str, Any]) -> None:
        """Store one more, dropping the oldest beyond MOST."""
        runs = [*self.runs(), figures][-MOST:]
        self._notes.write_text(json.dumps({"board": self._key, "runs": runs}, indent=1))
