"""VNC client that resizes the emulated board's screen, or unplugs it.

Implements the necessary subset of the remote frame buffer protocol (RFC 6143) with the SetDesktopSize message, number
251, an extension of QEMU and TigerVNC. QEMU's graphics card reports a screen of 0x0 to the guest as unplugged.
"""

import socket
import struct
from pathlib import Path
from typing import Final

from hil.errors import RigError

PART: Final = "screen"
VERSION: Final = b"RFB 003.008\n"
NO_PASSWORD: Final = 1
SET_DESKTOP_SIZE: Final = 251
TIMEOUT_S: Final = 20.0


def resize(path: Path, width: int, height: int) -> None:
    """Resize the screen behind QEMU's VNC socket, in pixels; 0, 0 unplugs it. Raises RigError."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(TIMEOUT_S)
            line.connect(str(path))
            _greet(line)
            line.sendall(struct.pack(">BxHHBx", SET_DESKTOP_SIZE, width, height, 0))
            # QEMU reads messages in order: the answer to any later message means that it has read this one.
            line.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1))
            _take(line, 1)
    except OSError as error:
        raise RigError(PART, f"{path}: {error}; is the board on?") from None


def _greet(line: socket.socket) -> None:
    _take(line, len(VERSION))
    line.sendall(VERSION)
    if NO_PASSWORD not in _take(line, _take(line, 1)[0]):
        raise RigError(PART, "QEMU's VNC server asks for a password")
    line.sendall(bytes((NO_PASSWORD,)))
    if _take(line, 4) != bytes(4):
        raise RigError(PART, "QEMU's VNC server refuses the connection")
    line.sendall(b"\x01")  # shared: other viewers may stay connected
    name_bytes = struct.unpack(">20xI", _take(line, 24))[0]
    _take(line, name_bytes)


def _take(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        if not more:
            raise RigError(PART, "QEMU's VNC server closed the connection")
        data += more
    return data
