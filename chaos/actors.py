"""A well-behaved client, driven by the run's seed; everything it receives goes to the oracles."""

import random
import threading
import time
from typing import Final

from chaos.world import World, patience
from mien.bench.coded import RATE_HZ
from mien.client import Client, Disconnected, connect
from mien.core import wire
from mien.errors import ClientError, MienError

PATIENCE_S: Final = 10.0  # of the client library
LOCKED_OUT_S: Final = 30.0
AGAIN_S: Final = 0.4
GAVE_WAY: Final = "every place is taken"
KEYS: Final = {"speaker": "bot", "agent": "ada", "observer": "eve"}


class Actor(threading.Thread):
    """One client. through: the endpoints it may connect to, chosen anew each time."""

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
        """Act until the run ends; pause when asked to."""
        while not self.world.stopping.is_set():
            self._acts += 1
            chance = random.Random(f"{self.world.seed}/{self.name}/{self._acts}")
            try:
                if self.client is None:
                    self.enter(chance.choice(self.through))
                self._rest()
                if self.client is not None:
                    self.act(chance)
            except ClientError as error:
                self._failed(error)
            self.world.wait(chance.uniform(0.05, 0.4))
        self.leave()

    def _rest(self) -> None:
        while self.world.quiet.is_set() and not self.world.stopping.is_set():
            self.resting.set()
            self.world.wait(0.1)
        self.resting.clear()

    def enter(self, where: str) -> None:
        """Connect, with retries. Being refused for long without an injected fault is a violation."""
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
        """Called when a session was opened."""

    def _connect(self, where: str) -> Client:
        key = voice_key = None
        if where == "curve":
            folder = self.world.places["keys"]
            key, voice_key = folder / "clients" / f"{KEYS[self.role]}.key_secret", folder / "voice.key"
        endpoint = self.world.endpoints[where]
        return connect(
            endpoint,
            rate_hz=RATE_HZ,
            timeout_s=PATIENCE_S,
            name=self.name,
            role=self.role,
            key=key,
            voice_key=voice_key,
        )

    def _check_locked_out(self, began_s: float, where: str, error: Exception) -> None:
        if time.monotonic() - began_s < patience(LOCKED_OUT_S) or self.world.faults.explain("voice", "run"):
            return
        self.world.verdicts.add(
            "client", "locked out", f"{self.name} could not connect within {LOCKED_OUT_S:.0f} s over {where}: {error}"
        )

    def leave(self) -> None:
        """Disconnect. Outstanding `finished` messages are excused."""
        client, self.client = self.client, None
        if client is not None:
            for name in self.world.book.excuse_all(self.name, "left"):
                self.world.ear.over(_number(name), None)
            client.close()

    def _failed(self, error: ClientError) -> None:
        """Tolerate refusals; reconnect after a lost connection."""
        if error.code in ("unreachable", "closed", "access"):
            self.leave()

    def _hear(self, client: Client) -> None:
        """Pass every event of one session to the oracles."""
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
        if isinstance(event, wire.Status | wire.Floor):
            self.world.told[type(event).__name__] = event
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
            self.world.verdicts.add(
                "turns",
                "sink lost",
                f"{event.turn}: finished as sink_lost without a fault of the recording's disk",
            )

    def _disconnected(self, event: Disconnected) -> None:
        lost = self.world.book.excuse_all(self.name, "lost")
        for name in lost:
            self.world.ear.over(_number(name), None)
        gave_way = GAVE_WAY in event.why and not lost  # idle sessions give way to busy ones
        explained = gave_way or self.world.faults.explain("voice", "run")
        if not explained and not self.world.stopping.is_set():
            self.world.verdicts.add(
                "client",
                "disconnected",
                f"well-behaved {self.name} lost its session: {event.why}; open turns: {', '.join(lost) or 'none'}",
            )


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
