"""Takeover: which agent holds the floor.

Pure; stepped with the time. Without a holder any speaker may begin a turn (see mien.voice.turn_queue). With a holder
only the holder may, and the speakers' turns are held or dropped. Every client is sent `floor` at each change.
"""

from typing import Literal

from mien.config import VoiceConfig
from mien.core import wire
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.units import NS_PER_MS
from mien.voice.playback import Playback
from mien.voice.sessions import Send, Session, Sessions
from mien.voice.turn_queue import TurnQueue


class Floor:
    """send(identity, message) sends to a client."""

    def __init__(
        self,
        *,
        config: VoiceConfig,
        queue: TurnQueue,
        playback: Playback,
        sessions: Sessions,
        counters: Counters,
        send: Send,
    ) -> None:
        self._vanish_ns = config.floor_vanish_timeout_ms * NS_PER_MS
        self._idle_ns = config.floor_idle_timeout_ms * NS_PER_MS
        self._queue = queue
        self._playback = playback
        self._sessions = sessions
        self._counters = counters
        self._send = send
        self._heard_ns = 0
        self._vanished = False
        self._releasing = False
        self._note = ""
        self.name = ""

    @property
    def holder(self) -> bytes | None:
        """The agent that holds the floor."""
        return self._queue.holder

    def check_may_act(self, identity: bytes) -> None:
        """Raises ProtocolError (floor_taken) for a client that may not control voice and face now."""
        if self.holder not in (None, identity):
            raise ProtocolError("floor_taken", f"the agent '{self.name}' holds the floor", retryable=True)

    def take(self, session: Session, queue: Literal["hold", "drop"], now_ns: int) -> None:
        """Give the floor to this agent. Raises ProtocolError: not_allowed, floor_taken."""
        if session.role != "agent":
            raise ProtocolError("not_allowed", f"take_floor needs the role agent; this client said {session.role}")
        if not self._vanished:
            self.check_may_act(session.identity)
        self._interrupt_speakers(session.identity, queue)
        self._queue.release_held(now_ns, session.identity)  # the holder's own turns are never held
        self._queue.holder, self.name, self._heard_ns = session.identity, session.name, now_ns
        self._vanished = self._releasing = False
        self._queue.admits = True
        self._counters.count("floor_taken")
        self._note = ""
        self._announce("taken")

    def release(self, identity: bytes, note: str = "") -> None:
        """Release the floor once the holder's turns have been heard. note: for the speakers.

        Raises ProtocolError (floor_not_held).
        """
        if identity != self.holder:
            raise ProtocolError("floor_not_held", "this client does not hold the floor; nothing changes")
        self._releasing, self._note = True, note
        self._queue.admits = False

    def note(self, identity: bytes, now_ns: int) -> None:
        """A client has sent something."""
        if identity == self.holder and not self._vanished:
            self._heard_ns = now_ns

    def leave(self, identity: bytes, now_ns: int) -> None:
        """A client has left."""
        if identity == self.holder and not self._vanished:
            self._vanished = True
            self._heard_ns = now_ns

    def reassign(self, identity: bytes, heir: bytes) -> None:
        """A new client has this identity: the floor of the one that left times out under the heir."""
        if identity == self.holder:
            self._queue.holder = heir

    def step(self, now_ns: int) -> None:
        """Release the floor when that is due."""
        if self.holder is None:
            return
        mine = [turn for turn in self._queue.turns if turn.owner == self.holder]
        if self._releasing and not mine:
            self._release("released", now_ns)
        elif self._vanished and now_ns - self._heard_ns >= self._vanish_ns:
            self._release("vanished", now_ns)
        elif not mine and now_ns - self._heard_ns >= self._idle_ns:
            self._release("idle_timeout", now_ns)

    def _interrupt_speakers(self, taker: bytes, queue: Literal["hold", "drop"]) -> None:
        """Interrupt what is heard, and hold or drop what waits. The turns of an earlier holder are dropped."""
        others = [turn for turn in self._queue.turns if turn.owner != taker and not turn.interrupted]
        cut = [turn for turn in others if turn.playout.taken_frames or queue == "drop" or turn.owner == self.holder]
        self._playback.interrupt(cut, "taken_over")
        self._playback.hold([turn for turn in others if turn not in cut])
        self._playback.pauses.forget(taker)
        self._playback.pauses.end_all("taken_over")

    def _release(self, why: wire.FloorChange, now_ns: int) -> None:
        left = [turn for turn in self._queue.turns if turn.owner == self.holder and not turn.interrupted]
        self._playback.interrupt(left, "client_gone")
        if self.holder is not None:
            self._playback.pauses.forget(self.holder)
        held = self._held()
        self._queue.release_held(now_ns)
        self._queue.holder, self.name = None, ""
        self._vanished = self._releasing = False
        self._queue.admits = True
        self._counters.count(f"floor_{why}")
        self._announce(why, held)

    def _held(self) -> dict[bytes, tuple[str, ...]]:
        held: dict[bytes, tuple[str, ...]] = {}
        for turn in self._queue.turns:
            if turn.held:
                held[turn.owner] = (*held.get(turn.owner, ()), turn.name)
        return held

    def _announce(self, why: wire.FloorChange, held: dict[bytes, tuple[str, ...]] | None = None) -> None:
        held = self._held() if held is None else held
        note, self._note = self._note, ""
        for session in self._sessions.all():
            identity = session.identity
            self._send(
                identity,
                wire.Floor(
                    holder=self.name,
                    why=why,
                    yours=identity == self.holder,
                    held=held.get(identity, ()),
                    note="" if session.role == "observer" else note,
                ),
            )
