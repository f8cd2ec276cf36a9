"""What a viewer of the emulated board's screen can do to it: give it a size, or none, which pulls its cable.

The remote frame buffer protocol (RFC 6143), as much of it as that takes, and its SetDesktopSize message (QEMU's and
TigerVNC's extension, number 251). For QEMU's graphics card a screen of 0x0 is gone, and it tells the guest.
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
    """Give the screen behind QEMU's VNC socket this size in pixels; 0, 0 takes it away. Raises RigError."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(TIMEOUT_S)
            line.connect(str(path))
            _greet(line)
            line.sendall(struct.pack(">BxHHBx", SET_DESKTOP_SIZE, width, height, 0))
            # The answer to any later message tells that QEMU has read this one: it reads them in their order.
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
        raise RigError(PART, "QEMU's VNC server refuses its viewer")
    line.sendall(b"\x01")  # others may look, too
    name_bytes = struct.unpack(">20xI", _take(line, 24))[0]
    _take(line, name_bytes)


def _take(line: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        if not more:
            raise RigError(PART, "QEMU's VNC server hung up")
        data += more
    return data
