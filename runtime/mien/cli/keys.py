"""mien keys."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import click
from rich.table import Table

from mien.cli.errors import exit_codes
from mien.cli.terminal import data_console, shown
from mien.config import load_config
from mien.core.wire import Role
from mien.errors import ConfigError
from mien.transport.key_file import KEY_CHARACTERS
from mien.transport.keys import ROLES, VOICE, AllowedKey, KeyFolder

ROLE = click.Choice(list(get_args(Role)))


@click.group()
@click.option(
    "--keys", "root", type=click.Path(path_type=Path), help="The folder of keys [access.keys of the configuration]."
)
@click.pass_context
def keys(context: click.Context, root: Path | None) -> None:
    """Make, list and remove the keys of clients on other machines.

    Example: mien keys make kiosk-bot --role speaker
    """
    with exit_codes("mien keys"):
        context.obj = KeyFolder(root or Path(load_config(None).access.keys))


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    type=ROLE,
    default=ROLES[0],
    show_default=True,
    help="A speaker brings the speech, an agent may take the floor, an observer looks on.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Where the client's files go [.].")
@click.pass_obj
def make(folder: KeyFolder, name: str, role: Role, out: Path) -> None:
    """Put a client on the list, and write the two files that it needs to connect.

    Example: mien keys make ada --role agent --out /media/stick
    """
    with exit_codes("mien keys"):
        if folder.make_voice_pair():
            click.echo(f"made the voice's own pair in {click.format_filename(folder.root)}", err=True)
        folder.voice_pair()  # that is there, and can be used
        secret = folder.make_client(name, role, out)
        public = _bring_voice_key(folder, out)
    click.echo(
        f"{name} may connect as {role}, without a restart of a voice that has keys already.\nBring these to the "
        f"client, and keep the first one secret:\n  {click.format_filename(secret)}\n  "
        f"{click.format_filename(public)}\nIn Python: "
        f'connect("tcp://HOST:5570", key="{secret.name}", voice_key="{public.name}")'
    )


@keys.command()
@click.argument("name")
@click.option("--role", type=ROLE, help="Only from the list of this role.")
@click.pass_obj
def remove(folder: KeyFolder, name: str, role: Role | None) -> None:
    """Take a client off the list. A voice that runs lets it in no more, and ends the sessions that it has.

    Example: mien keys remove ada
    """
    with exit_codes("mien keys"):
        gone = folder.remove(name, role)
    for path in gone:
        click.echo(f"{name} is no {path.parent.name} any more")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def list_keys(folder: KeyFolder, as_json: bool) -> None:
    """Who may connect. `mien keys remove` takes somebody off the list. Files that do not count are told on stderr.

    Example: mien keys list
    """
    found = folder.read()
    problems = list(found.problems)
    try:
        pair = folder.voice_pair()
    except ConfigError as error:
        pair = None
        problems.append(str(error))
    voice = pair[0].decode() if pair else None
    if as_json:
        rows = [{"name": key.name, "role": key.role, "public": key.public.decode()} for key in found.keys]
        click.echo(json.dumps({"voice": voice, "allowed": rows, "problems": problems}, indent=2))
    else:
        data_console().print(as_table(voice, found.keys))
        for problem in problems:
            click.echo(f"mien keys: {problem}", err=True)
    raise SystemExit(bool(problems))


def as_table(voice: str | None, allowed: Sequence[AllowedKey]) -> Table:
    """The list for people. A key stands in one piece on one line, so that it can be copied."""
    table = Table("name", "role")
    table.add_column("public key", no_wrap=True, min_width=KEY_CHARACTERS)
    table.add_row(VOICE, "the voice itself", shown(voice or "none: `mien keys make NAME` makes it"))
    for key in allowed:
        table.add_row(shown(key.name), key.role, shown(key.public.decode()))
    return table


def _bring_voice_key(folder: KeyFolder, out: Path) -> Path:
    """Copy the voice's public key to where the client's files are. Raises ConfigError."""
    listed, public = folder.root / f"{VOICE}.key", out / f"{VOICE}.key"
    try:
        if public.resolve() != listed.resolve():
            shutil.copyfile(listed, public)
    except OSError as error:
        raise ConfigError(f"{click.format_filename(error.filename or public)}: {error.strerror or error}") from None
    return public
