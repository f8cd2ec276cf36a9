"""Instruction counts of aarch64 Python code, by QEMU's user-mode emulation with its counting plugin.

The count repeats to a fraction of a percent whatever else the machine does, which no time measurement achieves. It
compares versions of the code; it does not predict the latency of a board.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from mien.errors import MienError

SOURCES: Final = Path(__file__).resolve().parents[2]
DEFAULT_BUILD: Final = SOURCES.parent / "build" / "qemu"
COUNTER: Final = SOURCES.parent / "build" / "counter"
"""What `make counter` leaves beside QEMU: an arm64 root, packages in `site`, Piper's in `piper`."""

IMAGE_ROOT: Final = SOURCES.parent / "build" / "image" / "bookworm" / "root"
DEFAULT_ROOT: Final = IMAGE_ROOT if (IMAGE_ROOT / "usr/bin/python3").exists() else COUNTER / "root"
LIBRARIES: Final = "usr/lib/aarch64-linux-gnu"
SITES: Final = ("usr/local/lib/python3.*/dist-packages", "usr/lib/python3/dist-packages")
Drive = Callable[[IO[bytes], IO[bytes]], None]
"""Talks with a counted program over its standard input and output."""

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
    packages: Sequence[Path] = (),
    drive: Drive | None = None,
) -> int:
    """The instructions of `python3 *arguments` in an arm64 root, the start of Python included.

    build: QEMU's build folder. environment: added to that of the emulated process, where mien's sources are importable.
    packages: folders of arm64 packages that come before the root's; none is `make counter`'s own. drive: see
    count_program.
    Raises CannotCount when QEMU, its plugin or the root is missing, MienError when the program fails.
    """
    _plugin(build)  # the first thing that is told to be missing
    python = root / "usr/bin/python3"
    if not python.exists():
        raise CannotCount(
            f"{root} is not an arm64 root with mien's libraries: `make counter` or `make image` leaves one, or set "
            "MIEN_AARCH64_ROOT"
        )
    if root == COUNTER / "root" and not packages:
        packages = [COUNTER / "site"]
    sites = [folder for site in SITES for folder in sorted(root.glob(site))]
    inside = {
        "LD_LIBRARY_PATH": f"{_blas(root)}:{root / LIBRARIES}",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": ":".join(str(path) for path in (SOURCES, *packages, *sites)),
        **environment,
    }
    return count_program(str(python), arguments, inside, build=build, root=root, cpu=cpu, drive=drive)[0]


def count_program(
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    build: Path = DEFAULT_BUILD,
    root: Path = DEFAULT_ROOT,
    cpu: str = "cortex-a53",
    drive: Drive | None = None,
) -> tuple[int, bytes]:
    """The instructions of an arm64 program on one core, and what it wrote to standard output.

    program: its path. drive: talks with it instead, until it closes the input; nothing is returned of the output then.
    Raises CannotCount when QEMU or its plugin is missing, MienError when the program fails.
    """
    plugin = _plugin(build)
    with tempfile.NamedTemporaryFile(prefix="mien-insn-") as log, tempfile.TemporaryFile() as words:
        # One core: libraries that start a thread a core would spend instructions on waiting.
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        command += [str(build / "qemu-aarch64"), "-cpu", cpu, "-L", str(root)]
        command += ["-plugin", f"{plugin},inline=on", "-d", "plugin", "-D", log.name]
        for name, value in environment.items():
            command += ["-E", f"{name}={value}"]
        outside = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")}
        said = b""
        with subprocess.Popen(
            [*command, program, *arguments],
            stdin=subprocess.DEVNULL if drive is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=outside,
        ) as made:
            assert made.stdout is not None
            if drive is None:
                said = made.stdout.read()
            else:
                assert made.stdin is not None
                drive(made.stdin, made.stdout)
                made.stdin.close()
        if made.returncode:
            words.seek(0)
            raise MienError(f"under qemu-aarch64: {words.read().decode(errors='replace').strip()[-2000:]}")
        return total_instructions(Path(log.name).read_text()), said


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
            f"{build} has no QEMU with plugins: `make counter` builds it (--enable-plugins); or set MIEN_QEMU to the "
            "build folder of one"
        )
    return found[0]


def _blas(root: Path) -> Path:
    """The folder of the root's BLAS: OpenBLAS where it is installed, else the reference implementation."""
    folder = root / LIBRARIES
    found = sorted(folder.glob("openblas*/libblas.so.3")) or sorted(folder.glob("blas/libblas.so.3"))
    if not found:
        raise CannotCount(f"the root has no BLAS: {folder}/openblas*/libblas.so.3")
    return found[0].parent
