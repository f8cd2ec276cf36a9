"""Exit codes of the services: what systemd, a shell and `mien run` may conclude from an end."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mien.errors import ConfigError, MienError

EXIT_FAILED = 1
EXIT_CONFIG = 2  # systemd does not retry this one


@contextmanager
def exit_codes(program: str) -> Iterator[None]:
    """Turn our own errors into one line on standard error and an exit code.

    Raises SystemExit: 2 for a configuration that a person must mend, 1 for any other MienError. Other exceptions are
    faults of ours and pass with their traceback.
    """
    try:
        yield
    except MienError as error:
        sys.stderr.write(f"{program}: {error}\n")
        sys.exit(EXIT_CONFIG if isinstance(error, ConfigError) else EXIT_FAILED)
