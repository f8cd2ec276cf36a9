"""Waits for every socket of the process at once, and calls whoever it belongs to."""

import select
from collections.abc import Callable
from typing import Final

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
_EVENTS_A_WAIT: Final = 64

Handler = Callable[[int], None]


class Reactor:
    """An epoll and the handlers of its descriptors. handler(events) is called with what epoll says of one."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def add(self, descriptor: int, handler: Handler, events: int = READ) -> None:
        """Watch a descriptor."""
        self._epoll.register(descriptor, events)
        self._handlers[descriptor] = handler

    def watch(self, descriptor: int, events: int) -> None:
        """Watch for other events from now on; 0: only for errors."""
        self._epoll.modify(descriptor, events)

    def remove(self, descriptor: int) -> None:
        """Watch no longer. To be called before the descriptor is closed."""
        del self._handlers[descriptor]
        self._epoll.unregister(descriptor)

    def wait(self, timeout_ms: float) -> bool:
        """Wait until something is ready, at most timeout_ms, and call the handlers. Returns whether anything was."""
        ready = self._epoll.poll(timeout_ms / 1000, _EVENTS_A_WAIT)
        for descriptor, events in ready:
            if (handler := self._handlers.get(descriptor)) is not None:  # an earlier handler may have closed it
                handler(events)
        return bool(ready)

    def close(self) -> None:
        """Watch nothing any more."""
        self._epoll.close()
