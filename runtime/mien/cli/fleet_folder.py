"""Opens the fleet's folder for a command, or says which extra is missing."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mien.enrolment.storage import locked
from mien.errors import ConfigError

if TYPE_CHECKING:
    from mien.enrolment.fleet import Fleet

BRING: Final = "bring the folder broker/ to the broker, and reload it: systemctl reload mosquitto"


@contextmanager
def opened(folder: Path | None) -> Iterator[Fleet]:
    """The fleet of a folder, for this command alone. Raises ConfigError."""
    need_cryptography()
    from mien.enrolment.fleet import Fleet

    where = folder or Path()
    with locked(where):
        yield Fleet(where)


def need_cryptography() -> None:
    """Raises ConfigError where the extra is missing."""
    try:
        importlib.import_module("cryptography")
    except ModuleNotFoundError:
        raise ConfigError("keys are made with the package cryptography: pip install 'mien[fleet]'") from None


def told(path: Path) -> str:
    """A path for the terminal."""
    return click.format_filename(path)
