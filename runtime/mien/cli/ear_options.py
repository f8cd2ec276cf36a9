"""The options that the subcommands of `mien ear` share, as decorators."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """--config PATH, as `path`."""
    path = click.Path(path_type=Path)
    return click.option("--config", "path", type=path, help="Configuration file [/etc/mien/mien.toml].")(function)


def set_option(function: F) -> F:
    """--set KEY=VALUE, as `pairs`."""
    text = "Override a key, such as ear.device=plughw:2."
    return click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help=text)(function)


def json_option(function: F) -> F:
    """--json, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)
