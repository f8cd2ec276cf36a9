"""A turn of coded speech by a well-behaved client, reported to the oracles."""

import time
from typing import Final

from chaos.actors import Actor
from mien.bench.coded import RATE_HZ, samples
from mien.client import Client, Turn
from mien.core import wire
from mien.errors import ClientError

UNBEGUN: Final = frozenset({"floor_taken", "too_many_turns", "turn_exists"})


class Speech:
    """One turn of an actor. length_s: of the whole turn."""

    def __init__(self, actor: Actor, client: Client) -> None:
        self.number = actor.world.number()
        self.name = f"{actor.name}-{self.number}"
        self.turn: Turn = client.turn(self.name)
        self.done = 0
        self._actor = actor
        self._begun = False

    def write(self, seconds: float, *, chunk_ms: int = 0, pace: float = 0.0) -> None:
        """Send speech, all at once or in chunks at `pace` times real time. Raises ClientError."""
        world = self._actor.world
        count = int(seconds * RATE_HZ)
        step = chunk_ms * RATE_HZ // 1000 or count
        until_s = time.monotonic()
        for at in range(0, count, step):
            self._begin()
            size = min(step, count - at)
            world.ear.sent(self.number, self.done + size)
            self.turn.write(samples(self.number, self.done, size))
            self.done += size
            until_s += size / RATE_HZ / pace if pace else 0.0
            world.wait(max(0.0, until_s - time.monotonic()))

    def end(self) -> None:
        """End the turn. Raises ClientError."""
        self._begin()
        self.turn.end()
        self.owe()

    def owe(self) -> None:
        """Tell the oracles that a `finished` is due."""
        self._actor.world.book.ended(self.name, time.monotonic(), self.done / RATE_HZ)

    def wait(self) -> wire.Finished | None:
        """Wait until it was heard. None if it was refused or lost, which the oracles know."""
        try:
            self.owe()
            finished = self.turn.wait()
        except ClientError as error:
            self.failed(error)
            return None
        length_ms = self.done * 1000 / RATE_HZ
        if finished.reason == "played" and abs(finished.played_ms - length_ms) > 1.0:
            self._actor.world.verdicts.add(
                "played_ms",
                "not whole",
                f"{self.name}: was played, {finished.played_ms} ms of {length_ms} ms that were sent",
            )
        return finished

    def failed(self, error: ClientError) -> None:
        """Handle a refusal or a lost voice."""
        if error.code in UNBEGUN:
            self._actor.world.book.excuse(self.name, "refused")
            self._actor.world.ear.over(self.number, None)
        elif error.code in ("unreachable", "closed"):
            self._actor.world.book.excuse(self.name, "lost")
            self._actor.world.ear.over(self.number, None)
            raise error

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._actor.world.ear.begin(self.number, self.name)
            self._actor.world.book.begin(self.name, self.number, self._actor.name)
