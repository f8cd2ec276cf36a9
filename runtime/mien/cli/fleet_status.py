"""The command `mien fleet status`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from mien.cli.fleet_connection import FleetConnection
from mien.cli.fleet_table import fleet_table
from mien.cli.terminal import data_console
from mien.cli.voice_options import timeout_option
from mien.fleet.overview import FILTERS, Need, Overview
from mien.host.exits import Exit, exit_codes


@click.command()
@click.option("--config", type=click.Path(path_type=Path), default=Path("fleet.toml"), show_default=True,
              help="How you sign in at the broker; `mien fleet user` writes it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@timeout_option("Seconds to wait for the broker.")
def status(config: Path, as_json: bool, timeout_s: float) -> None:
    """Show all boards once, those that need somebody first.

    Exit codes: 0 all is well, 1 a board needs a person, 2 wrong configuration or password, 3 no answer.

    \b
    Examples: mien fleet status --config users/anna/fleet.toml
              mien fleet status --json | jq '.boards[] | select(.need != "none") | .board'
    """
    with exit_codes("mien fleet"):
        raise SystemExit(show_once(config, as_json, timeout_s))


def show_once(config: Path, as_json: bool, timeout_s: float) -> Exit:
    """Print what the broker retains. Returns the exit code. Raises ClientError, ConfigError."""
    overview = Overview()
    with FleetConnection(config, [(topic, 0) for topic in FILTERS]) as connection:
        connection.open(timeout_s)
        connection.settle(timeout_s)
        for topic, payload in connection.read(0.01):
            overview.take(topic, payload, time.time())
    now_s = time.time()
    if as_json:
        click.echo(json.dumps(overview.snapshot(now_s)))
    else:
        data_console().print(fleet_table(overview, now_s))
    needy = any(entry.need(now_s) != Need.NONE for entry in overview.boards.values())
    return Exit.FAILED if needy or overview.refused or connection.lost else Exit.DONE
