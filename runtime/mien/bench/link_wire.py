"""Costs of a process with its connection, read from the kernel."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from mien.errors import MienError

HEADER_BYTES: Final = 52  # IPv4 20, TCP 32 with timestamps: of every segment
_FIELD: Final = re.compile(r"\b(bytes_sent|bytes_received|segs_out|segs_in):(\d+)")


class Traffic(NamedTuple):
    """Of a connection so far. Bytes of TCP's payload, which includes TLS; segments of both directions."""

    sent: int
    received: int
    segments_out: int
    segments_in: int

    def since(self, before: "Traffic") -> "Traffic":
        """What came after an earlier reading."""
        return Traffic(*(now - then for now, then in zip(self, before, strict=True)))

    @property
    def outbound_bytes(self) -> int:
        """Sent, with the headers of IP and TCP."""
        return self.sent + HEADER_BYTES * self.segments_out

    @property
    def both_bytes(self) -> int:
        """Both directions, with headers."""
        return self.outbound_bytes + self.received + HEADER_BYTES * self.segments_in


def traffic_of(port: int) -> Traffic:
    """Of this machine's TCP connection with this local port. Raises MienError."""
    return read_traffic(_ss("-tinH", f"sport = :{port}"))


def _ss(*arguments: str) -> str:
    try:
        return subprocess.run(["ss", *arguments], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise MienError(f"ss failed ({error}); install Debian's iproute2") from None


def port_of(pid: int, peer: int) -> int:
    """The local port of a process's connection to this port. Raises MienError."""
    found = re.search(rf"127\.0\.0\.1:(\d+)\s+\S+\s.*pid={pid},", _ss("-tnpH", f"dport = :{peer}"))
    if found is None:
        raise MienError(f"process {pid} is not connected to port {peer}")
    return int(found.group(1))


def read_traffic(text: str) -> Traffic:
    """The figures in the output of `ss -ti` about one connection; those that are missing are 0. Raises MienError."""
    found = {name: int(value) for name, value in _FIELD.findall(text)}
    if not found:
        raise MienError("ss shows no such connection")
    return Traffic(*(found.get(name, 0) for name in ("bytes_sent", "bytes_received", "segs_out", "segs_in")))


def processor_s(pid: int) -> float:
    """Processor time of a process so far, in seconds. Raises OSError when it has ended."""
    fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
