"""The boot of an image in guest time, unit by unit.

    python -m hil.qemu.boot_time IMAGE [IMAGE...]

Images are compared side by side, with their versions and the memory of the services. As in guest_time, an instruction
takes a nanosecond, so that the load of this machine does not matter: seconds are of the guest's processor. How long the
boot took is not said, because the disk answers in host time. The processor draws the face.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hil.errors import RigError
from hil.qemu.guest_time import OUT, command, prepare, run_board

FILES: Final = {
    "/usr/lib/mien/rig-boot.py": "rig-boot.py",
    "/usr/lib/systemd/system/rig-boot.service": "rig-boot.service",
}
UNIT: Final = "rig-boot.service"
SERVICES: Final = ("mien-voice.service", "mien-face.service")
LISTED: Final = (
    "systemd-udevd.service", "systemd-udev-trigger.service", "systemd-journald.service", "systemd-networkd.service",
    "systemd-resolved.service", "systemd-timesyncd.service", "dbus.service", "mien-grow.service",
)  # fmt: skip
SCREEN: Final = ("-device", "virtio-gpu-pci")


def figures(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures by name from the board's records. Seconds are of the guest's processor, memory is in MB."""
    by_kind = {line["kind"]: line for line in told}
    marks, units, memory = by_kind["marks"], by_kind["units"]["units"], by_kind["memory"]
    found: dict[str, Any] = {
        "kernel": by_kind["versions"]["kernel"],
        "Python": by_kind["versions"]["python"].removeprefix("Python "),
        **by_kind["versions"]["packages"],
        "kernel to /init [s]": marks.get("init"),
        "/init to the root mounted [s]": _difference(marks.get("root"), marks.get("init")),
    }
    for name in SERVICES:
        label = name.removesuffix(".service")
        found[f"{label}: memory [MB]"] = units[name]["MemoryCurrent"] / 1e6
    for name in (*SERVICES, *LISTED):
        if "CPUUsageNSec" in units.get(name, {}):
            found[f"{name.removesuffix('.service')}: processor [s]"] = units[name]["CPUUsageNSec"] / 1e9
    found["processor of all services [s]"] = sum(unit.get("CPUUsageNSec", 0) for unit in units.values()) / 1e9
    found["memory in use [MB]"] = (int(memory["MemTotal"]) - int(memory["MemAvailable"])) * 1024 / 1e6
    for line in by_kind.get("journal", {}).get("lines", ()):
        print(line, file=sys.stderr)
    found["failed units"] = ", ".join(line.split()[0] for line in by_kind["failed"]["units"]) or "none"
    return found


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


def table(columns: Sequence[dict[str, Any]]) -> str:
    """Markdown: a row for each figure, a column for each image."""
    rows = list(dict.fromkeys(name for column in columns for name in column))
    return "\n".join(
        "| " + " | ".join((name, *(_shown(column.get(name)) for column in columns))) + " |" for name in rows
    )


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def boot(image: Path) -> list[dict[str, Any]]:
    """Boot a fresh copy of an image once. Returns the board's records. Raises RigError."""
    work = OUT / "boot-time" / image.stem
    work.mkdir(parents=True, exist_ok=True)
    prepare(image, work / "card.raw", FILES, UNIT)
    told = run_board(work, [*command(work), *SCREEN])
    (work / "records.json").write_text(json.dumps(told, indent=1))
    (work / "card.raw").unlink()
    return told


def main() -> int:
    """Boot each image in turn, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, nargs="+")
    columns = []
    for image in parser.parse_args().images:
        try:
            columns.append({"image": image.name, **figures(boot(image))})
        except RigError as error:
            print(f"{image.name}: {error}", file=sys.stderr)
            return 1
    print(table(columns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
