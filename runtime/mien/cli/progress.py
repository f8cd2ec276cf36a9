"""What was heard so far, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn

from mien.cli.terminal import data_console
from mien.printable import one_line

_DESCRIPTION_CHARACTERS = 40


@contextmanager
def heard_bar(what: str, *, shown: bool) -> Iterator[Callable[[float, float], None]]:
    """A bar on stderr for (heard_ms, sent_ms). Not shown where stderr is no terminal, or not `shown`."""
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
