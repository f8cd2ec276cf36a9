"""Many boards in one process, for `python -m fleet_sim.boards FOLDER`.

FOLDER holds the files of `mien fleet board`. Each second a line of JSON tells what has happened since the last one. The
process ends when its standard input does.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from fleet_sim.plain import PlainBoard


class SimulatedBoard(Protocol):
    """connections: times (UTC) at which a connection to the broker was made. sent: acknowledged events.

    heard: times (CLOCK_MONOTONIC, s) at which an agent's first sound of a turn was heard.
    """

    connections: list[float]
    heard: list[float]

    @property
    def sent(self) -> int: ...

    async def run(self) -> None: ...


async def live(boards: Sequence[SimulatedBoard], report_s: float = 1.0) -> None:
    """Run boards until cancelled."""
    async with asyncio.TaskGroup() as group:
        for board in boards:
            group.create_task(board.run())
        told, known = [0] * len(boards), [0] * len(boards)
        while True:
            await asyncio.sleep(report_s)
            made = [at for board, seen in zip(boards, told, strict=True) for at in board.connections[seen:]]
            told = [len(board.connections) for board in boards]
            heard = [at for board, seen in zip(boards, known, strict=True) for at in board.heard[seen:]]
            known = [len(board.heard) for board in boards]
            sent = sum(board.sent for board in boards)
            print(json.dumps({"connected": made, "sent": sent, "heard": heard}), flush=True)


async def until_input_ends(boards: Sequence[SimulatedBoard]) -> None:
    """Run boards until standard input ends."""
    living = asyncio.create_task(live(boards))
    await asyncio.to_thread(sys.stdin.read)
    living.cancel()


def make(folders: Sequence[Path], seed: int, speed: float, *, plain: bool) -> list[SimulatedBoard]:
    """A board for each folder with a link.toml."""
    kind: Callable[..., SimulatedBoard] = PlainBoard
    if not plain:
        from fleet_sim.linked import LinkedBoard

        kind = LinkedBoard
    return [kind(each, seed * 100_000 + number, speed=speed) for number, each in enumerate(folders)]


def main() -> None:
    """Parse the arguments, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--plain", action="store_true", help="boards that imitate mien-link, at less cost")
    arguments = parser.parse_args()
    logging.disable()  # a broker that is down is no news here
    folders = sorted(path.parent for path in arguments.folder.rglob("link.toml"))
    boards = make(folders, arguments.seed, arguments.speed, plain=arguments.plain)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(until_input_ends(boards))


if __name__ == "__main__":
    main()
