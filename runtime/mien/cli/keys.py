"""mien keys."""

import json
import shutil
from pathlib import Path
from typing import NoReturn, get_args

import click
from rich.console import Console
from rich.table import Table

from mien.config import load_config
from mien.core.wire import Role
from mien.errors import MienError
from mien.transport.keys import VOICE, KeyFolder


@click.group()
@click.option("--keys", "root", type=click.Path(path_type=Path), help="The folder of keys [access.keys of the "
              "configuration].")
@click.pass_context
def keys(context: click.Context, root: Path | None) -> None:
    """Make and list the keys of clients on other machines.

    Example: mien keys make kiosk-bot --role speaker
    """
    try:
        context.obj = KeyFolder(root or Path(load_config(None).access.keys))
    except MienError as error:
        _fail(error)


@keys.command()
@click.argument("name")
@click.option("--role", type=click.Choice(list(get_args(Role))), default="speaker", show_default=True,
              help="A speaker brings the speech, an agent may take the floor, an observer looks on.")
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Where the client's files go [.].")
@click.pass_obj
def make(folder: KeyFolder, name: str, role: Role, out: Path) -> None:
    """Put a client on the list, and write the two files that it needs to connect.

    Example: mien keys make ada --role agent --out /media/stick
    """
    try:
        if folder.make_voice_pair():
            click.echo(f"made the voice's own pair in {folder.root}", err=True)
        secret = folder.make_client(name, role, out)
        public = out / f"{VOICE}.key"
        if public.resolve() != (folder.root / public.name).resolve():
            shutil.copyfile(folder.root / public.name, public)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")
    except MienError as error:
        _fail(error)
    click.echo(f"{name} may connect as {role}, without a restart of a voice that has keys already.\nBring these to the "
               f"client, and keep the first one secret:\n  {secret}\n  {public}\nIn Python: "
               f"connect(\"tcp://HOST:5570\", key=\"{secret.name}\", voice_key=\"{public.name}\")")


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def list_keys(folder: KeyFolder, as_json: bool) -> None:
    """Who may connect. To take somebody off the list, remove their file; connections that are open stay open.

    Example: mien keys list
    """
    try:
        allowed, pair = folder.allowed(), folder.voice_pair()
    except MienError as error:
        _fail(error)
    if as_json:
        rows = [{"name": key.name, "role": key.role, "public": key.public.decode()} for key in allowed]
        click.echo(json.dumps({"voice": pair and pair[0].decode(), "allowed": rows}, indent=2))
        return
    table = Table("name", "role", "public key")
    table.add_row(VOICE, "the voice itself", pair[0].decode() if pair else "none: `mien keys make NAME` makes it")
    for key in allowed:
        table.add_row(key.name, key.role, key.public.decode())
    Console().print(table)


def _fail(error: object) -> NoReturn:
    click.echo(f"mien keys: {error}", err=True)
    raise SystemExit(2)
