"""From exceptions to exit codes, for the commands that talk to a running mien.

0 done, 1 failed, 2 a bad argument or configuration, 3 nobody answers, 130 stopped by Ctrl-C.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from mien.errors import ClientError, ConfigError, MienError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNREACHABLE: Final = 3
EXIT_INTERRUPTED: Final = 130


class SpeechError(MienError):
    """A TTS engine is missing or failed."""


@contextmanager
def exit_codes(command: str) -> Iterator[None]:
    """Tell what went wrong on stderr and leave with the code that belongs to it."""
    try:
        yield
    except MienError as error:
        click.echo(f"{command}: {error}", err=True)
        sys.exit(exit_code(error))


def exit_code(error: MienError) -> int:
    """The exit code for an error."""
    if isinstance(error, ConfigError):
        return EXIT_USAGE
    if isinstance(error, ClientError) and error.code == "unreachable":
        return EXIT_UNREACHABLE
    return EXIT_FAILED
