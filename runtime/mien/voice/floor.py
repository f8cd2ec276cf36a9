"""Takeover: which agent holds the floor, and what becomes of everybody's turns when that changes.

Pure; stepped with the time. Without a holder any speaker may begin a turn (see mien.voice.desk). With one only the
holder may, and the speakers' turns are held or were dropped. `floor` is told to every client at each change.
"""

from collections.abc import Callable
from typing import Literal

from mien.config import VoiceConfig
from mien.core import wire
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.units import NS_PER_MS
from mien.voice.desk import Desk
from mien.voice.playback import Playback
from mien.voice.sessions import Session, Sessions

Send = Callable[[bytes, wire.Message], None]


class Floor:
    """One holder at most. send(identity, message) takes the events to the clients."""

    def __init__(
        self, *, config: VoiceConfig, desk: Desk, playback: Playback, sessions: Sessions, counters: Counters, send: Send
    ) -> None:
        self._vanish_ns = config.floor_vanish_timeout_ms * NS_PER_MS
        self._idle_ns = config.floor_idle_timeout_ms * NS_PER_MS
        self._desk = desk
        self._playback = playback
        self._sessions = sessions
        self._counters = counters
        self._send = send
        self._heard_ns = 0
        self._vanished = False
        self._releasing = False
        self.name = ""

    @property
    def holder(self) -> bytes | None:
        """The address of the agent that holds the floor."""
        return self._desk.holder

    def check_may_act(self, identity: bytes) -> None:
        """Raises ProtocolError (floor_taken) for whoever may not steer voice and face now."""
        if self.holder not in (None, identity):
            raise ProtocolError("floor_taken", f"the agent '{self.name}' holds the floor", retryable=True)

    def take(self, session: Session, queue: Literal["hold", "drop"], now_ns: int) -> None:
        """Give it to this agent. Raises ProtocolError: not_allowed, floor_taken."""
        if session.role != "agent":
            raise ProtocolError("not_allowed", f"take_floor needs the role agent; this client said {session.role}")
        if not self._vanished:
            self.check_may_act(session.identity)
        self._interrupt_speakers(session.identity, queue)
        self._desk.give_back(now_ns, session.identity)  # held by another agent before: only the holder can free them
        self._desk.holder, self.name, self._heard_ns = session.identity, session.name, now_ns
        self._vanished = self._releasing = False
        self._desk.admits = True
        self._counters.count("floor_taken")
        self._announce("taken")

    def release(self, identity: bytes) -> None:
        """The holder has said all; it goes back when that has been heard. Raises ProtocolError (floor_not_held)."""
        if identity != self.holder:
            raise ProtocolError("floor_not_held", "this client does not hold the floor; nothing changes")
        self._releasing = True
        self._desk.admits = False

    def note(self, identity: bytes, now_ns: int) -> None:
        """A client gave a sign of life."""
        if identity == self.holder and not self._vanished:
            self._heard_ns = now_ns

    def leave(self, identity: bytes, now_ns: int) -> None:
        """A client is gone."""
        if identity == self.holder and not self._vanished:
            self._vanished = True
            self._heard_ns = now_ns

    def disown(self, identity: bytes, heir: bytes) -> None:
        """This address means somebody else from now on: the floor of who is gone runs out under the heir's."""
        if identity == self.holder:
            self._desk.holder = heir

    def step(self, now_ns: int) -> None:
        """Give the floor back when its time has come."""
        if self.holder is None:
            return
        mine = [turn for turn in self._desk.turns if turn.owner == self.holder]
        if self._releasing and not mine:
            self._give_back("released", now_ns)
        elif self._vanished and now_ns - self._heard_ns >= self._vanish_ns:
            self._give_back("vanished", now_ns)
        elif not mine and now_ns - self._heard_ns >= self._idle_ns:
            self._give_back("idle_timeout", now_ns)

    def _interrupt_speakers(self, taker: bytes, queue: Literal["hold", "drop"]) -> None:
        """Whoever is heard is cut off; what waits is held, or dropped with it. An older holder's turns are dropped."""
        others = [turn for turn in self._desk.turns if turn.owner != taker and not turn.interrupted]
        cut = [turn for turn in others if turn.taken_frames or queue == "drop" or turn.owner == self.holder]
        self._playback.interrupt(cut, "taken_over")
        self._playback.hold([turn for turn in others if turn not in cut])
        self._playback.pauses.forget(taker)
        self._playback.pauses.end_all("taken_over")

    def _give_back(self, why: wire.FloorChange, now_ns: int) -> None:
        left = [turn for turn in self._desk.turns if turn.owner == self.holder and not turn.interrupted]
        self._playback.interrupt(left, "client_gone")
        if self.holder is not None:
            self._playback.pauses.forget(self.holder)
        held = self._held()
        self._desk.give_back(now_ns)
        self._desk.holder, self.name = None, ""
        self._vanished = self._releasing = False
        self._desk.admits = True
        self._counters.count(f"floor_{why}")
        self._announce(why, held)

    def _held(self) -> dict[bytes, tuple[str, ...]]:
        held: dict[bytes, tuple[str, ...]] = {}
        for turn in self._desk.turns:
            if turn.held:
                held[turn.owner] = (*held.get(turn.owner, ()), turn.name)
        return held

    def _announce(self, why: wire.FloorChange, held: dict[bytes, tuple[str, ...]] | None = None) -> None:
        held = self._held() if held is None else held
        for identity in self._sessions.identities():
            self._send(
                identity,
                wire.Floor(holder=self.name, why=why, yours=identity == self.holder, held=held.get(identity, ())),
            )
