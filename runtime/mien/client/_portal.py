"""An event loop in a background thread, for callers that have none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from mien.errors import ClientError

_T = TypeVar("_T")


class Portal:
    """Runs coroutines for any thread. The thread is a daemon, so that a program that forgets close() can still exit."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mien-client", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in the loop; returns or raises its outcome. An interrupted wait (Ctrl-C) cancels it."""
        if self._loop.is_closed() or threading.current_thread() is self._thread:
            coroutine.close()
            raise ClientError("the client was closed", code="closed", retryable=False)
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and its thread. May be called again."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
