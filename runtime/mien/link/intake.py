"""Where every message of the broker comes in: to commands, streams, speech. Never raises."""

import time
from collections.abc import Callable, Sequence

from mien.core.counters import Counters
from mien.errors import FleetError
from mien.fleet.command import Refusal
from mien.fleet.topics import Board, Order, parse_order
from mien.link.border import MAX_SPEECH_BYTES, read_watch
from mien.link.commands import Commands
from mien.link.floor_keeper import FloorKeeper
from mien.link.parts import Joined
from mien.link.roles_seen import RolesSeen


class Intake:
    """joined: the parts that get watches and speech. now_ns: CLOCK_MONOTONIC."""

    def __init__(
        self,
        place: Board,
        *,
        commands: Commands,
        floor: FloorKeeper,
        roles: RolesSeen,
        joined: Sequence[Joined],
        counters: Counters,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._place = place
        self._commands = commands
        self._floor = floor
        self._roles = roles
        self._joined = joined
        self._counters = counters
        self._now_ns = now_ns

    def receive(self, topic: str, payload: bytes) -> None:
        """One message."""
        try:
            order = parse_order(self._place, topic)
        except FleetError:
            self._counters.count("topics_unknown")
            return
        now_ns = self._now_ns()
        if order.kind == "command":
            self._command(order, payload, now_ns)
        elif order.kind == "watch":
            self._watch(order.user, payload, now_ns)
        else:
            self._speech(order.user, payload, now_ns)

    def _command(self, order: Order, payload: bytes, now_ns: int) -> None:
        assert order.role
        self._roles.saw(order.user, order.role)
        self._floor.sign(order.user, now_ns)
        self._commands.take(order, payload)

    def _watch(self, user: str, payload: bytes, now_ns: int) -> None:
        watch = read_watch(payload)
        if isinstance(watch, Refusal):
            self._counters.count("watches_refused")
            return
        if watch.streams:
            self._floor.sign(user, now_ns, watch.for_s)
        else:
            self._floor.gone(user, now_ns)
        for part in self._joined:
            part.watch(user, watch, now_ns)

    def _speech(self, user: str, payload: bytes, now_ns: int) -> None:
        if len(payload) > MAX_SPEECH_BYTES:
            self._counters.count("speech_refused")
            return
        self._floor.sign(user, now_ns)
        for part in self._joined:
            part.speech(user, payload, now_ns)
