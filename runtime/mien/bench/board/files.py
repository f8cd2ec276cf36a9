"""Writes a report with its page, both or neither."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mien.bench.board.page import page_of
from mien.bench.board.report import BoardReport, as_json
from mien.errors import ConfigError, MienError


def paths_of(folder: Path, name: str) -> tuple[Path, Path]:
    """The JSON and the page."""
    return folder / f"{name}.json", folder / f"{name}.md"


def check_folder(folder: Path, name: str) -> None:
    """Raises ConfigError if the files could not be written: better before the run than after it."""
    if not folder.is_dir():
        raise ConfigError(f"--out {folder}: is not a folder; make it first")
    for path in paths_of(folder, name):
        if path.exists():
            raise ConfigError(f"{path}: exists already; move it away, or choose another --name")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(f"--out {folder}: cannot be written to: {error.strerror}") from None


def write_report(report: BoardReport, folder: Path) -> tuple[Path, Path]:
    """Write both files and return their paths. Raises MienError; no half file is left."""
    data, page = paths_of(folder, report.name)
    try:
        _write({page: page_of(report).encode(), data: as_json(report)})
    except OSError as error:
        raise MienError(f"{folder}: the report could not be written: {error.strerror}") from None
    return data, page


def _write(contents: Mapping[Path, bytes]) -> None:
    """Write each file beside its place, then move all into place."""
    ready: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            part = path.with_name(f".{path.name}.part")
            ready[part] = path
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for part, path in ready.items():
            part.replace(path)
    finally:
        for part in ready:
            part.unlink(missing_ok=True)
