"""How much memory a process costs."""

from pathlib import Path

_BYTES_PER_KIB = 1024
_BYTES_PER_MB = 1_000_000


def pss_mb(pid: int | None = None) -> float:
    """The proportional set size of a process (None: this one), in MB of 10**6 bytes.

    PSS shares every page among the processes that map it, so that the sum over processes is what they cost together.
    Raises OSError when the process is gone, or is somebody else's.
    """
    rollup = Path("/proc", "self" if pid is None else str(pid), "smaps_rollup")
    for line in rollup.read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * _BYTES_PER_KIB / _BYTES_PER_MB
    raise OSError(f"{rollup}: has no Pss line")
