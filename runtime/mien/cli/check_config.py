"""mien check-config."""

import json
from pathlib import Path

import click
import msgspec

from mien.config import load_config
from mien.errors import ConfigError


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the whole configuration as it will be used.")
def check_config(path: Path | None, as_json: bool) -> None:
    """Check a configuration file: /etc/mien/mien.toml where none is named. Exits 2 when it cannot be used.

    Example: mien check-config mien.toml
    """
    try:
        config = load_config(path)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(config), indent=2))
    else:
        click.echo(f"{path or 'the configuration'}: good")
