"""A batch of boards from a CSV file.

The first line names the columns: name, and where wanted site, said, captions, ear. The last three are yes or no.
"""

import csv
import io
from pathlib import Path
from typing import Final, NamedTuple

from mien.enrolment.storage import read
from mien.errors import ConfigError
from mien.printable import one_line

MOST_BYTES: Final = 4_000_000
FLAGS: Final = ("said", "captions", "ear")
_COLUMNS: Final = ("name", "site", *FLAGS)
_YES: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


class Wanted(NamedTuple):
    """A board to enrol. site empty: the fleet's."""

    name: str
    site: str = ""
    said: bool = False
    captions: bool = False
    ear: bool = False


def read_boards(path: Path) -> list[Wanted]:
    """The boards of a file. Raises ConfigError with the line."""
    raw = read(path)
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes: split it")
    try:
        rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        columns = [name.strip() for name in rows.fieldnames or ()]
        _check_columns(path, columns)
        rows.fieldnames = columns
        found = [_wanted(path, rows.line_num, row) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: no CSV in UTF-8: {error}") from None
    if not found:
        raise ConfigError(f"{path}: names no board")
    return found


def _check_columns(path: Path, columns: list[str]) -> None:
    unknown = [one_line(name, 40) for name in columns if name not in _COLUMNS]
    if unknown or "name" not in columns or len(set(columns)) != len(columns):
        what = f"unknown column {', '.join(unknown)}" if unknown else "no column `name`, or one twice"
        raise ConfigError(f"{path}: {what}; the first line names the columns: {', '.join(_COLUMNS)}")


def _wanted(path: Path, line: int, row: dict[str, str | None]) -> Wanted:
    values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    if None in row:
        raise ConfigError(f"{path}: line {line} has more fields than the first line")
    flags = {}
    for name in FLAGS:
        if values[name].lower() not in _YES:
            raise ConfigError(f"{path}: line {line}: {name} is {one_line(values[name], 40)!r}; write yes or no")
        flags[name] = _YES[values[name].lower()]
    return Wanted(values["name"], values["site"], **flags)
