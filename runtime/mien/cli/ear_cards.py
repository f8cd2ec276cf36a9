"""The command `mien ear cards`."""

import json
import sys
from pathlib import Path

import click
import msgspec
from rich.table import Table

from mien.cli.ear_options import config_option, json_option, set_option
from mien.cli.terminal import data_console, shown
from mien.config import load_config, parse_overrides
from mien.host.exits import Exit, exit_codes


@click.command()
@config_option
@set_option
@json_option
def cards(path: Path | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """List the microphones that ALSA knows, opening each for a moment. The name is for ear.device.

    Example: mien ear cards

    Exit codes: 0 at least one can be used, 1 none can.
    """
    from mien.capture.cards import capture_cards

    with exit_codes("mien ear cards"):
        config = load_config(path, parse_overrides(pairs)).ear
        found = capture_cards(config.rate_hz, config.channels)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        table = Table.grid(padding=(0, 2, 0, 0))
        for card in found:
            what = card.problem or f"{card.rate_hz} Hz, {card.channels} channel{'s' * (card.channels > 1)}"
            table.add_row(shown(card.device, style="dim" if card.problem else "bold"), shown(what))
        data_console().print(table)
    if all(card.problem for card in found):
        click.echo(
            "mien ear cards: no microphone can be used: plug one in, or add this user to the group audio; a card that "
            "a running mien-ear holds counts as busy",
            err=True,
        )
        sys.exit(Exit.FAILED)
