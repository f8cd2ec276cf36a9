"""The part of `mien bench` that measures a whole board: progress, files, how to publish them."""

import platform
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import click
from rich.status import Status

from mien.bench.board.report import BoardReport
from mien.cli.terminal import data_console, shown
from mien.errors import ConfigError
from mien.host.board import board_model

DEFAULT_MINUTES: Final = 10.0
FEWEST_MINUTES: Final = 1.0
MOST_NAME: Final = 60


class Follow:
    """Reports the step of a long run: in place on a terminal, otherwise one line for each new step.

    A step is "what: detail"; what is the same for as long as the step lasts.
    """

    def __init__(self, status: Status, minutes: float, *, live: bool, echo: Callable[[str], None]) -> None:
        self._status = status
        self._about_s = minutes * 60
        self._live = live
        self._echo = echo
        self._began_s = time.monotonic()
        self._what = ""

    def __call__(self, step: str) -> None:
        gone_s = time.monotonic() - self._began_s
        text = f"{_clock(gone_s)} of about {_clock(self._about_s)}  {step}"
        if self._live:
            self._status.update(shown(text))
        elif (what := step.partition(":")[0]) != self._what:
            self._what = what
            self._echo(text)


def measure_board(minutes: float | None, name: str | None, note: str, out: Path, pairs: tuple[str, ...]) -> BoardReport:
    """Measure this machine and write its files. Raises MienError."""
    from mien.bench.board.files import check_folder, write_report
    from mien.bench.board.run import Request, run_board

    request = Request(minutes=checked_minutes(minutes), name=checked_name(name), note=checked_note(note), pairs=pairs)
    check_folder(out, request.name)
    console = data_console(stderr=True)
    with console.status("starting") as status:
        echo = partial(click.echo, err=True)
        report = run_board(request, Follow(status, request.minutes, live=console.is_terminal, echo=echo))
    data, page = write_report(report, out)
    click.echo(how_to_publish(data, page), err=True)
    return report


def checked_minutes(minutes: float | None) -> float:
    """Raises ConfigError for a length that is too short to measure, or too long for the face's record."""
    from mien.bench.board.plan import MOST_MINUTES

    if minutes is None:
        return DEFAULT_MINUTES
    if not FEWEST_MINUTES <= minutes <= MOST_MINUTES:
        raise ConfigError(f"--minutes {minutes:g}: measure a board for {FEWEST_MINUTES:g} to {MOST_MINUTES} minutes")
    return minutes


def checked_name(name: str | None) -> str:
    """The name of the files; by default after the board. Raises ConfigError."""
    from mien.bench.board.private import secrets_of

    if name is None:
        return slug(board_model() or f"{platform.machine()}-desktop")
    if slug(name) != name:
        raise ConfigError(f"--name {name}: use small letters, digits and single hyphens, such as raspberry-pi-4-hdmi")
    if name in secrets_of():
        raise ConfigError(f"--name {name}: is the name of this machine or its user, and the file is to be published")
    return name


def checked_note(note: str) -> str:
    """Raises ConfigError if the note holds what must not be published."""
    from mien.bench.board.figures import MAX_LINE, line
    from mien.bench.board.private import scrubbed, secrets_of

    if line(note) != note.strip():
        raise ConfigError(f"--note: write one line of at most {MAX_LINE} characters, without |")
    if scrubbed(note, secrets_of()) != note:
        raise ConfigError("--note: names this machine, its user, an address or a path, and the file is to be published")
    return note.strip()


def slug(text: str) -> str:
    """A name of small letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:MOST_NAME].strip("-")


def how_to_publish(data: Path, page: Path) -> str:
    """What to do with the files."""
    return (
        f"Wrote {data} and {page}. Nothing was sent anywhere.\n"
        "To publish: read the page; it holds no host name, user, address, serial number or path. In a clone of mien,\n"
        f"put {data.name} into docs/boards/, run `make boards`, and open a pull request with what that changed."
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
