"""What a simulated board does with what people send: the checks of docs/mqtt.md, and plain answers. Pure."""

from typing import Any, Final

import msgspec

from mien.errors import FleetError
from mien.fleet.command import (
    MAX_AGE_S,
    MAX_COMMAND_BYTES,
    MAX_SKEW_S,
    Answer,
    Command,
    Refusal,
    ReleaseFloor,
    TakeFloor,
    Watch,
    permits,
)
from mien.fleet.status import Floor
from mien.fleet.topics import Board, Order, Stream, parse_order

_command: Final = msgspec.json.Decoder(Command)
_watch: Final = msgspec.json.Decoder(Watch)
MOST_SEEN: Final = 1000


class Orders:
    """Commands, leases of watchers and the floor of one board. Times are UTC in seconds."""

    def __init__(self, place: Board) -> None:
        self._place = place
        self._seen: dict[str, float] = {}
        self._watching: dict[str, tuple[float, tuple[Stream, ...]]] = {}
        self.floor: Floor | None = None
        self.speech_packets = 0
        self.refused = 0

    def take(self, topic: str, payload: bytes, now_s: float) -> tuple[str, Answer] | None:
        """A message. Returns the user with the answer to a command; None for everything else."""
        try:
            order = parse_order(self._place, topic)
        except FleetError:
            self.refused += 1
            return None
        if order.kind == "command":
            return order.user, self._obey(order, payload, now_s)
        if order.kind == "watch":
            self._watch(order, payload, now_s)
        else:
            self.speech_packets += 1
        return None

    def streams(self, now_s: float) -> set[Stream]:
        """What is watched now."""
        self._watching = {user: lease for user, lease in self._watching.items() if lease[0] > now_s}
        return {stream for _, streams in self._watching.values() for stream in streams}

    def _obey(self, order: Order, payload: bytes, now_s: float) -> Answer:
        try:
            if len(payload) > MAX_COMMAND_BYTES:
                raise msgspec.ValidationError("too large")
            command = _command.decode(payload)
        except msgspec.MsgspecError as error:
            return _answer("unreadable", "", now_s, Refusal(code="bad_payload", message=str(error)))
        refusal = self._refusal(order, command, now_s)
        kind = str(type(command).__struct_config__.tag)
        if refusal is None:
            self._seen[command.id] = now_s
            refusal = self._hold(order, command, now_s)
        return _answer(command.id, kind, now_s, refusal)

    def _refusal(self, order: Order, command: Command, now_s: float) -> Refusal | None:
        self._seen = {name: at for name, at in self._seen.items() if now_s - at < MAX_AGE_S + MAX_SKEW_S}
        assert order.role
        if not permits(order.role, type(command)):
            return Refusal(code="not_permitted", message=f"{order.role} may not")
        if now_s - command.at > MAX_AGE_S:
            return Refusal(code="stale", message=f"older than {MAX_AGE_S:g} s")
        if command.at - now_s > MAX_SKEW_S:
            return Refusal(code="from_the_future", message="look at the clocks")
        if command.id in self._seen:
            return Refusal(code="duplicate", message="seen before")
        if len(self._seen) >= MOST_SEEN:
            return Refusal(code="busy", message="too many commands")
        return None

    def _hold(self, order: Order, command: Command, now_s: float) -> Refusal | None:
        if isinstance(command, TakeFloor):
            if self.floor is not None and self.floor.holder != order.user:
                return Refusal(code="floor_taken", message=f"{self.floor.holder} speaks")
            self.floor = Floor(holder=order.user, since=now_s)
        elif isinstance(command, ReleaseFloor):
            if self.floor is None or self.floor.holder != order.user:
                return Refusal(code="floor_not_held", message="take it first")
            self.floor = None
        return None

    def _watch(self, order: Order, payload: bytes, now_s: float) -> None:
        try:
            wanted = _watch.decode(payload)
        except msgspec.MsgspecError:
            self.refused += 1
            return
        if wanted.streams:
            self._watching[order.user] = (now_s + wanted.for_s, wanted.streams)
        else:
            self._watching.pop(order.user, None)


def _answer(name: str, kind: str, now_s: float, refusal: Refusal | None) -> Answer:
    result: dict[str, Any] = {}
    state: Any = "done" if refusal is None else "refused"
    return Answer(id=name, command=kind, state=state, at=now_s, error=refusal, result=result)
