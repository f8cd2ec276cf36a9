"""The listening sockets of one server: accepts a few connections at a time, and survives a system without room."""

import logging
import socket
from collections.abc import Callable
from typing import Final

from mien.core.clock import Clock
from mien.errors import BusError
from mien.transport.zmtp.endpoint import Listener
from mien.transport.zmtp.reactor import READ, Reactor
from mien.units import NS_PER_MS, NS_PER_S

log = logging.getLogger("mien.transport")

ACCEPTS_A_WAIT: Final = 8
RETRY_ACCEPT_NS: Final = 100 * NS_PER_MS
LOOK_NS: Final = NS_PER_S  # how often the files of local sockets are looked at

Welcome = Callable[[socket.socket, Listener], None]


class Doors:
    """welcome(connection, listener) takes each accepted connection; no_room(error) hears that one could not be taken:
    the next is tried a moment later."""

    def __init__(self, reactor: Reactor, clock: Clock, welcome: Welcome, no_room: Callable[[OSError], None]) -> None:
        self._reactor = reactor
        self._clock = clock
        self._welcome = welcome
        self._no_room = no_room
        self._listeners: list[Listener] = []
        self._shut_until_ns = self._look_ns = 0

    def open(self, endpoint: str, what: str, *, guarded: bool) -> str:
        """Listen at an endpoint; returns it as bound. what: the key or the file, for the error. Raises BusError."""
        listener = Listener(endpoint, what, guarded=guarded)
        self._listeners.append(listener)
        self._watch(listener)
        return listener.endpoint

    def step(self, now_ns: int) -> int:
        """Open again what was shut, and bind again what was deleted. Returns how many were bound again."""
        if self._shut_until_ns and now_ns >= self._shut_until_ns:
            self._shut_until_ns = 0
            for listener in self._listeners:
                self._reactor.watch(listener.socket.fileno(), READ)
        if now_ns < self._look_ns:
            return 0
        self._look_ns = now_ns + LOOK_NS
        return sum(self._bind_again(listener) for listener in self._listeners if listener.lost)

    def close(self) -> None:
        """Listen no more."""
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
                self._no_room(error)
                self._shut()
                return
            if accepted is None:
                return
            self._welcome(accepted, listener)

    def _shut(self) -> None:
        self._shut_until_ns = self._clock.now_ns() + RETRY_ACCEPT_NS
        for listener in self._listeners:
            self._reactor.watch(listener.socket.fileno(), 0)

    def _bind_again(self, listener: Listener) -> bool:
        """Somebody deleted a socket's file: clients could never connect again."""
        try:
            old = listener.rebind()
        except BusError as error:
            log.error("%s", error)
            return False
        self._reactor.remove(old.fileno())
        old.close()
        self._watch(listener)
        log.warning("%s: was deleted, and is there again", listener.endpoint)
        return True
