"""The opening of sessions, their end, room for newcomers when all places are taken.

Pure. A session belongs to the principal that opened it.
"""

from typing import Final

from mien import __version__
from mien.config import VoiceConfig
from mien.core import wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.calls import Calls
from mien.voice.choices import Choices
from mien.voice.codec import open_codec, spoken_encodings
from mien.voice.expression import Expressions
from mien.voice.floor import Floor
from mien.voice.listeners import Listeners
from mien.voice.mutes import Mutes
from mien.voice.observers import Observers
from mien.voice.orphans import Orphans
from mien.voice.playback import Playback
from mien.voice.roles import AllowedRoles
from mien.voice.session_log import SessionLog
from mien.voice.sessions import Send, Session, Sessions
from mien.voice.supervision import Supervision
from mien.voice.turn_queue import TurnQueue

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
    "listen",
    "barge_in",
    "choices",
    "presence",
    "calls",
    "phones",
    "qr",
    "relay",
    "visit",
    "screen",
    "attend",
    "poses",
    "heard",
    "drain",
)
REPLACED_TOLD: Final = 64  # the newest turns in one welcome


class Admission:
    """send(identity, message) sends to a client."""

    def __init__(
        self,
        *,
        config: VoiceConfig,
        sessions: Sessions,
        orphans: Orphans,
        queue: TurnQueue,
        playback: Playback,
        floor: Floor,
        observers: Observers,
        expressions: Expressions,
        listeners: Listeners,
        mutes: Mutes,
        choices: Choices,
        calls: Calls,
        supervision: Supervision,
        session_log: SessionLog,
        clock: Clock,
        counters: Counters,
        send: Send,
    ) -> None:
        self._config = config
        self._sessions = sessions
        self._orphans = orphans
        self._queue = queue
        self._playback = playback
        self._floor = floor
        self._observers = observers
        self._expressions = expressions
        self._listeners = listeners
        self._mutes = mutes
        self._choices = choices
        self._calls = calls
        self._supervision = supervision
        self._session_log = session_log
        self._clock = clock
        self._counters = counters
        self._send = send

    def hello(self, identity: bytes, hello: wire.Hello, allowed: AllowedRoles) -> Session:
        """Open a session, or reopen the connection's own. Raises ProtocolError and changes nothing if it is refused."""
        self._check(identity, hello, allowed)
        codec = open_codec(hello.encoding, hello.rate_hz)
        replaced: tuple[wire.ReplacedTurn, ...] = ()
        if identity in self._sessions:
            self._give_up_role(identity, hello.role)
        else:
            self._replace_live(hello, allowed)
            self._make_room(allowed)
            self._reassign(identity)
            replaced = self._take_over(hello, allowed)
        session = self._sessions.open(
            identity,
            name=hello.client,
            role=hello.role,
            principal=allowed.principal,
            codec=codec,
            encoding=hello.encoding,
            epoch=self._playback.epoch,
            now_ns=self._clock.now_ns(),
            capabilities=frozenset(hello.capabilities),
        )
        self._observers.leave(identity)  # a reopened session has no subscriptions
        self._listeners.leave(identity)
        self._counters.count("clients_seen")
        self._send(identity, self._welcome(session, replaced))
        self._calls.joined(session, self._clock.now_ns())
        self._supervision.welcomed(session)
        return session

    def bye(self, session: Session) -> None:
        """A client says goodbye: what it sent is played, and then an agent's floor is released."""
        self._send(session.identity, wire.Bye())
        if session.identity == self._floor.holder:
            self._floor.release(session.identity)
        self._close(session, said_bye=True)

    def gone(self, identity: bytes) -> None:
        """A client's connection has closed."""
        session = self._sessions.find(identity)
        if session is not None:
            self._close(session)

    def close_if_foreign(self, identity: bytes, allowed: AllowedRoles) -> None:
        """Close a connection's session if its key now belongs to another principal or has lost the session's role."""
        session = self._sessions.find(identity)
        if session and (session.principal != allowed.principal or session.role not in allowed.roles):
            self._counters.count("sessions_of_another_principal")
            self._close(session)

    def _close(self, session: Session, *, said_bye: bool = False) -> None:
        identity, now_ns = session.identity, self._clock.now_ns()
        self._sessions.close(identity)
        self._counters.count("clients_gone")
        self._queue.leave(identity)
        if not said_bye:
            self._floor.leave(identity, now_ns)
        self._observers.leave(identity)
        self._listeners.leave(identity)
        self._drop_state(identity)
        self._orphans.add(session, now_ns, said_bye=said_bye)
        self._session_log.left(session)

    def _check(self, identity: bytes, hello: wire.Hello, allowed: AllowedRoles) -> None:
        if hello.protocol not in wire.SUPPORTED_PROTOCOLS:
            raise ProtocolError(
                "protocol_version",
                f"protocol {hello.protocol} is not supported, only {', '.join(map(str, wire.SUPPORTED_PROTOCOLS))}",
            )
        if hello.role not in allowed.roles:
            raise ProtocolError(
                "not_allowed",
                f"the key of this client is not one for the role {hello.role}; it "
                f"permits {', '.join(sorted(allowed.roles)) or 'nothing'}",
            )
        if identity in self._sessions and any(turn.owner == identity and not turn.ended for turn in self._queue.turns):
            raise ProtocolError("malformed", "hello came in the middle of a turn; end the turn first")

    def _give_up_role(self, identity: bytes, role: wire.Role) -> None:
        """A client that says hello again in another role loses what only the old role permitted."""
        before = self._sessions.find(identity)
        if before and before.role != role:
            self._drop_state(identity)
            if identity == self._floor.holder:
                self._floor.release(identity)

    def _drop_state(self, identity: bytes) -> None:
        """End the client's pause, mute, choices, call, visit, attendance and what it set on the face: none of them
        outlives a client."""
        self._playback.pauses.forget(identity)
        self._mutes.leave(identity)
        self._expressions.leave(identity, self._playback.epoch)
        self._choices.leave(identity, self._playback.epoch)
        self._calls.leave(identity)
        self._supervision.leave(identity)

    def _replace_live(self, hello: wire.Hello, allowed: AllowedRoles) -> None:
        """Close the session that hello replaces, if this principal owns it. Its connection may be dead."""
        for session in self._sessions.all():
            if session.session == hello.replaces and session.principal == allowed.principal:
                self._counters.count("clients_replaced")
                self._dismiss(session, "replaced", "another connection has said hello in place of this session")

    def _make_room(self, allowed: AllowedRoles) -> None:
        """Close an idle session if all places are taken. Raises ProtocolError (too_many_clients) if none is idle."""
        if not self._sessions.full(allowed.principal):
            return
        idle = self._sessions.longest_idle(allowed.principal, self._clock.now_ns(), self._has_part)
        if idle is None:
            raise ProtocolError(
                "too_many_clients",
                f"at most {self._config.max_clients} clients, "
                f"{self._config.max_clients_each} of one key, and none of them is idle",
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
        """Whether the client takes part: it owns a turn, the floor, a pause, a mute, choices or an expression, listens,
        attends, reports a visit or is subscribed."""
        identity = session.identity
        return (
            bool(session.topics)
            or identity == self._floor.holder
            or identity in self._playback.pauses
            or identity in self._mutes
            or identity in self._listeners
            or identity in self._choices
            or identity in self._calls
            or identity in self._supervision
            or (
                self._expressions.owned_by(identity)
                or self._observers.waits(identity)
                or any(turn.owner == identity for turn in self._queue.turns)
            )
        )

    def _reassign(self, identity: bytes) -> None:
        """A new connection under an earlier identity does not inherit what was left behind under it."""
        heir = self._sessions.new_orphan_owner()
        self._queue.reassign(identity, heir)
        self._floor.reassign(identity, heir)
        self._orphans.reassign(identity, heir)

    def _take_over(self, hello: wire.Hello, allowed: AllowedRoles) -> tuple[wire.ReplacedTurn, ...]:
        """Interrupt the turns of this client's crashed sessions. Returns what became of their turns."""
        told: list[wire.ReplacedTurn] = []
        for owner, orphan in self._orphans.claim(hello, allowed.principal):
            turns = self._orphans.turns_of(owner)
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
