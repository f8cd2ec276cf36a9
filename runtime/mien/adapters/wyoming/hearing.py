"""The ear's sound, for any number of listeners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mien.adapters.heard.speaker import Connect
from mien.client import ClientError, Ear, NearEnd, UserStarted

RATE_HZ: Final = 16000
KEPT: Final = 100  # blocks of 20 ms that a slow listener may leave unread
RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)

Sound = NearEnd | UserStarted


class Hearing:
    """Listens to mien-ear while anybody listens here. A listener that does not read loses the oldest sound."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listeners: set[asyncio.Queue[Sound]] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Sound]]:
        """A queue of what is heard."""
        queue: asyncio.Queue[Sound] = asyncio.Queue(KEPT)
        self._listeners.add(queue)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="wyoming-ear")
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                client = await self._connect()
            except ClientError as error:
                _log.warning("%s", error)
                await asyncio.sleep(RETRY_S)
                continue
            try:
                async for heard in client.listen("always"):
                    match heard:
                        case NearEnd() | UserStarted():
                            self._tell(heard)
                        case Ear(state=state, why=why):
                            _log.info("the ear is %s%s", state, f": {why}" if why else "")
            except ClientError as error:
                _log.warning("%s", error)
                await asyncio.sleep(RETRY_S)
            finally:
                await client.close()

    def _tell(self, heard: Sound) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(heard)
