"""Exit codes: what systemd, a shell or `mien run` can conclude when a process ends."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from mien.errors import ClientError, ConfigError, EarError, InstallRefused, MienError


class Exit(IntEnum):
    """Every exit code that mien uses. 128 + N after signal N, as a shell reports it."""

    DONE = 0
    FAILED = 1
    CONFIG = 2  # an argument or a configuration that a person must correct; systemd does not retry
    UNREACHABLE = 3  # mien-voice, or a fleet's broker, does not answer
    INTERRUPTED = 130  # Ctrl-C


@contextmanager
def exit_codes(program: str, *expected: type[Exception]) -> Iterator[None]:
    """Report a MienError as one line on standard error and exit with its code.

    expected: other exceptions to report the same way, such as OSError. All further exceptions are bugs and keep their
    traceback. Raises SystemExit.
    """
    reported: tuple[type[Exception], ...] = (MienError, *expected)
    try:
        yield
    except reported as error:
        sys.stderr.write(f"{program}: {error}\n")
        sys.exit(exit_code(error))


def exit_code(error: Exception) -> Exit:
    """The exit code for an error."""
    if isinstance(error, ConfigError | EarError | InstallRefused):
        return Exit.CONFIG
    if isinstance(error, ClientError) and error.code == "unreachable":
        return Exit.UNREACHABLE
    return Exit.FAILED
