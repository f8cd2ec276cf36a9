"""Limits of the container board's memory and processor: by the host's systemd, or by hand in cgroup v2 or v1."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.errors import RigError

PART: Final = "power"
SYSTEMD: Final = Path("/run/systemd/system")
CGROUPS: Final = Path("/sys/fs/cgroup")
MOUNTS: Final = Path("/proc/self/mounts")
# A real board has its processor to itself: give the container priority over everything else on this machine.
WEIGHT: Final = 800  # 100 is a cgroup's default
SHARES: Final = 8192  # the same in cgroup v1, where the default is 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """prefix: words before the board's command. enter: called in the child process before the command starts."""

    prefix: tuple[str, ...]
    enter: Callable[[], None]


def limits(name: str, memory_mb: int) -> Limits:
    """Prepare the limits of the board `name`. Raises RigError if this machine cannot limit its memory.

    Without the limit a test that fills the board's memory would fill this machine's.
    """
    memory_bytes = memory_mb * 1_000_000
    unified = (CGROUPS / "cgroup.controllers").exists()
    if unified:
        _need_controllers()
    if SYSTEMD.is_dir():
        return Limits(scope(memory_bytes), lambda: None)
    groups = _unified(name, memory_bytes) if unified else _legacy(name, memory_bytes)

    def enter() -> None:
        for group in groups:
            (group / "cgroup.procs").write_text("0")

    return Limits((), enter)


def scope(memory_bytes: int) -> tuple[str, ...]:
    """systemd-run's words for a scope with limits: only systemd may change the cgroups of a host that it manages."""
    return (
        "systemd-run",
        "--quiet",
        "--scope",
        "--collect",
        "--slice=-.slice",  # beside the users' and the system's: the weight counts against those
        "--property=Delegate=yes",
        f"--property=MemoryMax={memory_bytes}",
        "--property=MemorySwapMax=0",
        f"--property=CPUWeight={WEIGHT}",
    )


def _need_controllers() -> None:
    have = (CGROUPS / "cgroup.controllers").read_text().split()
    if lacking := {"cpu", "memory"}.difference(have):
        raise RigError(
            PART,
            f"this machine's cgroup v2 cannot limit the board: no {' and no '.join(sorted(lacking))} controller in "
            f"{CGROUPS}/cgroup.controllers (a Raspberry Pi wants cgroup_enable=memory in cmdline.txt)",
        )


def _unified(name: str, memory_bytes: int) -> list[Path]:
    group = CGROUPS / name
    try:
        (CGROUPS / "cgroup.subtree_control").write_text("+cpu +memory")
        group.mkdir(exist_ok=True)
    except OSError as error:
        raise RigError(PART, f"cgroup v2 cannot limit the board's memory here: {error}") from None
    (group / "memory.max").write_text(str(memory_bytes))
    (group / "cpu.weight").write_text(str(WEIGHT))
    if (swap := group / "memory.swap.max").exists():
        swap.write_text("0")
    return [group]


def _legacy(name: str, memory_bytes: int) -> list[Path]:
    hierarchies = mounted(MOUNTS.read_text())
    if not {"memory", "cpu"} <= hierarchies.keys():
        raise RigError(PART, f"{CGROUPS} has neither cgroup v2 nor the controllers cpu and memory of v1")
    # The last is nspawn's own: its groups "payload" and "supervisor" must not be those of another container.
    wanted = ["memory", "cpu", *(kind for kind in ("name=systemd", "unified") if kind in hierarchies)]
    groups = [hierarchies[kind] / name for kind in wanted]
    for group in groups:
        group.mkdir(exist_ok=True)
    (groups[0] / "memory.limit_in_bytes").write_text(str(memory_bytes))
    (groups[1] / "cpu.shares").write_text(str(SHARES))
    return groups


def mounted(mounts: str) -> dict[str, Path]:
    """Where each cgroup hierarchy is mounted, by controller, "name=..." or "unified". mounts: as in /proc/mounts."""
    found: dict[str, Path] = {}
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found.setdefault("unified", Path(place))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, Path(place))
    return found
