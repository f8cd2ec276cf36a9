"""Updates as a part of the link: the updater in a thread beside the event loop."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Coroutine
from typing import Any, Final

from mien.errors import ClientError
from mien.fleet.event import EventBase, Update, is_event
from mien.link.parts import Idle, Parts
from mien.link.update.board import Board
from mien.link.update.control_board import ControlBoard
from mien.link.update.evidence import Evidence
from mien.link.update.http import Http
from mien.link.update.kiosk import LinkKiosk
from mien.link.update.updater import Updater, local_minute

log = logging.getLogger("mien.link")

FOLDER: Final = "updates"
"""Below the state folder: where mien-board-control takes bundles from."""

SILENCE: Final = bytes.fromhex("f8fffe")
"""An Opus packet of 20 ms of silence (RFC 6716: CELT, full band, nothing coded)."""

REHEARSAL_PACKETS: Final = 50
STOP_S: Final = 2.0


class UpdatePart(Idle):
    """board: for tests. Raises ConfigError, StorageError."""

    def __init__(self, parts: Parts, board: Board | None = None) -> None:
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._evidence = Evidence()
        self._failure: BaseException | None = None
        folder = parts.state / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        kiosk = LinkKiosk(
            self._evidence,
            self._loop.call_soon_threadsafe,
            drain=lambda on: self._start(parts.board.set_drain(on)),
            clear=lambda: parts.drain.clear(time.monotonic_ns()),
            rehearse=lambda: self._start(self._rehearse()),
        )
        config = parts.config.update
        self._updater = Updater(
            config,
            Http(config, parts.config.place, parts.folder),
            board or ControlBoard(),
            kiosk,
            folder,
            self._told,
            minute=lambda: None if parts.clock.state == "unset" else local_minute(),
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="update", daemon=True)
        self._thread.start()

    def happened(self, event: EventBase) -> None:
        """A turn that was heard proves that the kiosk speaks."""
        if is_event(event):
            self._evidence.observe_event(event)

    def step(self, now_ns: int) -> None:
        """Frames that were shown prove that there is a face. The stage: one that failed stays until the next."""
        self._parts.keeper.change(update=self._updater.stage)
        self._evidence.observe_status(self._parts.snapshot.status)
        self._evidence.observe_health(self._parts.snapshot.health)
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """End the thread at its next pause. A download goes on where it was when the link starts again."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, STOP_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self) -> None:
        try:
            self._updater.run(self._stop)
        except BaseException as error:  # raised in the loop, where it ends the service
            self._failure = error

    def _told(self, action: str, stage: str, version: str, what: str) -> None:
        """In the updater's thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(
                self._parts.tell, Update(queue="", seq=0, action=action, stage=stage, version=version, what=what[:200])
            )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rehearse(self) -> None:
        """A second of silence as a turn, in a kiosk where nobody is: its sound card plays it."""
        client = self._parts.voice.client
        if client is None:
            return
        try:
            async with asyncio.timeout(10), client.turn() as turn:
                for _ in range(REHEARSAL_PACKETS):
                    await turn.write_packet(SILENCE)
        except (ClientError, TimeoutError) as error:
            log.warning("the new release could not be heard yet: %s", error)
