"""Child processes that end with their parent: killing `mien run` must not leave its services behind."""

import ctypes
import os
import signal
import sys
from collections.abc import MutableMapping
from typing import Final

PARENT_VARIABLE: Final = "MIEN_PARENT_PID"
_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def name_parent(environment: MutableMapping[str, str]) -> None:
    """Make a child with this environment end with this process: with the thread that starts it (prctl(2))."""
    environment[PARENT_VARIABLE] = str(os.getpid())


def end_with_parent() -> None:
    """Call it first in the child: SIGTERM is sent to it when the named parent ends.

    Does nothing without a name in the environment. Raises SystemExit if the parent has already ended.
    """
    named = os.environ.pop(PARENT_VARIABLE, "")
    if not named:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if str(os.getppid()) != named:  # it ended before prctl
        sys.exit(128 + signal.SIGTERM)
