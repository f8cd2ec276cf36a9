"""Polls all sockets of the process, calling the handlers of those that are ready."""

import select
from collections.abc import Callable
from typing import Final

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
_EVENTS_A_WAIT: Final = 64

Handler = Callable[[int], None]


class Reactor:
    """An epoll instance with one handler for each descriptor. handler(events) gets epoll's event mask."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def add(self, descriptor: int, handler: Handler, events: int = READ) -> None:
        """Watch a descriptor."""
        self._epoll.register(descriptor, events)
        self._handlers[descriptor] = handler

    def watch(self, descriptor: int, events: int) -> None:
        """Change the events to watch for; 0: only errors."""
        self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        """Stop watching. Must be called before the descriptor is closed."""
        del self._handlers[descriptor]
        self._epoll.unregister(descriptor)

    def wait(self, timeout_ms: float) -> bool:
        """Wait up to timeout_ms until a descriptor is ready, and call the handlers. Returns whether any was ready."""
        ready = self._epoll.poll(timeout_ms / 1000, _EVENTS_A_WAIT)
        for descriptor, events in ready:
            if (handler := self._handlers.get(descriptor)) is not None:  # an earlier handler may have closed it
                handler(events)
        return bool(ready)

    def close(self) -> None:
        """Close the epoll instance."""
        self._epoll.close()
