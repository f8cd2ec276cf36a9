"""The commands of `mien fleet` that look after what was issued: rotate, revoke, disconnect, check."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.table import Table

from mien.cli.fleet_folder import BRING, need_cryptography, opened, told
from mien.cli.terminal import data_console, shown
from mien.host.exits import Exit, exit_codes


@click.command()
@click.argument("names", nargs=-1)
@click.option("--within", "within_days", type=click.IntRange(0, 3650), default=90, show_default=True, metavar="DAYS",
              help="Those that end within so many days.")  # fmt: skip
@click.option("--all", "everybody", is_flag=True, help="All boards and programs, whenever they end.")
@click.option("--list", "only_list", is_flag=True, help="Say what is due, and change nothing.")
@click.option("--days", type=click.IntRange(1, 20 * 365), default=1095, show_default=True, help="Of the new ones.")
@click.pass_obj
def rotate(
    folder: Path | None, names: tuple[str, ...], within_days: int, everybody: bool, only_list: bool, days: int
) -> None:
    """Renew certificates before they end. The present ones stay valid, so that nothing has to happen at one time.

    NAMES: boards (NAME or SITE/NAME), programs, or `broker`. Without any: what is due.

    \b
    Examples: mien fleet rotate --list
              mien fleet rotate kiosk-7
    """
    with exit_codes("mien fleet"), opened(folder) as fleet:
        if everybody:
            certified = [name for name, each in fleet.record.users.items() if each.certificates]
            chosen = [*sorted(fleet.record.boards), *sorted(certified)]
        else:
            chosen = list(names) or fleet.due(within_days)
        if only_list:
            for name in chosen:
                click.echo(name)
            return
        made = fleet.renew(chosen, days=days)
    for path in made.values():
        click.echo(told(path))
    click.echo(
        f"{len(made)} renewed. Copy each folder mien onto the first partition of its board's card"
        f"{'; ' + BRING if made else ''}",
        err=True,
    )


@click.command()
@click.argument("name")
@click.option("--old", "old_only", is_flag=True, help="Only the certificates before its last one.")
@click.pass_obj
def revoke(folder: Path | None, name: str, old_only: bool) -> None:
    """End a board's access without a visit: a stolen board, a lost card.

    \b
    Examples: mien fleet revoke kiosk-7
              mien fleet revoke kiosk-7 --old
    """
    with exit_codes("mien fleet"), opened(folder) as fleet:
        count = fleet.revoke(name, old_only=old_only)
    click.echo(f"{count} certificates of {name} are revoked; {BRING}")
    if not old_only:
        click.echo("A connection that it has now has no rights after that; `mien fleet disconnect` ends it.")


@click.command()
@click.argument("name")
@click.option("--config", type=click.Path(path_type=Path), default=Path("fleet.toml"), show_default=True,
              help="How you sign in at the broker.")  # fmt: skip
def disconnect(name: str, config: Path) -> None:
    """End the connection that a board has now, by signing in with its client id. A board that may come back does.

    NAME: SITE/NAME, as the broker knows it.

    Example: mien fleet disconnect berlin/kiosk-7 --config users/anna/fleet.toml
    """
    with exit_codes("mien fleet"):
        from mien.cli.fleet_connection import take_client_id

        take_client_id(config, name)
    click.echo(f"the connection of {name}, if it had one, has ended")


@click.command()
@click.argument("where", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(folder: Path | None, where: Path | None, as_json: bool) -> None:
    """Check a fleet's folder: what ends soon, who can read it, whether its files fit each other.

    Exit codes: 0 nothing to do, 1 something is due or wrong, 2 no fleet's folder.

    Example: mien fleet check berlin
    """
    with exit_codes("mien fleet"):
        need_cryptography()
        from mien.enrolment.certificates import utc_now
        from mien.enrolment.check import check as look

        with opened(where or folder) as fleet:
            found = look(fleet, utc_now())
    if as_json:
        click.echo(json.dumps([each._asdict() for each in found], indent=2))
    else:
        table = Table("", "what", "remedy")
        for each in found:
            table.add_row(each.level, shown(each.what), shown(each.remedy))
        data_console().print(table if found else "all is well")
    raise SystemExit(Exit.FAILED if any(each.level != "note" for each in found) else Exit.DONE)
