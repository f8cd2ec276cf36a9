"""Prepares what the container board gets, before its tests, whose time is limited.

python -m hil.container.prepare
"""

import sys
from pathlib import Path
from typing import Final

from hil.container.software import BoardSoftware
from hil.container.wheel import wheel_of_commit
from hil.errors import exit_status

REPOSITORY: Final = Path(__file__).resolve().parents[2]
KEPT: Final = REPOSITORY / "build/hil/container"
SOFTWARE: Final = KEPT / "software"


def wheel(commit: str = "HEAD") -> Path:
    """The wheel of a commit of this checkout. Raises RigError."""
    return wheel_of_commit(REPOSITORY, commit, KEPT / "wheels")


def main() -> int:
    """Build the wheel and install it, unless that was done before."""
    return exit_status(lambda: BoardSoftware(SOFTWARE).install(wheel()))


if __name__ == "__main__":
    sys.exit(main())
