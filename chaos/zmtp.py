"""Minimal ZMTP 3 (rfc.zeromq.org/spec/23), for sending what no library would send."""

import socket
import struct
import time
from typing import Final

MORE, LONG, COMMAND = 1, 2, 4
PATIENCE_S: Final = 10.0
GREETING: Final = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


def frame(body: bytes, flags: int = 0) -> bytes:
    """Encode a frame, short or long depending on its body."""
    if len(body) > 255:
        return bytes([flags | LONG]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def message(frames: list[bytes]) -> bytes:
    """Encode a message."""
    return b"".join(frame(body, MORE) for body in frames[:-1]) + frame(frames[-1])


def command(name: bytes, data: bytes = b"") -> bytes:
    """Encode a command frame."""
    return frame(bytes([len(name)]) + name + data, COMMAND)


def ready(kind: bytes, identity: bytes = b"") -> bytes:
    """The READY command for a socket type, such as DEALER."""
    properties = _property(b"Socket-Type", kind)
    return command(b"READY", properties + (_property(b"Identity", identity) if kind == b"DEALER" else b""))


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


class Gone(Exception):
    """The peer disconnected or did not answer."""


class Peer:
    """One connection. address: (host, port), or the path of a local socket.

    receive_bytes: size of the kernel's receive buffer; small ones stall sooner. Raises Gone if it cannot connect.
    """

    def __init__(self, address: tuple[str, int] | str, *, receive_bytes: int = 0) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._kept = bytearray()
        try:
            self.socket.connect(address)
        except OSError as error:
            self.socket.close()
            raise Gone(str(error)) from None

    def open(self, kind: bytes = b"DEALER", identity: bytes = b"") -> None:
        """Exchange greeting and READY. Raises Gone."""
        self.send(GREETING)
        self._exactly(64)
        self.send(ready(kind, identity))
        flags, _ = self.frame()
        if not flags & COMMAND:
            raise Gone("no READY came")

    def send(self, data: bytes, within_s: float = PATIENCE_S) -> None:
        """Send raw bytes. Raises Gone, also if they are not accepted in time."""
        try:
            self.socket.settimeout(within_s)
            self.socket.sendall(data)
            self.socket.settimeout(PATIENCE_S)
        except OSError as error:
            raise Gone(str(error)) from None

    def frame(self) -> tuple[int, bytes]:
        """The next frame as (flags, body). Raises Gone."""
        flags = self._exactly(1)[0]
        size = struct.unpack(">Q", self._exactly(8))[0] if flags & LONG else self._exactly(1)[0]
        return flags, self._exactly(size)

    def message(self, within_s: float) -> list[bytes] | None:
        """The next message, skipping commands; None if none arrives in time. Raises Gone."""
        until_s, frames = time.monotonic() + within_s, []
        while (left_s := until_s - time.monotonic()) > 0:
            self.socket.settimeout(left_s)
            try:
                if not self._kept and not self._more():
                    raise Gone("the peer disconnected")
            except TimeoutError:
                break
            self.socket.settimeout(PATIENCE_S)
            flags, body = self.frame()
            if flags & COMMAND:
                continue
            frames.append(body)
            if not flags & MORE:
                return frames
        self.socket.settimeout(PATIENCE_S)
        return None

    def drain(self) -> None:
        """Discard received data, so that the peer is not blocked. Raises Gone."""
        self._kept.clear()
        self.socket.setblocking(False)
        try:
            while True:
                if not self.socket.recv(1 << 16):
                    raise Gone("the peer disconnected")
        except BlockingIOError:
            pass
        except OSError as error:
            raise Gone(str(error)) from None
        finally:
            self.socket.settimeout(PATIENCE_S)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exactly(self, count: int) -> bytes:
        try:
            while len(self._kept) < count:
                if not self._more():
                    raise Gone("the peer disconnected")
        except OSError as error:
            raise Gone(str(error)) from None
        data = bytes(self._kept[:count])
        del self._kept[:count]
        return data

    def _more(self) -> int:
        """Raises TimeoutError if nothing arrives."""
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone(str(error)) from None
        self._kept += data
        return len(data)
