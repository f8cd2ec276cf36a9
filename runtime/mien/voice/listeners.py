"""The clients that listen to the customer: who may, what each gets, what it loses.

Pure. Sound may be dropped for a client that does not read; events never are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mien.config import EarConfig
from mien.core import ear_bus, wire
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.units import NS_PER_S
from mien.voice.codec import check_encoding
from mien.voice.roles import hears_microphone
from mien.voice.sessions import Send, Session, Sessions

RESTARTED_BLOCKS: Final = 500  # a sequence number that is lower by more is that of another ear
TOLD_NS: Final = NS_PER_S  # at most this often a listener is told of its losses

Offer = Callable[[bytes, wire.NearEnd, bytes], bool]
"""Sends sound to a client. Returns whether it was sent: not to one that has too much unread."""


@dataclass(frozen=True, slots=True)
class EarStatus:
    """state: as in the message `ear`. why: the remedy. counters: of the ear."""

    state: str
    why: str = ""
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Listener:
    """One client. seq: of the newest block that it was offered. told_ns: when it was last told of a loss."""

    mode: wire.ListenMode
    encoding: str
    seq: int = -1
    dropped: int = 0
    told_ns: int = -TOLD_NS


class Listeners:
    """send(identity, message) sends an answer; copy() an event that is not logged for each client; offer() sound.

    status() is that of the ear now. changes: how often a client began or ended to listen.
    """

    def __init__(
        self,
        *,
        config: EarConfig,
        sessions: Sessions,
        counters: Counters,
        status: Callable[[], EarStatus],
        send: Send,
        copy: Send,
        offer: Offer,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._counters = counters
        self._status = status
        self._send = send
        self._copy = copy
        self._offer = offer
        self._listeners: dict[bytes, Listener] = {}
        self.changes = 0

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._listeners

    def __bool__(self) -> bool:
        return bool(self._listeners)

    @property
    def always(self) -> bool:
        """Whether anyone wants all sound."""
        return any(listener.mode == "always" for listener in self._listeners.values())

    @property
    def encodings(self) -> tuple[ear_bus.Encoding, ...]:
        """What the ear must encode."""
        wanted = {listener.encoding for listener in self._listeners.values()}
        return tuple(encoding for encoding in ("s16le", "opus") if encoding in wanted)

    def listen(self, session: Session, message: wire.Listen) -> None:
        """Begin, change or end listening. Raises ProtocolError: not_allowed, unsupported_encoding."""
        if message.mode == "off":
            self.leave(session.identity)
            return
        self._check_may_listen(session)
        check_encoding(message.encoding)
        self._listeners[session.identity] = Listener(message.mode, message.encoding)
        self.changes += 1

    def leave(self, identity: bytes) -> None:
        """A client has left, or says hello again."""
        self.changes += self._listeners.pop(identity, None) is not None

    def answer(self, identity: bytes) -> None:
        """Send `ear` to one client."""
        self._send(identity, self._ear(identity))

    def announce(self) -> None:
        """The ear's state has changed: send `ear` to every listener."""
        for identity in list(self._listeners):
            self.answer(identity)

    def tell(self, message: wire.Message, but: bytes = b"") -> None:
        """Send an event to every listener except one that was sent it already."""
        for identity in list(self._listeners):
            if identity != but:
                self._copy(identity, message)

    def forward(self, block: ear_bus.NearEnd, payload: bytes, now_ns: int) -> None:
        """Send a block to those who want it. The pre-roll of an utterance is speech: the ear sends it itself."""
        for identity, listener in list(self._listeners.items()):
            if listener.encoding != block.encoding or not (block.speech or listener.mode == "always"):
                continue
            if listener.seq - RESTARTED_BLOCKS < block.seq <= listener.seq:
                continue  # it has this block already, as sound before an utterance
            listener.seq = block.seq
            message = wire.NearEnd(seq=block.seq, at_ns=block.at_ns, speech=block.speech, dropped=listener.dropped)
            if not self._offer(identity, message, payload):
                self._dropped(identity, listener, now_ns)

    def _dropped(self, identity: bytes, listener: Listener, now_ns: int) -> None:
        listener.dropped += 1
        self._counters.count("near_end_dropped")
        if now_ns - listener.told_ns >= TOLD_NS:
            listener.told_ns = now_ns
            self._copy(identity, self._ear(identity))

    def _ear(self, identity: bytes) -> wire.Ear:
        status, listener = self._status(), self._listeners.get(identity)
        return wire.Ear(
            state=status.state,
            why=status.why,
            mode=listener.mode if listener else "off",
            listeners=len(self._listeners),
            counters=status.counters,
            dropped=listener.dropped if listener else 0,
        )

    def _check_may_listen(self, session: Session) -> None:
        if session.role != "observer":
            return
        if not self._config.observers_may_listen:
            raise ProtocolError(
                "not_allowed",
                "observers may not listen; set ear.observers_may_listen = true in mien.toml, or say hello as agent",
            )
        if not hears_microphone(session.principal):
            raise ProtocolError(
                "not_allowed",
                "this observer's key does not permit listening; make one with `mien keys make NAME --role listener`",
            )
