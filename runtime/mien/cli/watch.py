"""The command `mien watch`."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mien.cli.terminal import FiniteRange, data_console, shown
from mien.cli.voice_options import key_options, timeout_option
from mien.cli.watcher import RemoteWatcher, Source, Watcher
from mien.host.exits import Exit, exit_codes
from mien.host.rundir import resolve_run_dir

REFRESH_S: Final = 0.25
SETTLE_S: Final = 1.5  # a running face reports once a second
_SILENT: Final = Text("not reporting", style="bold red")
_DEVICES: Final = {"open": "open", "released": "released until speech arrives", "lost": "lost, retrying"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of a table.")
@click.option("--once", is_flag=True, help="Print the state once and exit.")
@click.option(
    "--interval",
    "interval_s",
    type=FiniteRange(0.05, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds between the lines of --json.",
)
@timeout_option("Seconds that --once or --endpoint waits for mien-voice.")
@click.option("--run-dir", default="", help="Directory of the local sockets [found automatically].")
@click.option("--endpoint", help="Watch a voice elsewhere, such as tcp://HOST:5570, as an observer.")
@key_options
@click.option(
    "--fleet",
    type=click.Path(path_type=Path),
    is_flag=False,
    flag_value=Path("fleet.toml"),
    metavar="[FILE]",
    help="Watch all boards of a broker instead, signing in as fleet.toml, or FILE, says.",
)
def watch(
    as_json: bool,
    once: bool,
    interval_s: float,
    timeout_s: float,
    run_dir: str,
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
    fleet: Path | None,
) -> None:
    """Show what the voice and the face are doing, live, until Ctrl-C.

    \b
    Examples: mien watch
              mien watch --json --interval 0.5 | jq .face.offset_p95_ms
              mien watch --endpoint tcp://HOST:5570 --key desk.key_secret --voice-key voice.key
              mien watch --fleet users/anna/fleet.toml

    Exit codes: 0 shown, 1 the bus has another version, 3 mien-voice does not answer (--once, --endpoint); with --fleet
    those of `mien fleet status`.
    """
    if fleet is not None:
        if endpoint or key or voice_key or run_dir:
            raise click.UsageError("--fleet takes no --endpoint, --key, --voice-key or --run-dir")
        _watch_fleet(fleet, as_json, once, interval_s, timeout_s)
        return
    if endpoint is None and (key or voice_key):
        raise click.UsageError("--key and --voice-key need --endpoint")
    with exit_codes("mien watch"), ExitStack() as stack:
        watcher: Source
        if endpoint is None:
            watcher = stack.enter_context(Watcher(resolve_run_dir(run_dir)))
        else:
            watcher = stack.enter_context(RemoteWatcher(endpoint, key, voice_key, timeout_s))
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
            sys.exit(Exit.FAILED)


def _watch_fleet(config: Path, as_json: bool, once: bool, interval_s: float, timeout_s: float) -> None:
    from mien.cli.fleet_status import show_once
    from mien.cli.fleet_watch import watch_fleet

    with exit_codes("mien watch"):
        try:
            if once:
                sys.exit(show_once(config, as_json, timeout_s))
            watch_fleet(config, as_json=as_json, interval_s=interval_s, timeout_s=timeout_s)
        except KeyboardInterrupt:
            return
        except BrokenPipeError:
            sys.exit(Exit.FAILED)


def _show_once(watcher: Source, timeout_s: float, as_json: bool) -> int:
    """Wait for the voice, then briefly for the face. Returns the exit code."""
    until_s = time.monotonic() + timeout_s
    while not watcher.voice_reported and time.monotonic() < until_s:
        watcher.listen(0.05)
    if not watcher.voice_reported:
        click.echo(
            f"mien watch: no message on {watcher.where} within {timeout_s:g} s; is mien-voice running? "
            "Start it with `mien run`, or check this machine with `mien doctor`",
            err=True,
        )
        return Exit.UNREACHABLE
    settled_s = min(until_s, time.monotonic() + SETTLE_S)
    while not watcher.face_reported and time.monotonic() < settled_s:
        watcher.listen(0.05)
    if as_json:
        click.echo(json.dumps(watcher.snapshot()))
    else:
        data_console().print(render(watcher.snapshot()))
    return Exit.DONE


def _print_lines(watcher: Source, interval_s: float) -> None:
    while True:
        watcher.listen(interval_s)
        print(json.dumps(watcher.snapshot()), flush=True)


def _show_live(watcher: Source) -> None:
    first = render(watcher.snapshot())
    with Live(first, console=data_console(), refresh_per_second=1 / REFRESH_S, screen=False) as live:
        while True:
            watcher.listen(REFRESH_S)
            live.update(render(watcher.snapshot()))


def render(snapshot: dict[str, Any]) -> RenderableType:
    """The table for one snapshot of a Source."""
    return Group(_speech(snapshot), _voice(snapshot["voice"]), _face(snapshot["face"]))


def _speech(snapshot: dict[str, Any]) -> Table:
    table = _table("speech")
    phase = snapshot["phase"] or "unknown"
    table.add_row("phase", shown(phase, style="bold green" if phase == "speaking" else "bold"))
    table.add_row("turn", shown(snapshot["turn"] or "-"))
    for name in ("client", "floor"):  # reported by a voice elsewhere only
        if snapshot.get(name):
            table.add_row(name, shown(snapshot[name]))
    table.add_row("caption", shown(" ".join((snapshot["caption"] or "-").split())))
    table.add_row("heard", _heard(snapshot))
    if visit := snapshot["visit"]:
        table.add_row("visit", shown(", ".join(filter(None, (visit["phase"], visit["language"])))))
    expression = snapshot["expression"]
    if expression:
        table.add_row("state", shown(expression["state"]))
        table.add_row("emotion", shown(_emotion(expression["emotion"], expression["intensity"])))
        x, y = expression["look_x"], expression["look_y"]
        if expression["intensity"] is not None:  # else from a voice elsewhere, which does not report the gaze
            table.add_row("gaze", "free" if x is None else f"{x:+.2f}, {y or 0:+.2f}")
    return table


def _voice(voice: dict[str, Any] | None) -> Table:
    table = _table("voice")
    if voice is None:
        table.add_row("", _SILENT)
        return table
    table.add_row("level", shown(voice["level"]))
    headphones = ", headphones" if voice["headphones"] else ""
    table.add_row("sound card", shown(f"{_DEVICES.get(voice['device'], voice['device'])}{headphones}"))
    table.add_row("clients", str(voice["clients"]))
    table.add_row("process", _process(voice))
    table.add_row("counters", _counters(voice["counters"]))
    return table


def _face(face: dict[str, Any] | None) -> Table:
    table = _table("face")
    if face is None:
        table.add_row("", _SILENT)
        return table
    table.add_row("level", shown(face["level"] or "-"))
    idle = ", idle" if face["idle"] else ""
    total = "" if face["shown"] is None else f", {face['shown']} shown"
    table.add_row("frames", f"{face['fps']:.1f} a second{idle}{total}, {face['missed']} missed")
    table.add_row("screen", shown(_screen(face)))
    table.add_row("A/V offset", f"median {_ms(face['offset_median_ms'])}, p95 {_ms(face['offset_p95_ms'])}")
    table.add_row("motion", f"{_ms(face['motion_lead_ms'])} ahead")
    table.add_row("renderer", shown(", ".join(filter(None, (face["renderer"], face["quality"]))) or "-"))
    table.add_row("process", _process(face))
    table.add_row("counters", _counters(face["counters"]))
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, expand=True)
    table.add_column(width=12, style="dim")
    table.add_column(ratio=1)
    return table


def _heard(snapshot: dict[str, Any]) -> str:
    if (media_ms := snapshot["media_ms"]) is not None:
        return f"{media_ms / 1000:.1f} s of this epoch"
    played_ms = snapshot.get("played_ms")
    return "-" if played_ms is None else f"{played_ms / 1000:.1f} s of this turn"


def _emotion(name: str, intensity: float | None) -> str:
    return name if intensity is None else f"{name} {intensity:.2f}"


def _screen(face: dict[str, Any]) -> str:
    bright = face["brightness"]
    return (face["screen"] or "-") + (f", {100 * bright:.0f} %" if bright is not None and 0 < bright < 1 else "")


def _process(fields: dict[str, Any]) -> str:
    pid = "" if fields["pid"] is None else f"{fields['pid']}, "
    return pid + _mb(fields["pss_mb"])


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


def _mb(value: float | None) -> str:
    return "memory unknown" if value is None else f"{value:.0f} MB"


def _counters(counters: dict[str, int]) -> Text:
    return shown(", ".join(f"{name} {count}" for name, count in sorted(counters.items())) or "-")
