"""ZeroMQ sockets: router.py serves the clients, bus.py serves face or ear."""

from pathlib import Path
from typing import Final

VOICE_SOCKET: Final = "voice.sock"
BUS_SOCKET: Final = "bus.sock"
REPORT_SOCKET: Final = "report.sock"
FAR_END_SOCKET: Final = "far-end.sock"
EAR_SOCKET: Final = "ear.sock"
METER_SOCKET: Final = "meter.sock"


def voice_endpoint(run_dir: Path) -> str:
    """The endpoint at which the voice with this run directory serves local clients."""
    return f"ipc://{run_dir / VOICE_SOCKET}"
