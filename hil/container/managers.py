"""Keeps the host's network managers away from the rig's interface: its addresses are the rig's business."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.process import run

PART: Final = "net"


@dataclass(frozen=True, slots=True)
class Manager:
    """process: its name, at most 15 characters as in /proc/PID/comm. file: what it reads. reload: makes it read."""

    process: str
    file: Path
    text: str
    reload: tuple[str, ...]


MANAGERS: Final = (
    Manager(
        "systemd-network",
        Path("/run/systemd/network/05-mien-rig.network"),
        "[Match]\nName={interface}\n[Link]\nUnmanaged=yes\n",
        ("networkctl", "reload"),
    ),
    Manager(
        "NetworkManager",
        Path("/run/NetworkManager/conf.d/05-mien-rig.conf"),
        "[device-mien-rig]\nmatch-device=interface-name:{interface}\nmanaged=0\n",
        ("nmcli", "general", "reload", "conf"),
    ),
)


def leave_alone(interface: str, managers: tuple[Manager, ...] = MANAGERS) -> None:
    """Tell every manager that runs on this network. Raises RigError if one does not listen."""
    running = _programs_on_this_network()
    for manager in managers:
        if manager.process in running:
            manager.file.parent.mkdir(parents=True, exist_ok=True)
            manager.file.write_text(manager.text.format(interface=interface))
            run(PART, *manager.reload)


def forget(managers: tuple[Manager, ...] = MANAGERS) -> None:
    """Remove what leave_alone() wrote."""
    for manager in managers:
        manager.file.unlink(missing_ok=True)


def _programs_on_this_network() -> set[str]:
    """Names of the processes in this network namespace; those of containers are none of this host's."""
    ours, found = Path("/proc/self/ns/net").readlink(), set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/net").readlink() == ours:
                found.add((process / "comm").read_text().strip())
        except OSError:
            continue  # it has ended, or is somebody else's
    return found
