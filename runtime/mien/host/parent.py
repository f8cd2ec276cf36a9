"""Children that end with their parent: `mien run` may be killed, and its services must not stay behind."""

import ctypes
import os
import signal
import sys
from collections.abc import MutableMapping
from typing import Final

PARENT_VARIABLE: Final = "MIEN_PARENT_PID"
_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def name_parent(environment: MutableMapping[str, str]) -> None:
    """Let a child that is started with this environment end with this process, or rather with the thread that starts
    it (prctl(2))."""
    environment[PARENT_VARIABLE] = str(os.getpid())


def end_with_parent() -> None:
    """In the child, before it does anything: be sent SIGTERM when the parent that named itself ends.

    Without a name in the environment nothing changes. Raises SystemExit where the parent has ended already.
    """
    named = os.environ.pop(PARENT_VARIABLE, "")
    if not named:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if str(os.getppid()) != named:  # it ended before it was asked for its death
        sys.exit(128 + signal.SIGTERM)
