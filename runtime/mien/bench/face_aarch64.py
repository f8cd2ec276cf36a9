"""How many aarch64 instructions a picture takes, by QEMU's user emulation and its plugin that counts them.

The count repeats to a fraction of a percent whatever else the machine does, which no time does. It is for comparing
versions and says nothing of a board's latency. GALLIUM_NOOP=true leaves the driver out, as in the other figures.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mien.bench.rows import Row
from mien.errors import MienError

NAME: Final = "default: aarch64 instructions a picture (cortex-a53)"
PICTURES: Final = (10, 50)
PACKAGE: Final = Path(__file__).resolve().parents[2]
ROOT: Final = PACKAGE.parent / "build" / "image" / "root"
LIBRARIES: Final = ("usr/lib/aarch64-linux-gnu/openblas-pthread", "usr/lib/aarch64-linux-gnu")
SITE: Final = "usr/local/lib/python3.11/dist-packages"


def instructions_a_picture(motion: Path, frame_hz: int, size: tuple[int, int]) -> Row:
    """The row; without a value, and with what is missing in its note, where this cannot be counted here."""
    build = Path(os.environ.get("MIEN_QEMU", PACKAGE.parent / "build" / "qemu"))
    root = Path(os.environ.get("MIEN_AARCH64_ROOT", ROOT))
    missing = _missing(build, root)
    if missing:
        return Row(name=NAME, value=None, unit="million", note=missing)
    arguments = ["--motion", str(motion), "--frame-hz", str(frame_hz), "--size", *map(str, size)]
    few, many = (_count(build, root, [*arguments, "--pictures", str(pictures)]) for pictures in PICTURES)
    return Row(
        name=NAME,
        value=round((many - few) / (PICTURES[1] - PICTURES[0]) / 1e6, 3),
        unit="million",
        samples=PICTURES[1] - PICTURES[0],
    )


def _missing(build: Path, root: Path) -> str:
    if not counting_plugin(build):
        return (
            "needs QEMU with plugins: from its source, configure --target-list=aarch64-linux-user "
            "--enable-plugins, make; then set MIEN_QEMU to the build folder"
        )
    if not (root / "usr/bin/python3").exists():
        return "needs an arm64 root with mien's libraries: `make image` leaves one, or set MIEN_AARCH64_ROOT"
    return ""


def counting_plugin(build: Path) -> Path | None:
    """The counting plugin, which newer versions of QEMU keep in another place."""
    found = [
        path for path in (build / "tests/plugin/libinsn.so", build / "tests/tcg/plugins/libinsn.so") if path.exists()
    ]
    return found[0] if found and (build / "qemu-aarch64").exists() else None


def _count(build: Path, root: Path, arguments: list[str]) -> int:
    with tempfile.NamedTemporaryFile(prefix="mien-insn-") as log:
        command = [
            str(build / "qemu-aarch64"),
            "-cpu",
            "cortex-a53",
            "-L",
            str(root),
            "-E",
            "LD_LIBRARY_PATH=" + ":".join(str(root / library) for library in LIBRARIES),
            "-plugin",
            f"{counting_plugin(build)},inline=on",
            "-d",
            "plugin",
            "-D",
            log.name,
            str(root / "usr/bin/python3"),
            "-B",
            "-m",
            "mien.bench.face_drawing",
            *arguments,
        ]
        made = subprocess.run(command, capture_output=True, env=_environment(os.environ, root))
        if made.returncode:
            raise MienError(f"under qemu-aarch64: {made.stderr.decode(errors='replace').strip()[-400:]}")
        return total_instructions(Path(log.name).read_text())


def total_instructions(log: str) -> int:
    """What the plugin counted, over all processors. Raises MienError."""
    found = re.search(r"total insns: (\d+)", log) or re.search(r"insns: (\d+)", log)
    if not found:
        raise MienError(f"QEMU's plugin counted nothing: {log.strip()[:200]!r}")
    return int(found[1])


def _environment(environ: Mapping[str, str], root: Path) -> dict[str, str]:
    return {
        "PATH": environ.get("PATH", ""),
        "HOME": environ.get("HOME", "/"),
        "SDL_VIDEODRIVER": "offscreen",
        "OPENBLAS_NUM_THREADS": "1",
        "GALLIUM_NOOP": "true",
        "GALLIUM_THREAD": "0",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{PACKAGE}:{root / SITE}",
    }
