"""A board with the real mien-link, over a simulated voice."""

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Final

import zmq.asyncio

from fleet_sim.voice import SimulatedVoice
from mien.host import board
from mien.link import service
from mien.link.config import load_link_config
from mien.link.facts import Facts

_FACTS: Final = Facts(version="simulated", image="", slot="A", model="simulated", motion="", avatar=None, built=0.0)
_LOOK_S: Final = 0.25


class _Memory:
    """In place of the link's gauge, which reads the maps of the whole process."""

    def __init__(self, *_: object) -> None:
        pass

    def mb(self) -> float:
        """MB of this link, as measured of a single one."""
        return 30.0


# What a link asks the kernel about its process and its machine, hundreds of them need not ask in one process.
vars(service).update(release_unused_pages=lambda: None, MemoryGauge=_Memory)
vars(board).update(clock_was_set=lambda *_: True)


class LinkedBoard:
    """folder: with link.toml. speed: of its hour. Make and run it in one event loop.

    connections: times at which a connection was made, UTC. sent: events that were acknowledged. heard: when an agent's
    first sound of a turn was heard, CLOCK_MONOTONIC.
    """

    def __init__(self, folder: Path, seed: int, *, speed: float = 1.0) -> None:
        self.connections: list[float] = []
        self.heard: list[float] = []
        self._folder, self._seed, self._speed = folder, seed, speed
        self._service: service.LinkService | None = None

    @property
    def sent(self) -> int:
        """How many events the broker has."""
        return 0 if self._service is None else self._service.events.acked

    async def run(self) -> None:
        """Live until cancelled."""
        path = self._folder / "link.toml"
        with tempfile.TemporaryDirectory(prefix="mien-b-", dir=_memory()) as name:
            run_dir, context = Path(name), zmq.asyncio.Context.instance()
            voice = SimulatedVoice(context, run_dir, self._seed, self._speed)
            self.heard = voice.heard
            chance = random.Random(self._seed).random
            link = service.LinkService(load_link_config(path), path, run_dir, facts=lambda: _FACTS, chance=chance)
            self._service = link
            async with asyncio.TaskGroup() as group:
                for work in (voice.run(), link.run(), self._look(link)):
                    group.create_task(work)

    async def _look(self, link: service.LinkService) -> None:
        while True:
            for _ in range(link.broker.connections - len(self.connections)):
                self.connections.append(time.time())
            await asyncio.sleep(_LOOK_S)


def _memory() -> str | None:
    """A folder in memory: five hundred cards on one disk would measure the disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
