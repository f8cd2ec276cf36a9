"""Waiting for a condition in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable


class Waker:
    """Wakes whoever waits for a condition, once something may have changed. For one event loop."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Have every waiter check its condition again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, timeout_s: float | None = None) -> None:
        """Wait for the next wake(), at most timeout_s."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.add(waiter)
                try:
                    await waiter
                finally:
                    self._waiters.discard(waiter)

    async def until(self, condition: Callable[[], object], timeout_s: float | None = None) -> bool:
        """Wait until the condition holds. Returns whether it does: False after timeout_s."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await self.changed()
        return bool(condition())
