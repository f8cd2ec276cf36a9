"""The command `mien ear meter`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import zmq
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mien.cli.ear_options import config_option, set_option
from mien.cli.terminal import FiniteRange, data_console, shown
from mien.config import Config, load_config, parse_overrides
from mien.core.ear_bus import EarHealth, EarLevels, EarToMeter, decode_for_meter
from mien.errors import ConfigError
from mien.host.exits import exit_codes
from mien.host.rundir import ensure_run_dir, resolve_run_dir
from mien.transport.ear_bus import subscribe_meter

REFRESH_S: Final = 0.1
BAR_CELLS: Final = 30
FLOOR_DBFS: Final = -80.0
STALE_S: Final = 3.0


@click.command()
@config_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of a table.")
@click.option(
    "--interval",
    "interval_s",
    type=FiniteRange(0.1, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds between the lines of --json.",
)
@click.option(
    "--seconds",
    "duration_s",
    type=FiniteRange(0, 86_400),
    default=0.0,
    metavar="S",
    help="End after S seconds [never].",
)
def meter(path: Path | None, pairs: tuple[str, ...], as_json: bool, interval_s: float, duration_s: float) -> None:
    """Show what the ear hears, live, until Ctrl-C: levels, voice activity, echo removed, delay, drift. Reads a running
    mien-ear; without one, opens the microphone itself. Nothing is kept.

    \b
    Examples: mien ear meter
              mien ear meter --json --interval 0.5 | jq .erle_db
    """
    with exit_codes("mien ear meter"):
        config = load_config(path, parse_overrides(pairs))
        run_dir = ensure_run_dir(resolve_run_dir(config.run_dir))
        until_s = time.monotonic() + duration_s if duration_s else float("inf")
        with _some_ear(config, run_dir), MeterReader(run_dir) as reader:
            try:
                if as_json:
                    _print_lines(reader, interval_s, until_s)
                else:
                    _show_live(reader, until_s)
            except KeyboardInterrupt:
                return


@contextmanager
def _some_ear(config: Config, run_dir: Path) -> Iterator[None]:
    """The running mien-ear, or one of our own."""
    from mien.cli.own_ear import own_ear

    try:
        own = own_ear(config, run_dir, "mien ear meter")
        own.__enter__()
    except ConfigError:
        yield
        return
    click.echo("mien ear meter: mien-ear does not run; listening by itself", err=True)
    try:
        yield
    finally:
        own.__exit__(None, None, None)


@dataclass(slots=True)
class MeterReader:
    """Subscribes to the meters' socket in run_dir, and keeps the newest message of each kind."""

    run_dir: Path
    levels: EarLevels | None = None
    health: EarHealth | None = None
    seen_s: float = 0.0
    _context: zmq.Context[zmq.Socket[bytes]] | None = None
    _socket: zmq.Socket[bytes] | None = None

    def __enter__(self) -> MeterReader:
        self._context = zmq.Context()
        self._socket = subscribe_meter(self._context, self.run_dir)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._socket is not None
        assert self._context is not None
        self._socket.close()
        self._context.term()

    def listen(self, duration_s: float) -> None:
        """Process messages for duration_s. Raises BusError for an ear of another release."""
        assert self._socket is not None
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._socket.poll(max(1, round(left_s * 1000))):
                self._take(decode_for_meter(self._socket.recv()))

    def snapshot(self) -> dict[str, Any]:
        """The state now, as JSON can hold it; `state` is null while no ear reports."""
        alive = self.health is not None and time.monotonic() - self.seen_s < STALE_S
        health = self.health if alive else None
        levels = self.levels if alive else None
        return {
            "state": health.state if health else None,
            "why": health.why if health else None,
            "level_dbfs": levels.level_dbfs if levels else None,
            "peak_dbfs": levels.peak_dbfs if levels else None,
            "clean_dbfs": levels.clean_dbfs if levels else None,
            "far_dbfs": levels.far_dbfs if levels else None,
            "speech": levels.speech if levels else None,
            "erle_db": health.erle_db if health else None,
            "delay_ms": health.delay_ms if health else None,
            "drift_ppm": _rounded(health.drift_ppm) if health else None,
            "pss_mb": health.pss_mb if health else None,
            "pid": health.pid if health else None,
            "counters": health.counters if health else {},
        }

    def _take(self, message: EarToMeter) -> None:
        if isinstance(message, EarLevels):
            self.levels = message
        elif isinstance(message, EarHealth):
            self.health, self.seen_s = message, time.monotonic()


def render(snapshot: dict[str, Any]) -> Table:
    """The table for one snapshot."""
    table = Table(title="ear", title_justify="left", show_header=False, expand=True)
    table.add_column(width=12, style="dim")
    table.add_column(ratio=1)
    if snapshot["state"] is None:
        table.add_row("", Text("not reporting", style="bold red"))
        return table
    good = snapshot["state"] in ("ok", "muted")
    table.add_row("state", shown(snapshot["state"], style="bold green" if good else "bold red"))
    if snapshot["why"]:
        table.add_row("", shown(snapshot["why"]))
    for name, key in (
        ("microphone", "level_dbfs"),
        ("peak", "peak_dbfs"),
        ("cleaned", "clean_dbfs"),
        ("speaker", "far_dbfs"),
    ):
        table.add_row(name, _bar(snapshot[key]))
    table.add_row("speech", Text("speaking", style="bold green") if snapshot["speech"] else Text("-"))
    table.add_row("echo removed", _figure(snapshot["erle_db"], "dB"))
    table.add_row("delay", _figure(snapshot["delay_ms"], "ms"))
    table.add_row("drift", _figure(snapshot["drift_ppm"], "ppm"))
    counters = ", ".join(f"{name} {count}" for name, count in sorted(snapshot["counters"].items()))
    table.add_row("counters", shown(counters or "-"))
    return table


def _print_lines(reader: MeterReader, interval_s: float, until_s: float) -> None:
    while time.monotonic() < until_s:
        reader.listen(min(interval_s, max(0.0, until_s - time.monotonic())))
        print(json.dumps(reader.snapshot()), flush=True)


def _show_live(reader: MeterReader, until_s: float) -> None:
    with Live(render(reader.snapshot()), console=data_console(), refresh_per_second=1 / REFRESH_S) as live:
        while time.monotonic() < until_s:
            reader.listen(REFRESH_S)
            live.update(render(reader.snapshot()))


def _bar(dbfs: float | None) -> Text:
    if dbfs is None:
        return Text("-")
    share = min(1.0, max(0.0, 1 - dbfs / FLOOR_DBFS))
    cells = round(share * BAR_CELLS)
    colour = "red" if dbfs > -1 else "yellow" if dbfs > -6 else "green"
    return Text.assemble((f"{dbfs:6.1f} dBFS ", ""), ("#" * cells, colour), ("." * (BAR_CELLS - cells), "dim"))


def _figure(value: float | None, unit: str) -> Text:
    return Text("-" if value is None else f"{value:.1f} {unit}")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
