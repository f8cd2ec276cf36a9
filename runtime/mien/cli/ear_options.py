"""The options that the subcommands of `mien ear` share."""

from pathlib import Path
from typing import Any

import click

config_option: Any = click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Configuration file [/etc/mien/mien.toml]."
)
set_option: Any = click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as ear.device=plughw:2."
)
json_option: Any = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
