"""The command group `mien fleet`: boards on a broker."""

from pathlib import Path

import click

from mien.cli.fleet_renewal import check, disconnect, revoke, rotate
from mien.cli.fleet_setup import board, new, user
from mien.cli.fleet_status import status


@click.group()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The fleet's folder [the current one; of `new`: ./SITE]. It holds all keys: back it up, show it to nobody.",
)
@click.pass_context
def fleet(context: click.Context, folder: Path | None) -> None:
    """Set up boards on a broker, look after their keys, see how they are.

    \b
    Examples: mien fleet new berlin --broker broker.example
              mien fleet --folder berlin board kiosk-7
              mien fleet status --config anna/fleet.toml
    """
    context.obj = folder


for command in (new, board, user, rotate, revoke, disconnect, check, status):
    fleet.add_command(command)
