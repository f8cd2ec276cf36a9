"""The command `mien doctor`: checks this machine, opening every device."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.table import Table

from mien.cli.board_checks import BOARD_CHECKS
from mien.cli.checks import CHECKS, Finding
from mien.cli.ear_checks import check_ear
from mien.cli.terminal import data_console, shown, teller
from mien.cli.watcher import Watcher
from mien.config import load_config, parse_overrides
from mien.core.bus import FaceHealth, VoiceHealth
from mien.core.degradation import Level
from mien.errors import MienError
from mien.host.exits import Exit, exit_codes
from mien.host.rundir import resolve_run_dir

BOARD: Final = Path("/")
COLOURS: Final = {"good": "green", "poor": "yellow", "bad": "red"}
LISTEN_S: Final = 2.5  # each service reports its health once a second
SILENT: Final = Level.SILENT.value


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(path: Path | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Check this machine by opening its devices: sound, display, model, avatar, clock, and the microphone where it is
    enabled. On a board, also check screens, sound cards, permissions, power, temperature and time. Exits 1 when a
    verdict is poor or bad.

    Example: mien doctor --set playback.sink=null
    """
    with exit_codes("mien doctor"):
        config = load_config(path, parse_overrides(pairs))
    with data_console(stderr=True).status("checking") as status:
        tell = teller(status)
        held = held_devices(resolve_run_dir(config.run_dir))
        findings = []
        for check in CHECKS:
            name = check.__name__.removeprefix("check_")
            tell(f"checking: {name}")
            findings.append(held.get(name) or check(config))
        tell("checking: microphone")
        findings += check_ear(config, resolve_run_dir(config.run_dir))
        findings += [check(BOARD) for check in BOARD_CHECKS]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings), indent=2))
    else:
        data_console().print(as_table(findings))
    raise SystemExit(Exit.FAILED if any(finding.verdict != "good" for finding in findings) else Exit.DONE)


def as_table(findings: Sequence[Finding]) -> Table:
    """The findings as a table for 80 columns: a remedy has a line of its own, below what it is for."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        verdict = shown(finding.verdict, COLOURS[finding.verdict])
        table.add_row(verdict, shown(finding.name), shown(finding.detail))
        if finding.remedy:
            table.add_row("", "", shown(f"-> {finding.remedy}"))
    return table


def held_devices(run_dir: Path) -> dict[str, Finding]:
    """Findings for the devices that running services hold, by the name of the check they replace: "sound", "display".

    A device that is in use cannot be opened a second time, so its service's health report is read instead.
    """
    try:
        with Watcher(run_dir) as watcher:
            watcher.listen(LISTEN_S)
            voice, face = watcher.state.voice, watcher.state.face
    except MienError:
        return {}
    found = {}
    if voice is not None:
        found["sound"] = sound_of(voice)
    if face is not None:
        found["display"] = display_of(face)
    return found


def sound_of(voice: VoiceHealth) -> Finding:
    """The sound card that the voice uses, or waits for."""
    if voice.device == "lost" or voice.level == SILENT:
        return Finding(
            name="sound",
            verdict="bad",
            detail=f"mien-voice ({voice.pid}) has no usable sound card; device lost",
            remedy="see `journalctl -u mien-voice`; `aplay -L` lists the devices for playback.device",
        )
    use = "has released it until speech arrives" if voice.device == "released" else "plays on it"
    underruns = voice.counters.get("sink_underruns", 0)
    return Finding(
        name="sound",
        verdict="good",
        detail=f"mien-voice ({voice.pid}) {use}: device {voice.device}, level {voice.level}, {underruns} underruns",
    )


def display_of(face: FaceHealth) -> Finding:
    """The screen that the face draws on."""
    if face.screen in ("blank", "off"):
        return Finding(
            name="display",
            verdict="good",
            detail=f"mien-face ({face.pid}) keeps it dark, as [screen] configures: "
            f"{'switched off' if face.screen == 'off' else 'black, because it cannot be switched off'}",
        )
    drawing = face.fps > 0
    return Finding(
        name="display",
        verdict="good" if drawing else "poor",
        detail=f"mien-face ({face.pid}) draws on it: {face.fps:.0f} frames a second, {face.renderer}",
        remedy="" if drawing else "see `journalctl -u mien-face`",
    )
