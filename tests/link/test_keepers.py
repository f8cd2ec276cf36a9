"""Small states: status, floor, attendance, drain, roles, clock."""

import pytest

from mien.errors import FleetError
from mien.fleet.status import Call, Floor, Status, Visit
from mien.link.attendance import Attendance, Sign
from mien.link.drain import QUIET_NS, Drain
from mien.link.floor_keeper import SILENT_NS, FloorKeeper
from mien.link.roles_seen import MOST_USERS, RolesSeen
from mien.link.status_keeper import EVERY_NS, StatusKeeper
from mien.link.wall_clock import BUILT_AFTER, WallClock
from mien.units import NS_PER_S


def test_a_status_is_told_once_and_at_most_five_times_a_second() -> None:
    keeper = StatusKeeper(Status(online=True))
    assert keeper.due(0, 1.0) == Status(online=True, at=1.0)
    assert keeper.due(EVERY_NS, 2.0) is None
    keeper.change(phase="speaking")
    assert keeper.due(EVERY_NS - 1, 2.0) is None
    keeper.change(phase="idle", ear="ok")
    told = keeper.due(EVERY_NS, 2.0)
    assert told == Status(online=True, at=2.0, ear="ok")
    keeper.change(ear="ok")
    assert keeper.due(3 * EVERY_NS, 3.0) is None


def test_the_floor_is_of_one_user() -> None:
    floor = FloorKeeper()
    floor.check("ann")
    floor.taken("ann", 0)
    floor.check("ann")
    with pytest.raises(FleetError, match="ann holds the floor"):
        floor.check("bob")
    floor.lost()
    floor.check("bob")


def test_a_holder_without_a_sign_has_vanished() -> None:
    floor = FloorKeeper()
    assert not floor.vanished(10 * SILENT_NS)
    floor.taken("ann", 0)
    assert not floor.vanished(SILENT_NS - 1)
    assert floor.vanished(SILENT_NS)
    floor.sign("bob", SILENT_NS)
    assert floor.vanished(SILENT_NS)
    floor.sign("ann", SILENT_NS, for_s=60)
    assert not floor.vanished(SILENT_NS + 59 * NS_PER_S)
    floor.gone("ann", SILENT_NS)
    assert floor.vanished(2 * SILENT_NS)


def test_a_short_watch_does_not_shorten_a_long_one() -> None:
    floor = FloorKeeper()
    floor.taken("ann", 0)
    floor.sign("ann", 0, for_s=60)
    floor.sign("ann", NS_PER_S, for_s=1)
    assert not floor.vanished(59 * NS_PER_S)


def test_the_face_is_told_of_who_attends_once() -> None:
    attendance = Attendance()
    assert attendance.news() is None
    attendance.hearing = ("ann",)
    assert attendance.news() == Sign(True, False, "ann")
    attendance.speaking = "bob"
    news = attendance.news()
    assert news == Sign(True, True, "bob")
    attendance.told(news)
    assert attendance.news() is None
    attendance.forget()
    assert attendance.news() == Sign(True, True, "bob")


def test_a_board_is_clear_when_nobody_is_served() -> None:
    keeper = StatusKeeper(Status(online=True))
    drain = Drain(keeper)
    drain.begin()
    assert keeper.now.draining
    now = QUIET_NS
    drain.step(now)
    assert drain.clear(now)
    keeper.change(visit=Visit(visit="v", phase="conversation"))
    assert not drain.clear(now)
    keeper.change(visit=None, phase="speaking")
    drain.step(now)
    keeper.change(phase="idle")
    drain.step(now + 1)
    assert not drain.clear(now + QUIET_NS - 1)
    assert drain.clear(now + QUIET_NS)
    keeper.change(floor=Floor(holder="ann", since=0))
    assert not drain.clear(now + QUIET_NS)
    keeper.change(floor=None, call=Call(call="c", since=0))
    drain.step(now + QUIET_NS)
    assert not drain.clear(now + QUIET_NS)


def test_a_role_is_known_by_its_topic_and_the_memory_is_bounded() -> None:
    roles = RolesSeen()
    assert not roles.at_least("ann", "observer")
    roles.saw("ann", "agent")
    roles.saw("ann", "observer")
    assert roles.at_least("ann", "agent")
    assert not roles.at_least("ann", "operator")
    for number in range(MOST_USERS):
        roles.saw(f"user-{number}", "observer")
    assert not roles.at_least("ann", "observer")


def test_a_clock_before_the_build_is_unset() -> None:
    now = [0.0]
    synchronized: list[bool | None] = [None]
    clock = WallClock(BUILT_AFTER + 10, lambda: synchronized[0], now_s=lambda: now[0])
    assert (clock.utc(), clock.state) == (None, "unset")
    now[0] = BUILT_AFTER + 9
    assert clock.state == "unset"
    now[0] = BUILT_AFTER + 11.23456
    assert (clock.utc(), clock.state) == (BUILT_AFTER + 11.235, "free")
    synchronized[0] = True
    assert clock.state == "synchronized"


def test_a_role_that_this_board_does_not_obey_opens_nothing() -> None:
    roles = RolesSeen(("observer",))
    roles.saw("ann", "agent")
    assert not roles.at_least("ann", "observer")
    roles.saw("ann", "observer")
    assert not roles.at_least("ann", "agent")
