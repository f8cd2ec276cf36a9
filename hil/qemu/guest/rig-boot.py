"""What a boot took in guest time, told on the serial line once both services are ready."""

import json
import re
import subprocess
import time
from pathlib import Path

READY_S = 3600  # of a clock that jumps while the disk is waited for
SERVICES = ("mien-voice", "mien-face")
PROPERTIES = ("CPUUsageNSec", "MemoryCurrent", "MemoryPeak")
PACKAGES = ("libgl1-mesa-dri", "systemd", "rauc", "python3-numpy", "python3-pygame")
MARKS = {"init": r"Run /init", "root": r"EXT4-fs \(vda2\): mounted"}


def output(*command: str) -> str:
    """What a command prints; "" if it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def tell(kind: str, **what: object) -> None:
    """Send one record to the rig."""
    print("@@rig " + json.dumps({"kind": kind, **what}), flush=True)


def unit(name: str) -> dict[str, int]:
    """CPU time (ns) and memory (bytes) of a unit, as far as systemd knows."""
    lines = output("systemctl", "show", "-p", ",".join(PROPERTIES), name).splitlines()
    pairs = (line.split("=", 1) for line in lines)
    return {key: int(value) for key, value in pairs if value.isdigit() and int(value) < 1 << 62}


def kernel_marks() -> dict[str, float]:
    """Seconds of the kernel's clock at which it started /init and mounted the root."""
    log = output("dmesg")
    found = {name: re.search(rf"^\[ *([\d.]+)\] .*{what}", log, re.MULTILINE) for name, what in MARKS.items()}
    return {name: float(match[1]) for name, match in found.items() if match}


def main() -> None:
    """Wait for the services, then tell everything."""
    until = time.monotonic() + READY_S
    while output("systemctl", "is-active", *SERVICES).split() != ["active", "active"] and time.monotonic() < until:
        time.sleep(1.0)
    time.sleep(5.0)
    listed = output("systemctl", "list-units", "--plain", "--no-legend", "--type=service,target", "--state=active")
    names = [*(f"{name}.service" for name in SERVICES), *(line.split()[0] for line in listed.splitlines())]
    tell("marks", **kernel_marks())
    tell("units", units={name: unit(name) for name in names})
    failed = output("systemctl", "list-units", "--plain", "--no-legend", "--state=failed").splitlines()
    tell("failed", units=failed)
    journal = ("journalctl", "-b", "-q", "-n", "40", "-o", "cat", "--no-pager")
    selected = [word for line in failed for word in ("-u", line.split()[0])]
    tell("journal", lines=output(*journal, *selected).splitlines() if failed else [])
    tell("memory", **dict(re.findall(r"^(\w+): +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)))
    packages = dict(
        line.split("=", 1)
        for line in output("dpkg-query", "-W", "-f", "${Package}=${Version}\n", *PACKAGES).splitlines()
    )
    tell("versions", kernel=output("uname", "-r"), python=output("python3", "-V"), packages=packages)
    tell("end")


if __name__ == "__main__":
    main()
