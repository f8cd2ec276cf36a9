"""Terminal helpers that the commands share: safe output, a progress bar, checked numbers.

Data is never markup: a Z85 key, a file name or a caption may contain [b], [/] or :x:.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.status import Status
from rich.text import Text

from mien.printable import one_line, without_controls

_DESCRIPTION_CHARACTERS: Final = 40


class FiniteRange(click.FloatRange):
    """A number within bounds. click's own range accepts "nan" everywhere, and "inf" where a bound is open."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def data_console(*, stderr: bool = False) -> Console:
    """A console that prints strings literally, in tables as well."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def shown(text: str, style: str = "") -> Text:
    """Untrusted text as one line without control characters, which could steer the terminal."""
    return Text(without_controls(text), style=style)


def teller(status: Status) -> Callable[[str], None]:
    """A function with which a long command reports its current step."""
    return lambda text: status.update(shown(text))


@contextmanager
def heard_bar(what: str, *, shown: bool) -> Iterator[Callable[[float, float], None]]:
    """A progress bar on stderr; call it with (heard_ms, sent_ms). Hidden when stderr is no terminal or not `shown`."""
    console = data_console(stderr=True)
    columns: tuple[ProgressColumn, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.1f} of {task.total:.1f} s heard", markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(one_line(what, _DESCRIPTION_CHARACTERS), total=0.1)

        def update(heard_ms: float, sent_ms: float) -> None:
            progress.update(task, completed=heard_ms / 1000, total=max(0.1, sent_ms / 1000))

        yield update
