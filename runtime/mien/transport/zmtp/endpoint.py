"""ZeroMQ's endpoints as listening sockets: ipc://PATH and tcp://ADDRESS:PORT."""

import contextlib
import errno
import fcntl
import os
import socket
import struct
from pathlib import Path
from typing import Final

from mien.errors import BusError

SOCKET_MODE: Final = 0o660  # whoever is of the folder's group may connect
_BACKLOG: Final = 64
_SIOCGIFADDR: Final = 0x8915
_BUFFER_BYTES: Final = 64 * 1024  # of the kernel, each way: it counts as the service's memory
_KEEPALIVE_IDLE_S: Final = 2
_KEEPALIVE_EVERY_S: Final = 1
_KEEPALIVE_PROBES: Final = 3
_UNANSWERED_MS: Final = 5_000


class Listener:
    """One bound endpoint. Raises BusError where it cannot be bound, or is somebody else's.

    endpoint: as bound, with the port that the system chose for port 0 or `*`. guarded: whoever connects needs a key.
    """

    def __init__(self, endpoint: str, what: str, *, guarded: bool = False) -> None:
        self._what = what
        self.guarded = guarded
        self._path = Path(endpoint.removeprefix("ipc://")) if endpoint.startswith("ipc://") else None
        self._found: tuple[int, int] | None = None
        self.socket = self._bound(endpoint)
        self.endpoint = endpoint if self._path else _tcp_name(self.socket)

    @property
    def lost(self) -> bool:
        """Whether the file of a local socket was deleted or replaced: nobody can connect to this one any more."""
        return self._path is not None and _inode(self._path) != self._found

    def rebind(self) -> socket.socket:
        """Bind a local socket again where its file was; returns the old socket, for its owner to close."""
        old, self.socket = self.socket, self._bound(self.endpoint)
        return old

    def accept(self) -> socket.socket | None:
        """The next connection, ready for use; None when nobody waits. Raises OSError when the system has no room."""
        try:
            connection, _ = self.socket.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return None
        try:
            _tune(connection)
        except OSError:  # it is gone already
            connection.close()
            return None
        return connection

    def close(self) -> None:
        """Listen no more, and take the file away where it is ours."""
        if self._path is not None and not self.lost:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self.socket.close()

    def _bound(self, endpoint: str) -> socket.socket:
        try:
            bound = self._bind_local(self._path) if self._path else _bind_tcp(endpoint)
        except OSError as error:
            raise BusError(
                f"{self._what}: {endpoint} cannot be opened: {error.strerror or error}; is another "
                "mien-voice running, and may this user write there?"
            ) from None
        bound.setblocking(False)
        bound.listen(_BACKLOG)
        return bound

    def _bind_local(self, path: Path) -> socket.socket:
        if _answers(path):
            raise BusError(f"{self._what}: {path} belongs to a service that runs; stop it first")
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        bound = socket.socket(socket.AF_UNIX)
        old = os.umask(0o777 & ~SOCKET_MODE)  # so that there is no moment at which others may connect
        try:
            bound.bind(str(path))
        except BaseException:
            bound.close()
            raise
        finally:
            os.umask(old)
        self._found = _inode(path)
        return bound


def _bind_tcp(endpoint: str) -> socket.socket:
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    family, address = _resolve(_interface_address(host.strip("[]")))
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "")
        bound.bind((address, 0 if port == "*" else int(port)))
    except OverflowError as error:
        bound.close()
        raise OSError(errno.EINVAL, str(error)) from None
    except OSError:
        bound.close()
        raise
    return bound


def _resolve(host: str) -> tuple[socket.AddressFamily, str]:
    """Family and address of a host; "" is every address, of both families where the system has IPv6."""
    if host == "":
        return socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET, ""
    family, _, _, _, address = min(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))  # IPv4 before IPv6
    return socket.AddressFamily(family), str(address[0])


def _interface_address(host: str) -> str:
    """An address for what ZeroMQ allows: `*` is all of them (""), the name of an interface its IPv4 address."""
    if host == "*":
        return ""
    if host not in (name for _, name in socket.if_nameindex()):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", host.encode()[:15]))
    return socket.inet_ntoa(answer[20:24])


def _tcp_name(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def _tune(connection: socket.socket) -> None:
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    if connection.family == socket.AF_UNIX:
        return
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_EVERY_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS),
    ):
        connection.setsockopt(level, option, value)


def _answers(path: Path) -> bool:
    """Whether somebody listens at this path."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(str(path))
        except OSError:
            return False
    return True


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
