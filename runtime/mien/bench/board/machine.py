"""What a machine says about itself in the files of its kernel.

Every function takes the root to read from, normally "/".
"""

import os
import platform
import re
from pathlib import Path
from typing import Final

from mien.bench.board.report import Kind
from mien.host.board import board_model

ROOT: Final = Path("/")
EMULATED: Final = ("linux,dummy-virt", "qemu")
"""In the device tree's `compatible`: QEMU's virt machine has the first."""
X86_FIELD: Final = "vendor_id"
KIB_PER_MB: Final = 1024 / 1_000_000


def kind_of(root: Path = ROOT, architecture: str = "") -> Kind:
    """board: it has a device tree. emulated: the device tree or the processor is QEMU's. desktop: anything else.

    A Raspberry Pi that QEMU emulates (raspi3b) has the real board's device tree, and counts as a board.
    """
    described = _read(root / "proc/device-tree/compatible").lower()
    cpuinfo = _read(root / "proc/cpuinfo")
    arm_on_x86 = (architecture or platform.machine()).startswith(("aarch64", "arm")) and X86_FIELD in cpuinfo
    if any(word in described for word in EMULATED) or "QEMU" in _processor_line(cpuinfo) or arm_on_x86:
        return "emulated"
    return "board" if board_model(root) else "desktop"


def processor(root: Path = ROOT) -> str:
    """The processor's name, such as "arm,cortex-a72" from the device tree; "" if nothing names it."""
    for path in sorted((root / "proc/device-tree/cpus").glob("cpu@*/compatible")):
        return _read(path).split("\0")[0]
    return _processor_line(_read(root / "proc/cpuinfo"))


def distribution(root: Path = ROOT) -> str:
    """Such as "Debian GNU/Linux 12 (bookworm)"; "" without /etc/os-release."""
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)"?$', _read(root / "etc/os-release"), re.MULTILINE)
    return found[1] if found else ""


def memory_mb(root: Path = ROOT) -> float | None:
    """The memory of the machine in MB of 10**6 bytes; None if the kernel does not say."""
    found = re.search(r"^MemTotal: *(\d+) kB$", _read(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) * KIB_PER_MB if found else None


def frequencies_mhz(root: Path = ROOT) -> list[float]:
    """The current frequency of each core that reports one."""
    paths = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
    return [int(text) / 1000 for path in paths if (text := _read(path)).isdigit()]


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _processor_line(cpuinfo: str) -> str:
    found = re.search(r"^model name\s*: *(.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else ""


def _read(path: Path) -> str:
    """The stripped content of a small file; "" if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip().rstrip("\0")
    except OSError:
        return ""
