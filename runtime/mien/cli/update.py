"""`mien update status`: what an update from the fleet's server has reached on this board."""

import json
from pathlib import Path
from typing import Final

import click
import msgspec

from mien.errors import StorageError
from mien.host.exits import Exit, exit_codes
from mien.link.update.machine import stage
from mien.link.update.record import FILE, Record, read_record

FOLDER: Final = Path("/var/lib/mien-link/updates")
WORDS: Final = {
    "idle": "no update is under way",
    "downloading": "it is being downloaded",
    "waiting": "it is downloaded, and waits for its window",
    "draining": "it waits until nobody is being served",
    "installing": "it is being written to the other slot",
    "restarting": "it is installed; the board restarts",
    "trial": "the new release runs; it waits for a face seen, a turn heard and the slot marked good",
    "closed": "it has ended; the server is yet to be told",
}


@click.group()
def update() -> None:
    """Updates from a hawkBit-compatible server, which mien-link installs.

    Example: mien update status
    """


@update.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="where the link keeps it"
)
@click.option("--json", "as_json", is_flag=True, help="as one JSON object")
@click.pass_context
def status(context: click.Context, folder: Path, as_json: bool) -> None:
    """What the update that is under way has reached, or how the last one ended.

    Exits 1 when the last one failed or was rolled back.
    """
    with exit_codes("mien update"):
        try:
            record = read_record(folder / FILE) or Record()
        except ValueError as error:
            raise StorageError(f"{folder / FILE}: {error}: mien-link will begin anew") from None
    if as_json:
        told = {"stage": stage(record), **msgspec.to_builtins(record)}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo("\n".join(lines(record)))
    context.exit(Exit.FAILED if stage(record) in ("failed", "rolled_back") else Exit.DONE)


def lines(record: Record) -> list[str]:
    """The record in words."""
    found = [f"{record.version} (action {record.action}): {WORDS[record.phase]}"] if record.action else [WORDS["idle"]]
    if record.phase == "trial":
        shown = (("face seen", record.face), ("turn heard", record.turn))
        found.append(", ".join(f"{what}: {'yes' if there else 'not yet'}" for what, there in shown))
    if last := record.last:
        outcome = last.outcome.replace("_", " ")
        found.append(f"last: {last.version} (action {last.action}): {outcome}{': ' if last.why else ''}{last.why}")
    return found
