"""Files of the lip measure: alignments with their motion as CSV."""

import csv
import io
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from mien.bench.lip_phones import on_grid
from mien.bench.lip_score import Prompt, prompt_of, see
from mien.errors import MienError

MOST_BYTES: Final = 256 << 20
LONGEST_S: Final = 3600.0
FORM: Final = '{prompt: {"dur": s, "phones": [[phone, start_s, end_s], ...]}}'
Columns = dict[str, NDArray[np.float64]]


class Alignment(Struct, frozen=True):
    """One recording: its length in s, and (phone, start_s, end_s, anything else) for each phone."""

    dur: Annotated[float, Meta(gt=0, le=LONGEST_S)]
    phones: list[list[str | float | int | None]]


def read_alignments(path: Path) -> dict[str, Alignment]:
    """{prompt: alignment}. Raises MienError that names the field, OSError."""
    try:
        found = msgspec.json.decode(_bytes(path), type=dict[str, Alignment])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MienError(f"{path}: {error}; expected {FORM}") from None
    for name, one in found.items():
        for number, row in enumerate(one.phones):
            if not _is_phone(row):
                raise MienError(f"{path}: {name}.phones[{number}] is not [phone, start_s, end_s]: {row}")
    if not found:
        raise MienError(f"{path}: holds no prompt")
    return found


def read_motion(path: Path) -> Columns:
    """The columns of a CSV as `mien motion` writes it, each (rows,). Raises MienError, OSError."""
    try:
        rows = list(csv.reader(io.StringIO(_bytes(path).decode("utf-8-sig"))))
        names = [name.strip() for name in rows[0]] if rows else []
        table = np.array([[float(cell) for cell in row] for row in rows[1:]], dtype=np.float64)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise MienError(f"{path}: is not a CSV of numbers ({error}); `mien motion WAV --out CSV` writes one") from None
    if "time_s" not in names or table.ndim != 2 or table.shape[1] != len(names) or not np.isfinite(table).all():
        raise MienError(f"{path}: needs a header with time_s, and a number in each column of each row")
    columns = {name: table[:, index] for index, name in enumerate(names)}
    if (np.diff(columns["time_s"]) < 0).any():
        raise MienError(f"{path}: time_s goes back")
    return columns


def aligned_prompt(alignment: Alignment, columns: Columns) -> Prompt:
    """A prompt to score from an alignment, and its motion."""
    timed = [(str(row[0]), _number(row[1]), _number(row[2])) for row in alignment.phones]
    track = on_grid(timed, alignment.dur)
    return prompt_of(track, see(columns, columns["time_s"], len(track)))


def file_stem(prompt: str) -> str:
    """The name of a prompt's file: folders in it become underscores."""
    return prompt.replace("/", "_")


def _is_phone(row: list[str | float | int | None]) -> bool:
    return (
        len(row) >= 3
        and isinstance(row[0], str)
        and all(isinstance(time_s, int | float) and abs(time_s) <= LONGEST_S for time_s in row[1:3])
        and _number(row[1]) <= _number(row[2])
    )


def _number(value: str | float | int | None) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise MienError(f"{path}: is larger than {MOST_BYTES >> 20} MB")
    return path.read_bytes()
