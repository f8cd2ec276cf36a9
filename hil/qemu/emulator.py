"""Finds the QEMU that runs the emulated board: this machine's, or Debian 13's beside it.

The rig takes QEMU 10. Under Debian 12's user-mode emulator, 7.2, LiteRT 2.3 crashes when it opens a model; whether its
system emulator runs it was not tried. On a machine with an older QEMU hil/setup unpacks Debian 13's package, with its
libraries, into build/hil/emulator. It is started by its own loader, and not installed.
"""

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from hil.errors import RigError, exit_status

PART: Final = "power"
PROGRAM: Final = "qemu-system-aarch64"
LEAST: Final = 10  # the first version that is known to run every image
UNPACKED: Final = Path(__file__).resolve().parents[2] / "build/hil/emulator"


@functools.cache
def emulator(unpacked: Path = UNPACKED) -> tuple[str, ...]:
    """The beginning of QEMU's command line. unpacked: where hil/setup puts Debian 13's.

    Raises RigError with the remedy.
    """
    own = _version()
    if own >= LEAST:
        return (PROGRAM,)
    loaders = sorted(unpacked.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))
    program = unpacked / "usr/bin" / PROGRAM
    if not loaders or not program.exists():
        here = f"this machine's is {own}" if own else "this machine has none"
        raise RigError(
            PART, f"the emulated board needs QEMU {LEAST}, and {here}: run hil/setup qemu-virt, which unpacks it"
        )
    libraries = loaders[0].parent
    return (
        "env", f"QEMU_MODULE_DIR={libraries / 'qemu'}",  # before the folder of this machine's QEMU
        str(loaders[0]), "--library-path", str(libraries), str(program), "-L", str(unpacked / "usr/share/qemu"),
    )  # fmt: skip


def _version() -> int:
    """The major version of this machine's QEMU; 0 without one."""
    try:
        done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        return 0
    found = re.search(r"version (\d+)\.", done.stdout)
    return int(found[1]) if found else 0


def main() -> int:
    """Exit with 1, and say why, if there is no QEMU that runs the emulated board."""
    return exit_status(emulator)


if __name__ == "__main__":
    sys.exit(main())
