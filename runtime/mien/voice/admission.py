"""Who has a session: it opens with hello, takes the place of an earlier one of the same client, and is closed.

Pure. A session belongs to the principal that opened it. Where every place is taken, the one that does nothing and has
been idle for longest gives way.
"""

from typing import Final, Protocol

from mien import __version__
from mien.config import VoiceConfig
from mien.core import wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.codecs import open_codec, spoken_encodings
from mien.voice.departed import Departed
from mien.voice.desk import Desk
from mien.voice.expression import Expressions
from mien.voice.floor import Floor
from mien.voice.grants import Grant
from mien.voice.observers import Observers
from mien.voice.playback import Playback, Send
from mien.voice.sessions import Session, Sessions

CAPABILITIES: Final = (
    "interrupt",
    "pause",
    "volume",
    "state",
    "emotion",
    "gesture",
    "look_at",
    "caption",
    "words",
    "takeover",
    "subscribe",
    "thumbnail",
    "bye",
    "replaces",
    "rebuffered",
)
REPLACED_TOLD: Final = 64  # turns in one welcome, the newest


class Leavings(Protocol):
    """Who keeps a record of sessions that end."""

    def left(self, session: Session) -> None:
        """A client is gone."""
        ...


class Admission:
    """Opens and closes sessions, and tells everyone whom that concerns. send(identity, message) to the clients."""

    def __init__(
        self,
        *,
        config: VoiceConfig,
        sessions: Sessions,
        departed: Departed,
        desk: Desk,
        playback: Playback,
        floor: Floor,
        observers: Observers,
        expressions: Expressions,
        journal: Leavings,
        clock: Clock,
        counters: Counters,
        send: Send,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._departed = departed
        self._desk = desk
        self._playback = playback
        self._floor = floor
        self._observers = observers
        self._expressions = expressions
        self._journal = journal
        self._clock = clock
        self._counters = counters
        self._send = send

    def hello(self, identity: bytes, hello: wire.Hello, grant: Grant) -> Session:
        """Open a session, or the connection's own anew. Raises ProtocolError and changes nothing when it may not be."""
        self._check(identity, hello, grant)
        codec = open_codec(hello.encoding, hello.rate_hz)
        replaced: tuple[wire.ReplacedTurn, ...] = ()
        if identity in self._sessions:
            self._give_up_role(identity, hello.role)
        else:
            self._replace_live(hello, grant)
            self._make_room(grant)
            self._disown(identity)
            replaced = self._take_over(hello, grant)
        session = self._sessions.open(
            identity,
            name=hello.client,
            role=hello.role,
            principal=grant.principal,
            codec=codec,
            encoding=hello.encoding,
            epoch=self._playback.epoch,
            now_ns=self._clock.now_ns(),
        )
        self._observers.leave(identity)  # a session that is opened anew has no subscriptions
        self._counters.count("clients_seen")
        self._send(identity, self._welcome(session, replaced))
        return session

    def bye(self, session: Session) -> None:
        """A client takes its leave: what it sent is spoken, and an agent's floor goes back behind it."""
        self._send(session.identity, wire.Bye())
        if session.identity == self._floor.holder:
            self._floor.release(session.identity)
        self._close(session, said_bye=True)

    def gone(self, identity: bytes) -> None:
        """A client's connection is gone."""
        session = self._sessions.find(identity)
        if session is not None:
            self._close(session)

    def close_if_foreign(self, identity: bytes, grant: Grant) -> None:
        """A session is its principal's: whoever else comes by its address, or under a key that has lost the role,
        finds none."""
        session = self._sessions.find(identity)
        if session and (session.principal != grant.principal or session.role not in grant.roles):
            self._counters.count("sessions_of_another_principal")
            self._close(session)

    def _close(self, session: Session, *, said_bye: bool = False) -> None:
        identity, now_ns = session.identity, self._clock.now_ns()
        self._sessions.close(identity)
        self._counters.count("clients_gone")
        self._desk.leave(identity)
        if not said_bye:
            self._floor.leave(identity, now_ns)
        self._observers.leave(identity)
        self._let_go(identity)
        self._departed.add(session, now_ns, said_bye=said_bye)
        self._journal.left(session)

    def _check(self, identity: bytes, hello: wire.Hello, grant: Grant) -> None:
        if hello.protocol not in wire.SPOKEN_PROTOCOLS:
            raise ProtocolError(
                "protocol_version",
                f"protocol {hello.protocol} is not spoken here; spoken: {', '.join(map(str, wire.SPOKEN_PROTOCOLS))}",
            )
        if hello.role not in grant.roles:
            raise ProtocolError(
                "not_allowed",
                f"the key of this client is not one for the role {hello.role}; it "
                f"permits {', '.join(sorted(grant.roles)) or 'nothing'}",
            )
        if identity in self._sessions and any(turn.owner == identity and not turn.ended for turn in self._desk.turns):
            raise ProtocolError("malformed", "hello came in the middle of a turn; end the turn first")

    def _give_up_role(self, identity: bytes, role: wire.Role) -> None:
        """A client that says hello again in another role keeps nothing that only the old one permitted."""
        before = self._sessions.find(identity)
        if before and before.role != role:
            self._let_go(identity)
            if identity == self._floor.holder:
                self._floor.release(identity)

    def _let_go(self, identity: bytes) -> None:
        """What outlives no client: its pause, and what it set of the face."""
        self._playback.pauses.forget(identity)
        self._expressions.leave(identity, self._playback.epoch)

    def _replace_live(self, hello: wire.Hello, grant: Grant) -> None:
        """Close the session that hello names, if it is this principal's; its connection may be dead or hang."""
        for session in self._sessions.all():
            if session.session == hello.replaces and session.principal == grant.principal:
                self._counters.count("clients_replaced")
                self._dismiss(session, "replaced", "another connection has said hello in place of this session")

    def _make_room(self, grant: Grant) -> None:
        """Raises ProtocolError (too_many_clients) where every place is taken and nobody gives way."""
        if not self._sessions.full(grant.principal):
            return
        idle = self._sessions.longest_idle(grant.principal, self._clock.now_ns(), self._has_part)
        if idle is None:
            raise ProtocolError(
                "too_many_clients",
                f"at most {self._config.max_clients} clients, "
                f"{self._config.max_clients_each} of one key, and all of them are at work",
                retryable=True,
            )
        self._counters.count("clients_gave_way")
        self._dismiss(
            idle,
            "gave_way",
            "every place is taken and another client has asked for one; this session had "
            "been idle for longest. Say hello again when there is something to do",
            retryable=True,
        )

    def _dismiss(self, session: Session, code: str, text: str, *, retryable: bool = False) -> None:
        self._send(session.identity, wire.Error(code=code, message=text, retryable=retryable))
        self._close(session)

    def _has_part(self, session: Session) -> bool:
        """Whether something of the conversation is this client's: a turn, the floor, a pause, an expression, or what it
        wants to be told."""
        identity = session.identity
        return (
            bool(session.topics)
            or identity == self._floor.holder
            or identity in self._playback.pauses
            or (
                self._expressions.owned_by(identity)
                or self._observers.waits(identity)
                or any(turn.owner == identity for turn in self._desk.turns)
            )
        )

    def _disown(self, identity: bytes) -> None:
        """An address that comes again, on a connection of its own, does not inherit what was left behind under it."""
        heir = self._sessions.nobody()
        self._desk.disown(identity, heir)
        self._floor.disown(identity, heir)
        self._departed.disown(identity, heir)

    def _take_over(self, hello: wire.Hello, grant: Grant) -> tuple[wire.ReplacedTurn, ...]:
        """End what the crashed sessions of this client left behind. Returns what became of their turns."""
        told: list[wire.ReplacedTurn] = []
        for owner, orphan in self._departed.claim(hello, grant.principal):
            turns = self._departed.turns_of(owner)
            self._playback.interrupt(turns, "client_gone")
            told += orphan.ends
            for turn in turns:
                count, word = turn.words_heard()
                told.append(
                    wire.ReplacedTurn(
                        turn=turn.name,
                        played_ms=round(turn.played_ms, 3),
                        interrupted=True,
                        reason="client_gone",
                        words_heard=count,
                        last_word=word,
                    )
                )
        return tuple(told[-REPLACED_TOLD:])

    def _welcome(self, session: Session, replaced: tuple[wire.ReplacedTurn, ...]) -> wire.Welcome:
        config = self._config
        limits = wire.Limits(
            max_chunk_bytes=wire.MAX_CHUNK_BYTES,
            max_header_bytes=wire.MAX_HEADER_BYTES,
            max_buffer_ms=config.max_buffer_ms,
            max_turn_ms=config.max_turn_ms,
            max_turns=config.max_turns,
            turn_idle_timeout_ms=config.turn_idle_timeout_ms,
            max_messages_per_s=config.max_messages_per_s,
            max_kb_per_s=config.max_kb_per_s,
            max_pause_ms=config.max_pause_ms,
        )
        return wire.Welcome(
            session=session.session,
            protocol=wire.PROTOCOL_MAJOR,
            version=__version__,
            capabilities=CAPABILITIES,
            rates_hz=wire.RATES_HZ,
            limits=limits,
            encodings=spoken_encodings(),
            floor=self._floor.name,
            replaced=replaced,
        )
