"""The command group `mien service`: mien as a service of this machine."""

import dataclasses
import json
from pathlib import Path

import click

from mien.host.exits import Exit, exit_codes
from mien.install import operations
from mien.install.environment import running_environment
from mien.install.operations import Outcome
from mien.install.status import Status
from mien.install.status import status as examine

NEXT = """Next:
  mien service status              are both services running?
  mien doctor                      screen, sound card, software
  sudo mien say "Good morning"     needs a speech synthesiser: apt-get install espeak-ng
  sudo usermod -aG mien USER       lets the account of your voice agent use /run/mien/voice.sock
Settings are in /etc/mien/mien.toml; `sudo systemctl restart mien.target` applies them."""

ROOT = click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    default=Path("/"),
    help="The root folder of an image, in which nothing is started [this machine].",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
DOWNGRADE = click.option("--allow-downgrade", is_flag=True, help="Replace a newer version.")
START = click.option("--start/--no-start", default=True, show_default=True, help="(Re)start the services now.")


@click.group()
def service() -> None:
    """Install mien as a service of this machine, upgrade it, remove it.

    Example: sudo mien service install

    Exit codes: 0 done, 1 failed on the way (run the command again), 2 refused, nothing was changed.
    """


@service.command()
@ROOT
@START
@DOWNGRADE
@JSON
def install(root: Path, start: bool, allow_downgrade: bool, as_json: bool) -> None:
    """Put users, units, rules and settings in place, enable the services and start them.

    A second run repairs what is missing. Existing settings in /etc/mien are kept.

    Example: sudo mien service install
    """
    with exit_codes("mien service", OSError):
        outcome = operations.install(
            root, running_environment(), start=start, allow_downgrade=allow_downgrade, tell=_tell(as_json)
        )
    _report_install(outcome, "installed", as_json=as_json)


@service.command()
@ROOT
@START
@DOWNGRADE
@JSON
def upgrade(root: Path, start: bool, allow_downgrade: bool, as_json: bool) -> None:
    """Bring the service to the version of this program. Settings in /etc/mien are kept.

    Example: pipx upgrade mien, then: sudo mien service upgrade
    """
    with exit_codes("mien service", OSError):
        outcome = operations.install(
            root,
            running_environment(),
            start=start,
            allow_downgrade=allow_downgrade,
            must_exist=True,
            tell=_tell(as_json),
        )
    _report_install(outcome, "upgraded", as_json=as_json)


@service.command()
@ROOT
@click.option("--purge", is_flag=True, help="Also delete settings, keys, session logs, users and groups.")
@JSON
def uninstall(root: Path, purge: bool, as_json: bool) -> None:
    """Stop the services and remove what was installed. Settings in /etc/mien are kept, and the accounts.

    Example: sudo mien service uninstall
    """
    with exit_codes("mien service", OSError):
        outcome = operations.uninstall(root, purge=purge, tell=_tell(as_json))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(outcome), indent=2))
    elif not outcome.removed:
        click.echo("nothing was installed")
    else:
        click.echo(
            f"removed mien {outcome.version_before}: {len(outcome.removed)} files and folders".replace("  ", " ")
        )
        for path in outcome.kept:
            click.echo(f"kept {path} and the accounts of the services; --purge deletes them too")


@service.command()
@ROOT
@JSON
def status(root: Path, as_json: bool) -> None:
    """Say what is installed, whether it runs, and what is wrong with it.

    Example: mien service status

    Exit codes: 0 installed and running, 1 anything else.
    """
    with exit_codes("mien service", OSError):
        found = examine(root)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        _print_status(found)
    raise SystemExit(Exit.FAILED if found.problems else Exit.DONE)


def _tell(as_json: bool) -> operations.Tell:
    return lambda text: None if as_json else click.echo(f"{text} ...", err=True)


def _report_install(outcome: Outcome, verb: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(outcome), indent=2))
        return
    before = f", before that {outcome.version_before}" if outcome.version_before not in ("", outcome.version) else ""
    click.echo(f"{verb} mien {outcome.version}{before}: {len(outcome.changed)} files new or changed")
    click.echo(f"the services run from {outcome.commands}")
    for path in outcome.kept:
        click.echo(f"kept {path}")
    for note in outcome.notes:
        click.echo(f"note: {note}")
    click.echo(NEXT)


def _print_status(found: Status) -> None:
    click.echo(f"service:   {found.state}{f', {found.version}' if found.version else ''}")
    click.echo(f"program:   {found.program_version}, Python {found.python}")
    for label, value in (("commands", found.commands), ("settings", found.settings)):
        if value:
            click.echo(f"{label + ':':10} {value}")
    if found.state != "absent":
        click.echo(f"at boot:   {'starts' if found.enabled else 'does not start'}")
    for name, state in found.services.items():
        click.echo(f"{name + ':':10} {state}")
    for problem in found.problems:
        click.echo(f"problem: {problem}", err=True)
