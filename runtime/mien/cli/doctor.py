"""mien doctor."""

import json
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from mien.cli.board_checks import BOARD_CHECKS
from mien.cli.checks import CHECKS
from mien.cli.running_checks import held_devices
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
    with Console(stderr=True).status("looking") as status:
        held = held_devices(resolve_run_dir(config.run_dir))
        findings = []
        for check in CHECKS:
            name = check.__name__.removeprefix("check_")
            status.update(f"looking at the {name}")
            findings.append(held.get(name) or check(config))
        findings += [check(BOARD) for check in BOARD_CHECKS]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings), indent=2))
    else:
        table = Table("", "verdict", "what there is", "what to do")
        for finding in findings:
            colour = COLOURS[finding.verdict]
            table.add_row(finding.name, f"[{colour}]{finding.verdict}[/]", finding.detail, finding.remedy)
        Console().print(table)
    raise SystemExit(any(finding.verdict == "bad" for finding in findings))
