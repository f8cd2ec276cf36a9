"""The listening sockets of one server, at ZeroMQ endpoints: ipc://PATH or tcp://ADDRESS:PORT."""

import contextlib
import errno
import fcntl
import logging
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.core.clock import Clock
from mien.errors import BusError
from mien.transport.zmtp.reactor import READ, Reactor
from mien.units import NS_PER_MS, NS_PER_S

log = logging.getLogger("mien.transport")

ACCEPTS_A_WAIT: Final = 8
RETRY_ACCEPT_NS: Final = 100 * NS_PER_MS
CHECK_FILES_NS: Final = NS_PER_S  # how often the files of local sockets are checked

SOCKET_MODE: Final = 0o660  # members of the directory's group may connect
_BACKLOG: Final = 64
_SIOCGIFADDR: Final = 0x8915
_BUFFER_BYTES: Final = 64 * 1024  # of the kernel, each direction: it counts as the service's memory
_KEEPALIVE_IDLE_S: Final = 2
_KEEPALIVE_EVERY_S: Final = 1
_KEEPALIVE_PROBES: Final = 3
_UNANSWERED_MS: Final = 5_000


class Listener:
    """One bound endpoint. Raises BusError when it cannot be bound or another process serves it.

    endpoint: as bound, with the port that the system chose for port 0 or `*`. guarded: CURVE is required.
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
        """Whether the file of a local socket was deleted or replaced, so that clients cannot connect to it."""
        return self._path is not None and _inode(self._path) != self._found

    def rebind(self) -> socket.socket:
        """Bind a local socket again at its path; returns the old socket, which the caller must close."""
        old, self.socket = self.socket, self._bound(self.endpoint)
        return old

    def accept(self) -> socket.socket | None:
        """The next connection, configured; None when none is pending. Raises OSError when resources are exhausted."""
        try:
            connection, _ = self.socket.accept()
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return None
        try:
            _tune(connection)
        except OSError:  # already closed by the peer
            connection.close()
            return None
        return connection

    def close(self) -> None:
        """Close the socket, and remove its file if it is still ours."""
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
            raise BusError(f"{self._what}: {path} belongs to a running service; stop it first")
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        bound = socket.socket(socket.AF_UNIX)
        old = os.umask(0o777 & ~SOCKET_MODE)  # others must not be able to connect, not even before a chmod
        try:
            bound.bind(str(path))
        except BaseException:
            bound.close()
            raise
        finally:
            os.umask(old)
        self._found = _inode(path)
        return bound


Accepted = Callable[[socket.socket, Listener], None]


class Listeners:
    """Accepts connections, a few at a time.

    accepted(connection, listener) is called for each connection. failed(error) is called when the system cannot provide
    one; accepting then pauses for RETRY_ACCEPT_NS.
    """

    def __init__(self, reactor: Reactor, clock: Clock, accepted: Accepted, failed: Callable[[OSError], None]) -> None:
        self._reactor = reactor
        self._clock = clock
        self._accepted = accepted
        self._failed = failed
        self._listeners: list[Listener] = []
        self._paused_until_ns = self._check_ns = 0

    def open(self, endpoint: str, what: str, *, guarded: bool) -> str:
        """Listen at an endpoint; returns it as bound. what: its configuration key, for the error. Raises BusError."""
        listener = Listener(endpoint, what, guarded=guarded)
        self._listeners.append(listener)
        self._watch(listener)
        return listener.endpoint

    def step(self, now_ns: int) -> int:
        """Resume accepting when due, and rebind sockets whose file was deleted. Returns how many were rebound."""
        if self._paused_until_ns and now_ns >= self._paused_until_ns:
            self._paused_until_ns = 0
            for listener in self._listeners:
                self._reactor.watch(listener.socket.fileno(), READ)
        if now_ns < self._check_ns:
            return 0
        self._check_ns = now_ns + CHECK_FILES_NS
        return sum(self._rebind(listener) for listener in self._listeners if listener.lost)

    def close(self) -> None:
        """Close all listening sockets."""
        for listener in self._listeners:
            self._reactor.remove(listener.socket.fileno())
            listener.close()
        self._listeners.clear()

    def _watch(self, listener: Listener) -> None:
        self._reactor.add(listener.socket.fileno(), lambda _: self._accept(listener))

    def _accept(self, listener: Listener) -> None:
        for _ in range(ACCEPTS_A_WAIT):
            try:
                accepted = listener.accept()
            except OSError as error:
                self._failed(error)
                self._pause()
                return
            if accepted is None:
                return
            self._accepted(accepted, listener)

    def _pause(self) -> None:
        self._paused_until_ns = self._clock.now_ns() + RETRY_ACCEPT_NS
        for listener in self._listeners:
            self._reactor.watch(listener.socket.fileno(), 0)

    def _rebind(self, listener: Listener) -> bool:
        """Bind a socket again whose file was deleted: clients could not connect any more."""
        try:
            old = listener.rebind()
        except BusError as error:
            log.error("%s", error)
            return False
        self._reactor.remove(old.fileno())
        old.close()
        self._watch(listener)
        log.warning("%s: the socket's file was deleted; bound it again", listener.endpoint)
        return True


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
    """Family and address of a host; "" is every address, of both families if the system has IPv6."""
    if host == "":
        return socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET, ""
    family, _, _, _, address = min(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))  # IPv4 before IPv6
    return socket.AddressFamily(family), str(address[0])


def _interface_address(host: str) -> str:
    """The address for a host in ZeroMQ's notation: `*` is "" (all), an interface's name is its IPv4 address."""
    if host == "*":
        return ""
    if host not in (name for _, name in socket.if_nameindex()):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", host.encode()))
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
    """Whether a process listens at this path, be it too busy to accept."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        try:
            asking.connect(str(path))
        except BlockingIOError:  # as many wait for it as the kernel holds
            return True
        except OSError:
            return False
    return True


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
