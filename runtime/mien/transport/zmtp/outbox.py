"""What waits to be sent to one peer: bounded in bytes by its owner, and never a message cut in two."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

_GATHER: Final = 32  # messages handed to the kernel at once


class Outbox:
    """Whole messages as bytes. Each costs its length and a fixed share for keeping it."""

    OVERHEAD_BYTES: Final = 64

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._sent = 0  # of the oldest
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, data: bytes) -> None:
        """One more message."""
        self._waiting.append(data)
        self.size += len(data) + self.OVERHEAD_BYTES

    def flush(self, sendmsg: Callable[[list[memoryview]], int]) -> None:
        """Hand over what sendmsg takes. Raises whatever it raises; BlockingIOError when it takes nothing now."""
        while self._waiting:
            batch = [memoryview(data) for data in islice(self._waiting, _GATHER)]
            batch[0] = batch[0][self._sent :]
            self._drop_sent(sendmsg(batch))

    def drop_unsent(self) -> int:
        """Forget every message of which nothing was sent. Returns how many."""
        kept = [self._waiting[0]] if self._sent else []
        dropped = len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self.size = sum(len(data) + self.OVERHEAD_BYTES for data in kept)
        return dropped

    def _drop_sent(self, count: int) -> None:
        self._sent += count
        while self._waiting and self._sent >= len(self._waiting[0]):
            self._sent -= len(self._waiting[0])
            self.size -= len(self._waiting[0]) + self.OVERHEAD_BYTES
            self._waiting.popleft()
