"""The log's files: one a day, deleted when their time is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from mien.converse.visit.log.line import VisitLine, encoded
from mien.errors import ConfigError

_NAME: Final = "visits-{}.jsonl"
_DECODER: Final = msgspec.json.Decoder(VisitLine)


class VisitFiles:
    """folder: is made with the first visit, for its owner alone. keep_days: a file's days after its own."""

    def __init__(self, folder: Path, keep_days: int) -> None:
        self._folder, self._keep_days = folder, keep_days

    def write(self, line: VisitLine, now: datetime) -> None:
        """Append a visit to the day's file. now: the local time. Raises ConfigError where it cannot be written."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / _NAME.format(now.date().isoformat())
            path.touch(mode=0o600)
            with path.open("ab") as file:
                file.write(encoded(line))
        except OSError as error:
            raise ConfigError(f"visit.log: {error}; name a folder that mien converse may write to") from None

    def delete_old(self, today: date) -> list[str]:
        """Delete the files whose time is over. Returns their names."""
        oldest = today - timedelta(days=self._keep_days)
        old = [path for path, day in self._files() if day < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        return [path.name for path in old]

    def read(self, first: date, last: date) -> tuple[list[VisitLine], int]:
        """The visits of these days, both included, and how many lines could not be read."""
        found: list[VisitLine] = []
        bad = 0
        for path, day in self._files():
            if first <= day <= last:
                for line in path.read_bytes().splitlines():
                    try:
                        found.append(_DECODER.decode(line))
                    except msgspec.DecodeError:
                        bad += 1
        return found, bad

    def _files(self) -> Iterator[tuple[Path, date]]:
        for path in sorted(self._folder.glob(_NAME.format("*"))):
            try:
                yield path, date.fromisoformat(path.stem.removeprefix("visits-"))
            except ValueError:
                continue
