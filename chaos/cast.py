"""The actors of a kiosk: a voice stack that speaks, an agent that takes over, an observer."""

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from chaos.actors import Actor
from chaos.speech import UNBEGUN, Speech
from chaos.world import patience
from mien.client import Client
from mien.core import wire
from mien.errors import ClientError

ANSWER_S: Final = 6.0


class Speaker(Actor):
    """The voice stack."""

    def act(self, chance: random.Random) -> None:
        """Speak in one of a voice stack's usual ways."""
        assert self.client is not None
        ways: tuple[Callable[[random.Random, Client], None], ...] = (
            self._burst,
            self._burst,
            self._paced,
            self._paced,
            self._queue,
            self._interrupt,
            self._interrupt,
            self._pause,
            self._empty,
            self._express,
            self._stall,
            self._reconnect,
            self._vanish,
        )
        chance.choice(ways)(chance, self.client)

    def _burst(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        if chance.random() < 0.5:
            client.caption(speech.name, "some words of it", [("some", 0, 300), ("words", 300, 700)])
        self._guarded(speech, lambda: speech.write(chance.uniform(0.2, 3.0)))
        speech.wait()

    def _paced(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        self._guarded(
            speech,
            lambda: speech.write(
                chance.uniform(0.5, 3.0),
                chunk_ms=chance.choice((10, 20, 60, 200)),
                pace=chance.choice((0.9, 1.0, 1.1, 3.0)),
            ),
        )
        speech.wait()

    def _queue(self, chance: random.Random, client: Client) -> None:
        many = [Speech(self, client) for _ in range(chance.randint(2, 4))]
        for speech in many:
            if self._guarded(speech, partial(speech.write, chance.uniform(0.2, 1.0))):
                self._guarded(speech, speech.end)
        for speech in many:
            speech.wait()

    def _interrupt(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        if not self._guarded(speech, lambda: speech.write(chance.uniform(1.0, 4.0))):
            return
        self.world.wait(chance.uniform(0.0, 1.5))
        began_s = time.monotonic()
        try:
            speech.owe()
            speech.turn.interrupt()
        except ClientError as error:
            speech.failed(error)
            return
        took_s = time.monotonic() - began_s
        if took_s > patience(ANSWER_S) and not self.world.faults.explain("voice", since_s=began_s):
            self.world.verdicts.add(
                "turns", "slow interrupt", f"{speech.name}: finished {took_s:.1f} s after its interrupt"
            )

    def _pause(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        if not self._guarded(speech, lambda: speech.write(chance.uniform(0.5, 2.0))):
            return
        self.world.wait(chance.uniform(0.0, 0.5))
        client.pause()
        self.world.wait(chance.uniform(0.1, 0.6))
        client.resume()
        speech.wait()

    def _stall(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        for _ in range(chance.randint(2, 4)):
            if not self._guarded(speech, lambda: speech.write(chance.uniform(0.05, 0.4))):
                return
            self.world.wait(chance.uniform(0.2, 0.8))
        speech.wait()

    def _empty(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        self._guarded(speech, speech.end)
        speech.wait()

    def _express(self, chance: random.Random, client: Client) -> None:
        client.state(chance.choice(("idle", "listening", "thinking")))
        client.emotion(chance.choice(("neutral", "happy", "sad")))
        client.gesture(chance.choice(("nod", "shake", "wink", "smile")))
        client.look_at(0.2, -0.3)

    def _reconnect(self, chance: random.Random, client: Client) -> None:
        self.leave()

    def _vanish(self, chance: random.Random, client: Client) -> None:
        """Disconnect in mid-turn: what was sent is still spoken."""
        speech = Speech(self, client)
        if self._guarded(speech, lambda: speech.write(chance.uniform(0.2, 1.5))):
            self.leave()

    def _guarded(self, speech: Speech, do: Callable[[], None]) -> bool:
        """Whether the voice accepted it. Raises ClientError for a lost session."""
        try:
            do()
        except ClientError as error:
            speech.failed(error)
            if error.code not in UNBEGUN:
                speech.owe()
            return False
        return True


class Agent(Speaker):
    """An agent that takes the floor occasionally."""

    role: wire.Role = "agent"

    def act(self, chance: random.Random) -> None:
        """Wait, take the floor, speak, release the floor."""
        assert self.client is not None
        if not self.world.wait(chance.uniform(1.0, 6.0)) or self.world.quiet.is_set():
            return
        self.client.take_floor(chance.choice(("hold", "drop")))
        try:
            for _ in range(chance.randint(0, 2)):
                (self._burst if chance.random() < 0.7 else self._interrupt)(chance, self.client)
        finally:
            if chance.random() < 0.9:
                self.client.release_floor()
            else:
                self.leave()


class Observer(Actor):
    """An observer that also checks that the voice answers."""

    role: wire.Role = "observer"

    def entered(self, client: Client) -> None:
        """Subscribe to everything."""
        client.subscribe("state", "captions", "levels", "health")

    def act(self, chance: random.Random) -> None:
        """Ping the voice; occasionally request a thumbnail."""
        assert self.client is not None
        self.resting.set()
        began_s = time.monotonic()
        took_s = self.client.ping() / 1000
        if took_s > patience(ANSWER_S) and not self.world.faults.explain("voice", since_s=began_s):
            self.world.verdicts.add("client", "slow answer", f"the voice took {took_s:.1f} s to answer a ping")
        if chance.random() < 0.3:
            self.client.send(wire.GetThumbnail(width=chance.choice((32, 96, 320))))
        if chance.random() < 0.05:
            self.leave()
        self.world.wait(0.5)

    def _rest(self) -> None:
        """Observing leaves nothing to settle."""
