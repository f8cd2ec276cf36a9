"""The command group `mien keys`: the keys of clients on other machines."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table

from mien.cli.terminal import data_console, shown
from mien.config import load_config
from mien.errors import ConfigError
from mien.host.exits import Exit, exit_codes
from mien.transport.key_file import KEY_CHARACTERS
from mien.transport.keys import ROLES, VOICE, AllowedKey, KeyFolder, KeyRole

ROLE = click.Choice(list(ROLES))


@click.group()
@click.option(
    "--keys", "root", type=click.Path(path_type=Path), help="The key directory [access.keys of the configuration]."
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
    help="A speaker sends speech, an agent may also take the floor, an observer only watches, a listener watches and "
    "may hear the microphone.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Directory for the client's files [.].")
@click.pass_obj
def make(folder: KeyFolder, name: str, role: KeyRole, out: Path) -> None:
    """Allow a client, and write the two files that it needs to connect.

    Example: mien keys make ada --role agent --out /media/stick
    """
    with exit_codes("mien keys"):
        if folder.make_voice_pair():
            click.echo(f"made the voice's key pair in {click.format_filename(folder.root)}", err=True)
        folder.voice_pair()  # raises ConfigError for a pair that is unusable
        secret = folder.make_client(name, role, out)
        public = _copy_voice_key(folder, out)
    click.echo(
        f"{name} may connect as {role}; a running voice that already has keys needs no restart.\nCopy these files to "
        f"the client, and keep the first one secret:\n  {click.format_filename(secret)}\n  "
        f"{click.format_filename(public)}\nIn Python: "
        f'connect("tcp://HOST:5570", key="{secret.name}", voice_key="{public.name}")'
    )


@keys.command()
@click.argument("name")
@click.option("--role", type=ROLE, help="Remove the key of this role only.")
@click.pass_obj
def remove(folder: KeyFolder, name: str, role: KeyRole | None) -> None:
    """Remove a client's key. A running voice ends its sessions and refuses further connections.

    Example: mien keys remove ada
    """
    with exit_codes("mien keys"):
        removed = folder.remove(name, role)
    for path in removed:
        click.echo(f"removed the {path.parent.name} {name}")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_keys(folder: KeyFolder, as_json: bool) -> None:
    """List the clients that may connect. Invalid key files are reported on stderr.

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
    raise SystemExit(Exit.FAILED if problems else Exit.DONE)


def as_table(voice: str | None, allowed: Sequence[AllowedKey]) -> Table:
    """The keys as a table. Each key is on one unbroken line, so that it can be copied."""
    table = Table("name", "role")
    table.add_column("public key", no_wrap=True, min_width=KEY_CHARACTERS)
    table.add_row(VOICE, "the voice itself", shown(voice or "none; create it with `mien keys make NAME`"))
    for key in allowed:
        table.add_row(shown(key.name), key.role, shown(key.public.decode()))
    return table


def _copy_voice_key(folder: KeyFolder, out: Path) -> Path:
    """Copy the voice's public key next to the client's files. Raises ConfigError."""
    listed, public = folder.root / f"{VOICE}.key", out / f"{VOICE}.key"
    try:
        if public.resolve() != listed.resolve():
            shutil.copyfile(listed, public)
    except OSError as error:
        raise ConfigError(f"{click.format_filename(error.filename or public)}: {error.strerror or error}") from None
    return public
