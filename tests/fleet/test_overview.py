"""The state of a fleet from hostile messages: who needs somebody, in which order, within which bounds."""

import json
import random

import msgspec
import pytest

from mien.fleet import overview as module
from mien.fleet.event import Fault
from mien.fleet.overview import MAX_STATUS_BYTES, MOST_FAULTS, STALE_S, Need, Overview
from mien.fleet.status import Call, Health, Status, Visit, will

NOW = 1_000_000.0


def tell(fleet: Overview, board: str, rest: str, payload: object) -> None:
    raw = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    fleet.take(f"mien/1/berlin/{board}/{rest}", raw, NOW)


def well(**more: object) -> Status:
    return Status(online=True, level="full", ear="ok", **more)  # type: ignore[arg-type]


def test_boards_are_sorted_by_who_needs_somebody() -> None:
    fleet = Overview()
    tell(fleet, "quiet", "status", well(visit=Visit(visit="v", phase="listening")))
    tell(fleet, "calls", "status", well(call=Call(call="c", since=NOW)))
    tell(fleet, "answered", "status", well(call=Call(call="c", since=NOW, accepted_by="anna")))
    tell(fleet, "deaf", "status", Status(online=True, level="full", ear="silent"))
    tell(fleet, "gone", "status", will())
    assert [(each.place.name, each.need(NOW)) for each in fleet.sorted(NOW)] == [
        ("gone", Need.OFFLINE), ("deaf", Need.FAULT), ("calls", Need.CALL), ("answered", Need.NONE),
        ("quiet", Need.NONE),
    ]  # fmt: skip
    assert fleet.summary(NOW) == {"boards": 5, "offline": 1, "faults": 1, "calls": 1, "visits": 1, "well": 2}


@pytest.mark.parametrize(("status", "health", "said"), [
    (Status(online=True, level="audio_only", ear="ok"), Health(), "level audio_only"),
    (well(clock="unset"), Health(), "clock not set"),
    (well(update="rolled_back"), Health(), "update rolled_back"),
    (well(), Health(at=NOW - STALE_S - 60), "no health for 2 min"),
    (well(), Health(sound="lost"), "sound lost"),
    (well(), Health(latency_p95_ms=1501), "answers after 1.5 s"),
    (well(), Health(disk_used=0.95), "disk 95% full"),
    (well(), Health(temperature_c=81), "81 degrees"),
    (well(), Health(throttled=("under-voltage",)), "throttled: under-voltage"),
])  # fmt: skip
def test_what_is_an_alarm(status: Status, health: Health, said: str) -> None:
    fleet = Overview()
    tell(fleet, "a", "status", status)
    tell(fleet, "a", "health", health)
    assert fleet.boards["berlin/a"].alarms(NOW) == [said]


def test_nothing_is_an_alarm_at_a_board_that_is_well_or_does_not_know() -> None:
    fleet = Overview()
    tell(fleet, "a", "status", well())
    for health in (Health(), Health(at=NOW - 10, latency_p95_ms=900, disk_used=0.5, temperature_c=60, throttled=())):
        tell(fleet, "a", "health", health)
        assert fleet.boards["berlin/a"].alarms(NOW) == []


def test_a_fault_stands_until_the_part_works_again() -> None:
    fleet = Overview()
    tell(fleet, "a", "status", well())
    tell(fleet, "a", "event", Fault(queue="q", seq=0, part="screen", failed=True, what="unplugged"))
    assert fleet.boards["berlin/a"].alarms(NOW) == ["screen: unplugged"]
    tell(fleet, "a", "event", Fault(queue="q", seq=1, part="screen", failed=False))
    assert fleet.boards["berlin/a"].alarms(NOW) == []


def test_a_board_without_a_status_is_offline_and_a_removed_one_gone() -> None:
    fleet = Overview()
    tell(fleet, "a", "health", Health())
    assert fleet.boards["berlin/a"].need(NOW) is Need.OFFLINE
    tell(fleet, "a", "status", b"")
    assert fleet.boards == {}


@pytest.mark.parametrize("payload", [
    b"{", b"[]", b"\xff", b'{"online": 1}', b'{"online": true, "level": "great"}', b"[" * 9000,
    b'{"online": true, "version": "' + b"x" * 300 + b'"}', b" " * (MAX_STATUS_BYTES + 1),
    b'{"online": true}' + b" " * 99_999,
])  # fmt: skip
def test_what_cannot_be_read_is_an_alarm_of_its_board_and_changes_nothing_else(payload: bytes) -> None:
    fleet = Overview()
    tell(fleet, "a", "status", well())
    tell(fleet, "b", "status", well())
    tell(fleet, "a", "status", payload)
    assert fleet.refused == 1
    assert fleet.boards["berlin/a"].need(NOW) is Need.FAULT
    assert fleet.boards["berlin/b"].need(NOW) is Need.NONE
    tell(fleet, "a", "status", well())
    assert fleet.boards["berlin/a"].need(NOW) is Need.NONE


@pytest.mark.parametrize(
    "topic", ["", "mien/1/Berlin/a/status", "mien/1/a/status", "mien/2/a/b/status", "x", "mien/1/a/\x1b/s"]
)
def test_other_topics_are_refused(topic: str) -> None:
    fleet = Overview()
    fleet.take(topic, b"{}", NOW)
    assert (fleet.refused, fleet.boards) == (1, {})


def test_boards_and_faults_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BOARDS", 3)
    fleet = Overview()
    for number in range(5):
        tell(fleet, f"b{number}", "status", well())
    assert (len(fleet.boards), fleet.left_out) == (3, 2)
    for number in range(MOST_FAULTS + 5):
        tell(fleet, "b0", "event", Fault(queue="q", seq=number, part=f"p{number}", failed=True))
    assert len(fleet.boards["berlin/b0"].faults) == MOST_FAULTS


def test_the_snapshot_is_json_whatever_came() -> None:
    """10,000 messages: what a board may send, cut and changed at random."""
    chance = random.Random(4)
    good = [msgspec.json.encode(each) for each in (
        well(version="1", call=Call(call="c", since=1.0)), Health(at=1.0, throttled=("a",), counters={"a": 1}),
        Fault(queue="q", seq=1, part="disk", failed=True, what="\x1b[2J\u202e"))]  # fmt: skip
    fleet = Overview()
    for _ in range(10_000):
        raw = bytearray(chance.choice(good))
        for _ in range(chance.randrange(4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        rest = chance.choice(("status", "health", "event", "live/pose", "answer/a"))
        tell(fleet, f"b{chance.randrange(20)}", rest, bytes(raw[: chance.randrange(len(raw) + 1)]))
    json.dumps(fleet.snapshot(NOW))
    assert 0 < fleet.refused < 10_000
    assert len(fleet.boards) == 20
