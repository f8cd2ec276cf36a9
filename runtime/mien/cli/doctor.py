"""mien doctor."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.table import Table

from mien.cli.board_checks import BOARD_CHECKS
from mien.cli.checks import CHECKS, Finding
from mien.cli.running_checks import held_devices
from mien.cli.terminal import data_console, shown, teller
from mien.config import load_config, parse_overrides
from mien.errors import ConfigError
from mien.host.rundir import resolve_run_dir

BOARD = Path("/")
COLOURS = {"good": "green", "poor": "yellow", "bad": "red"}


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(path: Path | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """What this machine has, opened for real: sound, display, model, avatar, clock; and what a board says of itself:
    screens, cards, permissions, power, heat, time. Exits 1 where something is bad.

    Example: mien doctor --set playback.sink=null
    """
    try:
        config = load_config(path, parse_overrides(pairs))
    except ConfigError as error:
        click.echo(f"mien doctor: {error}", err=True)
        raise SystemExit(2) from None
    with data_console(stderr=True).status("looking") as status:
        tell = teller(status)
        held = held_devices(resolve_run_dir(config.run_dir))
        findings = []
        for check in CHECKS:
            name = check.__name__.removeprefix("check_")
            tell(f"looking at the {name}")
            findings.append(held.get(name) or check(config))
        findings += [check(BOARD) for check in BOARD_CHECKS]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings), indent=2))
    else:
        data_console().print(as_table(findings))
    raise SystemExit(any(finding.verdict == "bad" for finding in findings))


def as_table(findings: Sequence[Finding]) -> Table:
    """The rows for people."""
    table = Table("", "verdict", "what there is", "what to do")
    for finding in findings:
        table.add_row(
            shown(finding.name),
            shown(finding.verdict, COLOURS[finding.verdict]),
            shown(finding.detail),
            shown(finding.remedy),
        )
    return table
