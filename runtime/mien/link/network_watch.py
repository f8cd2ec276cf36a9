"""Notices that the network came or changed, so that a board need not wait out its backoff."""

import asyncio
import contextlib
import socket
from typing import Final

_ROUTE: Final = 0  # NETLINK_ROUTE
_GROUPS: Final = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # rtnetlink(7): links, IPv4 addresses and routes, IPv6 likewise
_READ_BYTES: Final = 65_536


class NetworkWatch:
    """Sets `changed` whenever the kernel tells of an address, a route or a link. Without netlink it never does."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._socket: socket.socket | None = None
        with contextlib.suppress(OSError):  # not allowed in this sandbox: the backoff alone decides
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _ROUTE)
            self._socket.bind((0, _GROUPS))
            self._socket.setblocking(False)
            asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        """Stop watching."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(OSError):  # ENOBUFS: more was told than we read; that it changed is enough
            self._socket.recv(_READ_BYTES)
        self.changed.set()
