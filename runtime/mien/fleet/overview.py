"""The state of a fleet as its boards tell it, sorted by who needs somebody.

A board is not trusted: every payload is bounded and validated once, here, and what cannot be read is itself an alarm.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

import msgspec

from mien.errors import FleetError
from mien.fleet.event import Event
from mien.fleet.event import Fault as FaultEvent
from mien.fleet.status import Health, Status
from mien.fleet.topics import ROOT, Board, parse_report

MOST_BOARDS: Final = 5000
MOST_FAULTS: Final = 16
MAX_STATUS_BYTES: Final = 16_384
MAX_HEALTH_BYTES: Final = 16_384
MAX_EVENT_BYTES: Final = 65_536
STALE_S: Final = 90.0  # health comes every ten seconds
FILTERS: Final = (f"{ROOT}/+/+/status", f"{ROOT}/+/+/health")
EVENT_FILTER: Final = f"{ROOT}/+/+/event"

LATENCY_MS: Final = 1500.0
DISK_USED: Final = 0.9
HOT_C: Final = 80.0
_EAR_IS_WELL: Final = ("ok", "muted", "absent", "off", "")
_status = msgspec.json.Decoder(Status)
_health = msgspec.json.Decoder(Health)
_event = msgspec.json.Decoder(Event)


class Need(IntEnum):
    """How much a board needs somebody, the most first."""

    OFFLINE = 0
    FAULT = 1
    CALL = 2
    NONE = 3


class Entry(msgspec.Struct):
    """A board. heard_s: when its newest message came, by the reader's clock; 0 before any."""

    place: Board
    status: Status | None = None
    health: Health | None = None
    faults: dict[str, str] = {}
    unreadable: str = ""
    heard_s: float = 0.0

    @property
    def online(self) -> bool:
        """Whether the broker holds it to be there."""
        return self.status is not None and self.status.online

    def alarms(self, now_s: float) -> list[str]:
        """What is wrong, as short texts. now_s: UTC. Texts of the board are not made safe for a terminal."""
        found = [f"sends what cannot be read: {self.unreadable}"] if self.unreadable else []
        if not self.online:
            return [*found, "offline"]
        return [*found, *_of_status(self.status), *_of_health(self.health, now_s), *self._told()]

    def need(self, now_s: float) -> Need:
        """How much it needs somebody. now_s: UTC."""
        if not self.online:
            return Need.OFFLINE
        if self.alarms(now_s):
            return Need.FAULT
        return Need.CALL if self.calls else Need.NONE

    @property
    def calls(self) -> bool:
        """Whether a customer asks for a person, and nobody has accepted."""
        call = self.status.call if self.status else None
        return call is not None and not call.accepted_by

    def _told(self) -> Iterator[str]:
        for part, what in self.faults.items():
            yield f"{part}: {what}" if what else part


