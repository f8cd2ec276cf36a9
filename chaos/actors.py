"""Well-behaved clients, as a kiosk has them: a voice stack that speaks, an agent that takes over, an observer.

What each does comes from the run's seed, act by act. Every message that comes to them goes to the books.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from chaos.coded import RATE_HZ, samples
from chaos.world import World
from mien.client import Client, connect
from mien.client.core import Disconnected
from mien.client.syncturn import Turn
from mien.core import wire
from mien.errors import ClientError, MienError

PATIENCE_S: Final = 10.0  # of the client library
LOCKED_OUT_S: Final = 30.0
ANSWER_S: Final = 6.0
UNBEGUN: Final = frozenset({"floor_taken", "too_many_turns", "turn_exists"})
AGAIN_S: Final = 0.4


class Actor(threading.Thread):
    """One client. connects through any of `through`, each time another."""

    role: wire.Role = "speaker"
    through: tuple[str, ...] = ("ipc", "tcp", "curve")

    def __init__(self, world: World, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.world = world
        self.client: Client | None = None
        self.resting = threading.Event()
        self._acts = 0

    def act(self, chance: random.Random) -> None:
        """One act."""
        raise NotImplementedError

    def run(self) -> None:
        """Act until the run ends, and rest when asked to."""
        while not self.world.stopping.is_set():
            self._acts += 1
            chance = random.Random(f"{self.world.seed}/{self.name}/{self._acts}")
            try:
                if self.client is None:
                    self._enter(chance.choice(self.through))
                self._rest()
                self.act(chance)
            except ClientError as error:
                self._failed(error)
            self.world.wait(chance.uniform(0.05, 0.4))
        self._leave()

    def _rest(self) -> None:
        while self.world.quiet.is_set() and not self.world.stopping.is_set():
            self.resting.set()
            self.world.wait(0.1)
        self.resting.clear()

    def _enter(self, where: str) -> None:
        """Connect, again and again. Being kept out for long without a fault of ours is a violation."""
        began_s = time.monotonic()
        while not self.world.stopping.is_set():
            try:
                self.client = self._connect(where)
            except MienError as error:
                self._check_locked_out(began_s, where, error)
                self.world.wait(AGAIN_S)
                continue
            threading.Thread(target=self._hear, args=(self.client,), name=f"{self.name} hears", daemon=True).start()
            self.entered(self.client)
            return

    def entered(self, client: Client) -> None:
        """A session was opened."""

    def _connect(self, where: str) -> Client:
        keys = {}
        if where == "curve":
            folder = self.world.places["keys"]
            keys = {"key": folder / "clients" / f"{KEYS[self.role]}.key_secret", "voice_key": folder / "voice.key"}
        return connect(self.world.endpoints[where], rate_hz=RATE_HZ, timeout_s=PATIENCE_S, name=self.name,
                       role=self.role, **keys)

    def _check_locked_out(self, began_s: float, where: str, error: Exception) -> None:
        if time.monotonic() - began_s < LOCKED_OUT_S or self.world.faults.explain("voice", "run"):
            return
        self.world.verdicts.add("client", "locked out", f"{self.name} has tried for {LOCKED_OUT_S:.0f} s to connect over "
                                f"{where}: {error}")
        began_s = time.monotonic()

    def _leave(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            for name in self.world.book.excuse_all(self.name, "left"):
                self.world.ear.over(_number(name), None)
            client.close()

    def _failed(self, error: ClientError) -> None:
        """A refusal is part of the game; a connection that is gone is opened anew."""
        if error.code in ("unreachable", "closed", "access"):
            self._leave()

    def _hear(self, client: Client) -> None:
        """Bring every event of one session to the books."""
        try:
            for event in client.events():
                self._take(event)
        except ClientError:
            pass

    def _take(self, event: object) -> None:
        now_ns = time.monotonic_ns()
        if isinstance(event, Disconnected):
            self._disconnected(event)
            return
        if isinstance(event, wire.Error) and event.code == "too_slow":
            self.world.verdicts.add("client", "too slow", f"{self.name}, which reads all, was told: {event.message}")
        entry = self.world.book.event(self.name, event)
        if entry is None:
            return
        if isinstance(event, wire.Progress | wire.Stalled | wire.Finished):
            self.world.ear.claim(entry.number, event.played_ms, now_ns)
        if isinstance(event, wire.Finished):
            self.world.ear.over(entry.number, event)
            self._check_whole(event)

    def _check_whole(self, event: wire.Finished) -> None:
        if event.reason == "sink_lost" and not self.world.faults.explain("sound"):
            self.world.verdicts.add("turns", "sink lost", f"{event.turn}: finished as sink_lost, and nothing was done to "
                                    "the recording's disk")

    def _disconnected(self, event: Disconnected) -> None:
        lost = self.world.book.excuse_all(self.name, "lost")
        for name in lost:
            self.world.ear.over(_number(name), None)
        if not self.world.faults.explain("voice", "run") and not self.world.stopping.is_set():
            self.world.verdicts.add("client", "disconnected", f"{self.name} behaved, and its session was ended: "
                                    f"{event.why}; open turns: {', '.join(lost) or 'none'}")


KEYS: Final = {"speaker": "bot", "agent": "ada", "observer": "eve"}


class Speech:
    """One turn of an actor, written and waited for. length_s: of all of it."""

    def __init__(self, actor: Actor, client: Client) -> None:
        self.number = actor.world.number()
        self.name = f"{actor.name}-{self.number}"
        self.turn: Turn = client.turn(self.name)
        self.done = 0
        self._actor = actor
        self._begun = False

    def write(self, seconds: float, *, chunk_ms: int = 0, pace: float = 0.0) -> None:
        """So much speech: at once, or in chunks that come at `pace` times real time. Raises ClientError."""
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
        """All is said. Raises ClientError."""
        self._begin()
        self.turn.end()
        self.owe()

    def owe(self) -> None:
        """From now on a `finished` is due."""
        self._actor.world.book.ended(self.name, time.monotonic(), self.done / RATE_HZ)

    def wait(self) -> wire.Finished | None:
        """Until it was heard. None where it was refused or lost, which the books know."""
        try:
            self.owe()
            finished = self.turn.wait()
        except ClientError as error:
            self.failed(error)
            return None
        length_ms = self.done * 1000 / RATE_HZ
        if finished.reason == "played" and abs(finished.played_ms - length_ms) > 1.0:
            self._actor.world.verdicts.add("played_ms", "not whole", f"{self.name}: was played, {finished.played_ms} ms of "
                                           f"{length_ms} ms that were sent")
        return finished

    def failed(self, error: ClientError) -> None:
        """The voice would not have it, or is gone."""
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


class Speaker(Actor):
    """The voice stack."""

    def act(self, chance: random.Random) -> None:
        """Speak in one of the ways in which voice stacks do."""
        assert self.client is not None
        ways: tuple[Callable[[random.Random, Client], None], ...] = (
            self._burst, self._burst, self._paced, self._paced, self._queue, self._interrupt, self._interrupt, self._pause,
            self._empty, self._express, self._stall, self._reconnect, self._vanish)
        chance.choice(ways)(chance, self.client)

    def _burst(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        if chance.random() < 0.5:
            client.caption(speech.name, "some words of it", [("some", 0, 300), ("words", 300, 700)])
        self._guarded(speech, lambda: speech.write(chance.uniform(0.2, 3.0)))
        speech.wait()

    def _paced(self, chance: random.Random, client: Client) -> None:
        speech = Speech(self, client)
        self._guarded(speech, lambda: speech.write(chance.uniform(0.5, 3.0), chunk_ms=chance.choice((10, 20, 60, 200)),
                                                   pace=chance.choice((0.9, 1.0, 1.1, 3.0))))
        speech.wait()

    def _queue(self, chance: random.Random, client: Client) -> None:
        many = [Speech(self, client) for _ in range(chance.randint(2, 4))]
        for speech in many:
            if self._guarded(speech, lambda one=speech: one.write(chance.uniform(0.2, 1.0))):  # type: ignore[misc]
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
        if took_s > ANSWER_S and not self.world.faults.explain("voice", since_s=began_s):
            self.world.verdicts.add("turns", "slow interrupt", f"{speech.name}: an interrupt took {took_s:.1f} s to finish it")

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
        self._leave()

    def _vanish(self, chance: random.Random, client: Client) -> None:
        """Go in the middle of a turn: what was sent is still spoken."""
        speech = Speech(self, client)
        if self._guarded(speech, lambda: speech.write(chance.uniform(0.2, 1.5))):
            self._leave()

    def _guarded(self, speech: Speech, do: Callable[[], None]) -> bool:
        """Whether it was taken. A session that is gone raises ClientError."""
        try:
            do()
        except ClientError as error:
            speech.failed(error)
            if error.code not in UNBEGUN:
                speech.owe()
            return False
        return True


class Agent(Speaker):
    """Somebody who takes over now and then."""

    role: wire.Role = "agent"

    def act(self, chance: random.Random) -> None:
        """Wait, take the floor, say something, give it back."""
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
                self._leave()


class Observer(Actor):
    """Somebody who looks on, and notices when the voice does not answer."""

    role: wire.Role = "observer"

    def entered(self, client: Client) -> None:
        """Ask for all there is."""
        client.subscribe("state", "captions", "levels", "health")

    def act(self, chance: random.Random) -> None:
        """Ask whether the voice is there; now and then for a picture."""
        assert self.client is not None
        self.resting.set()
        began_s = time.monotonic()
        took_s = self.client.ping() / 1000
        if took_s > ANSWER_S and not self.world.faults.explain("voice", since_s=began_s):
            self.world.verdicts.add("client", "slow answer", f"the voice took {took_s:.1f} s to answer a ping")
        if chance.random() < 0.3:
            self.client.send(wire.GetThumbnail(width=chance.choice((32, 96, 320))))
        if chance.random() < 0.05:
            self._leave()
        self.world.wait(0.5)

    def _rest(self) -> None:
        """Looking on disturbs nobody."""


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
