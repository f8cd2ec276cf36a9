"""mien watch."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click
import zmq
from rich.live import Live

from mien.cli.errors import EXIT_FAILED, EXIT_UNREACHABLE, exit_codes
from mien.cli.options import FiniteRange
from mien.cli.terminal import data_console
from mien.cli.watch_state import WatchState
from mien.cli.watch_view import render
from mien.core import bus
from mien.host.rundir import resolve_run_dir
from mien.transport import BUS_SOCKET
from mien.transport.bus import subscribe

REFRESH_S = 0.25
SETTLE_S = 1.5  # a face that runs reports once a second


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of a table.")
@click.option("--once", is_flag=True, help="Print the state once and leave.")
@click.option(
    "--interval",
    "interval_s",
    type=FiniteRange(0.05, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Between the lines of --json.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=FiniteRange(0.1, 600),
    default=5.0,
    show_default=True,
    metavar="S",
    help="How long --once waits for mien-voice.",
)
@click.option("--run-dir", default="", help="Where the local sockets are [the usual place].")
def watch(as_json: bool, once: bool, interval_s: float, timeout_s: float, run_dir: str) -> None:
    """Show what the voice and the face are doing, live. Ctrl-C ends it.

    \b
    Examples: mien watch
              mien watch --json --interval 0.5 | jq .face.offset_p95_ms

    Exit codes: 0 shown, 1 another version's bus, 3 no mien-voice was heard of (--once).
    """
    folder = resolve_run_dir(run_dir)
    with exit_codes("mien watch"), Watcher(folder) as watcher:
        try:
            if once:
                sys.exit(_show_once(watcher, timeout_s, as_json))
            if as_json:
                _print_lines(watcher, interval_s)
            else:
                _show_live(watcher)
        except KeyboardInterrupt:
            return
        except BrokenPipeError:
            sys.exit(EXIT_FAILED)


class Watcher:
    """Listens to the bus of run_dir and keeps the state."""

    def __init__(self, run_dir: Path) -> None:
        self.state = WatchState()
        self.path = run_dir / BUS_SOCKET
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = subscribe(self._context, run_dir)

    def listen(self, duration_s: float) -> None:
        """Take in what comes for so long. Raises BusError for a voice of another release."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._socket.poll(max(1, round(left_s * 1000))):
                self._take(self._socket.recv_multipart())

    def snapshot(self) -> dict[str, object]:
        """The state now."""
        return self.state.snapshot(time.monotonic_ns())

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._context.term()

    def _take(self, frames: list[bytes]) -> None:
        self.state.update(bus.decode_from_voice(frames[0]), time.monotonic_ns())


def _show_once(watcher: Watcher, timeout_s: float, as_json: bool) -> int:
    """Wait for the voice, and a moment for the face. Returns the exit code."""
    until_s = time.monotonic() + timeout_s
    while watcher.state.voice is None and time.monotonic() < until_s:
        watcher.listen(0.05)
    if watcher.state.voice is None:
        click.echo(
            f"mien watch: nothing was heard on {watcher.path} for {timeout_s:g} s; is mien-voice running? "
            "`mien run` starts it, `mien doctor` looks at this machine",
            err=True,
        )
        return EXIT_UNREACHABLE
    settled_s = min(until_s, time.monotonic() + SETTLE_S)
    while watcher.state.face is None and time.monotonic() < settled_s:
        watcher.listen(0.05)
    if as_json:
        click.echo(json.dumps(watcher.snapshot()))
    else:
        data_console().print(render(watcher.snapshot()))
    return 0


def _print_lines(watcher: Watcher, interval_s: float) -> None:
    while True:
        watcher.listen(interval_s)
        print(json.dumps(watcher.snapshot()), flush=True)


def _show_live(watcher: Watcher) -> None:
    first = render(watcher.snapshot())
    with Live(first, console=data_console(), refresh_per_second=1 / REFRESH_S, screen=False) as live:
        while True:
            watcher.listen(REFRESH_S)
            live.update(render(watcher.snapshot()))
