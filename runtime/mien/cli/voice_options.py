"""The options that say which voice a command speaks with, as decorators."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mien.cli.terminal import FiniteRange

F = TypeVar("F", bound=Callable[..., Any])


def voice_options(function: F) -> F:
    """--endpoint, --key and --voice-key, as `endpoint`, `key` and `voice_key`."""
    text = "Endpoint of mien-voice, such as tcp://HOST:5570 [this machine's]."
    return click.option("--endpoint", help=text)(key_options(function))


def key_options(function: F) -> F:
    """--key and --voice-key, as `key` and `voice_key`."""
    path = click.Path(path_type=Path)
    own = click.option("--key", type=path, help="For a voice elsewhere: NAME.key_secret of `mien keys`.")
    return own(click.option("--voice-key", type=path, help="The voice.key that `mien keys` wrote beside it.")(function))


def timeout_option(text: str = "Seconds to wait for mien-voice.") -> Callable[[F], F]:
    """--timeout S, as `timeout_s`; 5 by default. text: what the help says."""
    return click.option(
        "--timeout", "timeout_s", type=FiniteRange(0.1, 600), default=5.0, show_default=True, metavar="S", help=text
    )
