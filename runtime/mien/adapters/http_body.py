"""Reads a request's body as a file, from a thread, while it arrives."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import CancelledError
from typing import Final

from aiohttp import StreamReader

IDLE_S: Final = 30.0  # a body that stands still for so long has ended


class BodyFile(io.RawIOBase):
    """A body as a binary file for a reader in another thread. loop: the one that serves the request."""

    def __init__(self, body: StreamReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._body = body
        self._loop = loop

    def readable(self) -> bool:
        """Yes."""
        return True

    def read1(self, size: int = -1) -> bytes:
        """At most `size` bytes, as soon as any are there; empty at the end, after IDLE_S, or with a closed request."""
        reading = asyncio.run_coroutine_threadsafe(self._body.read(size), self._loop)
        try:
            return reading.result(IDLE_S)
        except (OSError, RuntimeError, TimeoutError, CancelledError):
            reading.cancel()
            return b""

    def read(self, size: int = -1) -> bytes:
        """As read1()."""
        return self.read1(size)
