"""Instruction counts of aarch64 Python code, by QEMU's user-mode emulation with its counting plugin.

The count repeats to a fraction of a percent whatever else the machine does, which no time measurement achieves. It
compares versions of the code; it does not predict the latency of a board.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mien.errors import MienError

SOURCES: Final = Path(__file__).resolve().parents[2]
DEFAULT_BUILD: Final = SOURCES.parent / "build" / "qemu"
DEFAULT_ROOT: Final = SOURCES.parent / "build" / "image" / "bookworm" / "root"
LIBRARIES: Final = "usr/lib/aarch64-linux-gnu"
SITES: Final = ("usr/local/lib/python3.11/dist-packages", "usr/lib/python3/dist-packages")
# Newer versions of QEMU keep the plugin in another folder.
PLUGINS: Final = ("tests/plugin/libinsn.so", "tests/tcg/plugins/libinsn.so")


class CannotCount(MienError):
    """A tool for counting instructions is missing; the message says how to get it."""


def count_instructions(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    build: Path = DEFAULT_BUILD,
    root: Path = DEFAULT_ROOT,
    cpu: str = "cortex-a53",
) -> int:
    """The instructions of `python3 *arguments` in an arm64 root, the start of Python included.

    build: QEMU's build folder. environment: added to that of the emulated process, where mien's sources are importable.
    Raises CannotCount when QEMU, its plugin or the root is missing, MienError when the program fails.
    """
    plugin = _plugin(build)
    python = root / "usr/bin/python3"
    if not python.exists():
        raise CannotCount(
            f"{root} is not an arm64 root with mien's libraries: `make image` leaves one, or set MIEN_AARCH64_ROOT"
        )
    inside = {
        "LD_LIBRARY_PATH": f"{_blas(root)}:{root / LIBRARIES}",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": ":".join(str(path) for path in (SOURCES, *(root / site for site in SITES))),
        **environment,
    }
    with tempfile.NamedTemporaryFile(prefix="mien-insn-") as log:
        command = [str(build / "qemu-aarch64"), "-cpu", cpu, "-L", str(root)]
        command += ["-plugin", f"{plugin},inline=on", "-d", "plugin", "-D", log.name]
        for name, value in inside.items():
            command += ["-E", f"{name}={value}"]
        outside = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")}
        made = subprocess.run([*command, str(python), *arguments], capture_output=True, env=outside)
        if made.returncode:
            raise MienError(f"under qemu-aarch64: {made.stderr.decode(errors='replace').strip()[-2000:]}")
        return total_instructions(Path(log.name).read_text())


def total_instructions(log: str) -> int:
    """The plugin's count over all processors. Raises MienError."""
    found = re.search(r"total insns: (\d+)", log) or re.search(r"insns: (\d+)", log)
    if not found:
        raise MienError(f"QEMU's plugin counted nothing: {log.strip()[:200]!r}")
    return int(found[1])


def _plugin(build: Path) -> Path:
    found = [build / name for name in PLUGINS if (build / name).exists()]
    if not found or not (build / "qemu-aarch64").exists():
        raise CannotCount(
            f"{build} has no QEMU with plugins: from its source, configure --target-list=aarch64-linux-user "
            "--enable-plugins, make; then set MIEN_QEMU to the build folder"
        )
    return found[0]


def _blas(root: Path) -> Path:
    """The folder of the root's BLAS: OpenBLAS where it is installed, else the reference implementation."""
    folder = root / LIBRARIES
    found = sorted(folder.glob("openblas*/libblas.so.3")) or sorted(folder.glob("blas/libblas.so.3"))
    if not found:
        raise CannotCount(f"the root has no BLAS: {folder}/openblas*/libblas.so.3")
    return found[0].parent
