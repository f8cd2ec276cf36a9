"""The command `mien ear`: its subcommands."""

import click

from mien.cli.ear_calibrate import calibrate
from mien.cli.ear_cards import cards
from mien.cli.ear_meter import meter
from mien.cli.ear_record import record


@click.group()
def ear() -> None:
    """Look after the microphone: list the cards, watch the levels, calibrate, record for support.

    \b
    Examples: mien ear cards
              mien ear calibrate
    """


for command in (cards, meter, calibrate, record):
    ear.add_command(command)