class Overview:
    """All boards. refused: messages that broke the rules. left_out: messages of boards beyond MOST_BOARDS."""

    def __init__(self) -> None:
        self.boards: dict[str, Entry] = {}
        self.refused = 0
        self.left_out = 0

    def take(self, topic: str, payload: bytes, now_s: float) -> None:
        """Take a message. now_s: UTC. What breaks the rules is counted, and named at its board; nothing is raised."""
        try:
            place, rest = parse_report(topic)
        except FleetError:
            self.refused += 1
            return
        if rest == "status" and not payload:  # an operator removed a board for good
            self.boards.pop(place.user, None)
            return
        entry = self._entry(place)
        if entry is None:
            return
        entry.heard_s = now_s
        try:
            self._apply(entry, rest, payload)
        except msgspec.MsgspecError as error:
            self._refuse(entry, f"{rest}: {error}")
        except RecursionError:
            self._refuse(entry, f"{rest}: nested too deeply")

    def sorted(self, now_s: float) -> list[Entry]:
        """The boards, those that need somebody first, then by name. now_s: UTC."""
        return sorted(self.boards.values(), key=lambda entry: (entry.need(now_s), entry.place))

    def snapshot(self, now_s: float) -> dict[str, Any]:
        """Everything as JSON can hold it. now_s: UTC."""
        rows = [_row(entry, now_s) for entry in self.sorted(now_s)]
        return {
            "at": now_s,
            "summary": self.summary(now_s),
            "boards": rows,
            "refused": self.refused,
            "left_out": self.left_out,
        }

    def summary(self, now_s: float) -> dict[str, int]:
        """How many boards there are of each kind. now_s: UTC."""
        needs = [entry.need(now_s) for entry in self.boards.values()]
        return {
            "boards": len(needs),
            "offline": needs.count(Need.OFFLINE),
            "faults": needs.count(Need.FAULT),
            "calls": sum(entry.online and entry.calls for entry in self.boards.values()),
            "visits": sum(_has_visit(entry) for entry in self.boards.values()),
            "well": needs.count(Need.NONE),
        }

    def _entry(self, place: Board) -> Entry | None:
        entry = self.boards.get(place.user)
        if entry is None:
            if len(self.boards) >= MOST_BOARDS:
                self.left_out += 1
                return None
            entry = self.boards[place.user] = Entry(place)
        return entry

    def _apply(self, entry: Entry, rest: str, payload: bytes) -> None:
        if rest == "status":
            _bound(payload, MAX_STATUS_BYTES)
            entry.status = _status.decode(payload)
            entry.unreadable = ""
        elif rest == "health":
            _bound(payload, MAX_HEALTH_BYTES)
            entry.health = _health.decode(payload)
        elif rest == "event":
            _bound(payload, MAX_EVENT_BYTES)
            event = _event.decode(payload)
            if isinstance(event, FaultEvent):
                _note(entry.faults, event)

    def _refuse(self, entry: Entry, why: str) -> None:
        self.refused += 1
        entry.unreadable = why[:200]


def _bound(payload: bytes, most: int) -> None:
    if len(payload) > most:
        raise msgspec.ValidationError(f"{len(payload)} bytes, at most {most}")


def _note(faults: dict[str, str], event: FaultEvent) -> None:
    if not event.failed:
        faults.pop(event.part, None)
    elif event.part in faults or len(faults) < MOST_FAULTS:
        faults[event.part] = event.what


def _of_status(status: Status | None) -> Iterator[str]:
    if status is None:
        return
    if status.level != "full":
        yield f"level {status.level}"
    if status.ear not in _EAR_IS_WELL:
        yield f"microphone {status.ear}"
    if status.clock == "unset":
        yield "clock not set"
    if status.update in ("failed", "rolled_back"):
        yield f"update {status.update}"


def _of_health(health: Health | None, now_s: float) -> Iterator[str]:
    if health is None:
        return
    if health.at is not None and now_s - health.at > STALE_S:
        yield f"no health for {_ago(now_s - health.at)}"
    if health.sound == "lost":
        yield "sound lost"
    if health.latency_p95_ms is not None and health.latency_p95_ms > LATENCY_MS:
        yield f"answers after {health.latency_p95_ms / 1000:.1f} s"
    if health.disk_used is not None and health.disk_used > DISK_USED:
        yield f"disk {health.disk_used:.0%} full"
    if health.temperature_c is not None and health.temperature_c > HOT_C:
        yield f"{health.temperature_c:.0f} degrees"
    if health.throttled:
        yield f"throttled: {', '.join(health.throttled)}"


def _ago(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _has_visit(entry: Entry) -> bool:
    return entry.online and entry.status is not None and entry.status.visit is not None


def _row(entry: Entry, now_s: float) -> dict[str, Any]:
    return {
        "board": entry.place.user,
        "need": entry.need(now_s).name.lower(),
        "alarms": entry.alarms(now_s),
        "calls": entry.online and entry.calls,
        "status": msgspec.to_builtins(entry.status),
        "health": msgspec.to_builtins(entry.health),
    }
