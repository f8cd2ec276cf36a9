"""The clients' socket: a non-blocking ROUTER at every endpoint of the voice."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Literal

from mien.core import wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.transport.key_check import KeyCheck
from mien.transport.zmtp.null import NullMechanism
from mien.transport.zmtp.peer import Peer
from mien.transport.zmtp.reactor import Reactor
from mien.transport.zmtp.server import Received, ZmtpServer
from mien.units import NS_PER_MS, NS_PER_S

KB: Final = 1024
BUDGET_BYTES: Final = {"speaker": 1024 * KB, "agent": 1024 * KB, "observer": 256 * KB, "stranger": 64 * KB}
PENDING_NS: Final = 30 * NS_PER_S  # within which a connection must send hello
HOLD_BACK_NS: Final = 5 * NS_PER_MS
LINGER_MS: Final = 200
SOUND_BYTES: Final = 64 * KB  # queued for one listener: two seconds of near-end sound

Standing = Literal["speaker", "agent", "observer", "stranger"]
_ACCEPTS: Final = frozenset((b"DEALER", b"REQ", b"ROUTER"))
_PROPERTIES: Final = {b"Socket-Type": b"ROUTER", b"Identity": b""}


class ClientRouter:
    """Receives from and sends to clients by identity, the voice's own name for one connection.

    standing(identity) is the client's role; "stranger" before its hello. A client that does not read never loses
    messages silently: when more than BUDGET_BYTES are queued for it, it gets the error too_slow and is disconnected.
    `gone` holds the identities of closed connections, each added after its last message was received. guarded:
    endpoints that require CURVE; pair: the voice's keys.
    """

    def __init__(
        self,
        reactor: Reactor,
        endpoints: Sequence[str],
        clock: Clock,
        counters: Counters,
        *,
        standing: Callable[[bytes], Standing],
        guarded: Sequence[str] = (),
        pair: tuple[bytes, bytes] | None = None,
        keys: KeyCheck | None = None,
    ) -> None:
        self._reactor = reactor
        self._counters = counters
        self._standing = standing
        self._pair = pair
        self._keys = keys
        self._server = ZmtpServer(
            "clients",
            reactor,
            clock,
            counters,
            make_peer=self._make_peer,
            known=lambda identity: standing(identity) != "stranger",
            pending_ns=PENDING_NS,
        )
        self.gone: deque[bytes] = self._server.gone
        try:
            self.endpoints = [self._server.listen(endpoint, "voice.listen") for endpoint in endpoints]
            self.endpoints += [self._server.listen(endpoint, "voice.listen", guarded=True) for endpoint in guarded]
        except BaseException:
            self._server.close()
            raise

    @property
    def pending(self) -> bool:
        """Whether receive() has messages to return."""
        return self._server.pending

    def receive(self) -> Received | None:
        """The next message as (identity, frames, user id), or None when none is queued.

        The user id is the owner of the connection's key; "" at an endpoint without CURVE.
        """
        return self._server.receive()

    def send(self, identity: bytes, message: wire.Message) -> None:
        """Send a message, or disconnect a client that does not read."""
        waiting = self._server.send(identity, [wire.encode(message)])
        if waiting > BUDGET_BYTES[self._standing(identity)]:
            self._counters.count("clients_too_slow")
            self.disconnect(
                identity,
                "too_slow",
                f"{waiting // KB} kB of events were not read; read faster or subscribe to less, and reconnect",
            )

    def offer(self, identity: bytes, message: wire.Message, payload: bytes) -> bool:
        """Send sound that may be dropped. Returns whether it was sent: not while SOUND_BYTES wait for the client."""
        if self._server.queued(identity) + len(payload) > SOUND_BYTES:
            return False
        self._server.send(identity, [wire.encode(message), payload])
        return True

    def hold_back(self, identity: bytes) -> None:
        """Read nothing from a client for HOLD_BACK_NS: it exceeds its rate limit, and refusing messages costs time."""
        self._server.hold_back(identity, HOLD_BACK_NS)

    @property
    def holding_back(self) -> bool:
        """Whether a client is held back now; step() ends that when due."""
        return self._server.holding_back

    def disconnect(self, identity: bytes, code: str = "", why: str = "") -> None:
        """Close a connection. With a code, the client first gets an `error` with the reason."""
        farewell = [wire.encode(wire.Error(code=code, message=why))] if code else None
        self._server.disconnect(identity, farewell)

    def step(self) -> None:
        """Do what is due by the clock, and disconnect clients whose key was removed."""
        self._server.step()
        if self._keys is None or not self._keys.step():
            return
        for identity, user_id in self._server.peers():
            if user_id and not self._keys.listed(user_id):
                self._counters.count("access_revoked")
                self.disconnect(identity, "access_revoked", "this client's key was removed from the voice")

    def close(self) -> None:
        """Close all connections, after up to LINGER_MS for queued messages to be sent."""
        for _ in range(LINGER_MS // 10):
            if self._server.flush():
                break
            self._reactor.wait(10)
        self._server.close()

    def _make_peer(self, guarded: bool) -> Peer:
        if not guarded:
            return Peer(NullMechanism(_PROPERTIES), NullMechanism.name, _ACCEPTS)
        assert self._pair is not None
        assert self._keys is not None
        from mien.transport.zmtp.curve import CurveMechanism  # imported only for CURVE: it loads libsodium

        return Peer(CurveMechanism(_PROPERTIES, self._pair, self._keys.user_of), CurveMechanism.name, _ACCEPTS)
