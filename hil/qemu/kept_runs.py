"""Runs in guest time that were made before: what one run found is compared with the others of the same board."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hil.images import fingerprint

MOST = 8


class KeptRuns:
    """notes: their file. image, parts: what makes a board another one, so that its runs cannot be compared."""

    def __init__(self, notes: Path, image: Path, parts: Iterable[Path], command: list[str]) -> None:
        told = [fingerprint(image), *command, *(path.read_text() for path in sorted(parts))]
        self._key = hashlib.sha256("\n".join(told).encode()).hexdigest()
        self._notes = notes

    def runs(self) -> list[dict[str, Any]]:
        """The figures of each, the oldest first."""
        if not self._notes.exists():
            return []
        kept = json.loads(self._notes.read_text())
        return list(kept["runs"]) if kept["board"] == self._key else []

    def add(self, figures: dict[str, Any]) -> None:
        """Keep one more; the oldest goes when there are too many."""
        runs = [*self.runs(), figures][-MOST:]
        self._notes.write_text(json.dumps({"board": self._key, "runs": runs}, indent=1))
