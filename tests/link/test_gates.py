"""What stands before every command: the border, the role, the configuration, the age."""

import json

import pytest

from mien.fleet import command as fleet
from mien.link.border import claimed, read_command, read_watch
from mien.link.config import AllowConfig
from mien.link.freshness import REMEMBERED, Freshness
from mien.link.permission import allowed_commands, refusal

NOW = 1_800_000_000.0


def ping(at: float = NOW, identity: str = "abcdefgh") -> fleet.Ping:
    return fleet.Ping(id=identity, at=at)


def code(found: fleet.Refusal | None) -> str:
    return "" if found is None else found.code


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (b"", ""),
        (b"{", ""),
        (b"null", ""),
        (b"[" * 5000, ""),
        (b"\xff\xfe", ""),
        (b'{"command": "fly"}', "command"),
        (b'{"command": "ping", "at": 1}', ""),
        (b'{"command": "ping", "id": "short", "at": 1}', "id"),
        (b'{"command": "ping", "id": "abcdefgh\\n", "at": 1}', "id"),
        (b'{"command": "ping", "id": "abcdefgh", "at": "now"}', "at"),
        (b'{"command": "ping", "id": "abcdefgh", "at": 1, "more": 1}', ""),
        (b'{"command": "volume", "id": "abcdefgh", "at": 1, "gain": 1.01}', "gain"),
        (b'{"command": "volume", "id": "abcdefgh", "at": 1, "gain": NaN}', ""),
        (b'{"command": "restart", "id": "abcdefgh", "at": 1, "service": "sshd"}', "service"),
        (b"x" * 9000, ""),
    ],
)
def test_a_bad_payload_is_refused_with_the_field(payload: bytes, path: str) -> None:
    found = read_command(payload)
    assert isinstance(found, fleet.Refusal)
    assert (found.code, found.path) == ("bad_payload", path)
    assert 0 < len(found.message) <= 300


def test_a_refused_command_is_answered_if_its_id_can_be_used() -> None:
    assert claimed(b'{"command": "fly", "id": "abcdefgh"}') == ("abcdefgh", "fly")
    assert claimed(b'{"command": "fly", "id": "a/../../#"}') == ("", "fly")
    assert claimed(b'{"command": 3, "id": ["abcdefgh"]}') == ("", "")
    assert claimed(b"[1]") == claimed(b"\xff") == claimed(b"x" * 9000) == ("", "")


def test_a_watch_is_bounded() -> None:
    good = read_watch(b'{"streams": ["pose"], "for_s": 60}')
    assert isinstance(good, fleet.Watch)
    for bad in (b'{"streams": ["pose"], "for_s": 61}', b'{"streams": ["eyes"]}', b"{}", b" " * 600):
        assert isinstance(read_watch(bad), fleet.Refusal)


def test_a_role_may_do_what_the_one_before_it_may() -> None:
    allow = AllowConfig()
    floor = fleet.TakeFloor(id="abcdefgh", at=NOW)
    reboot = fleet.Reboot(id="abcdefgh", at=NOW)
    assert code(refusal("observer", floor, allow)) == "not_permitted"
    assert refusal("agent", floor, allow) is None
    assert refusal("operator", floor, allow) is None
    assert code(refusal("agent", reboot, allow)) == "not_permitted"


def test_the_configuration_decides_what_is_taken_at_all() -> None:
    say = fleet.Say(id="abcdefgh", at=NOW, text="hi")
    assert code(refusal("agent", say, AllowConfig(floor=False))) == "not_allowed_here"
    assert code(refusal("agent", say, AllowConfig(roles=("observer",)))) == "not_allowed_here"
    reboot = fleet.Reboot(id="abcdefgh", at=NOW)
    assert code(refusal("operator", reboot, AllowConfig(restart=False))) == "not_allowed_here"
    assert refusal("agent", fleet.ReleaseFloor(id="abcdefgh", at=NOW), AllowConfig(floor=False)) is None


def test_status_lists_what_is_taken() -> None:
    assert set(allowed_commands(AllowConfig(roles=("observer",)))) == {"ping", "thumbnail"}
    assert "reboot" not in allowed_commands(AllowConfig(restart=False))
    assert "take_floor" not in allowed_commands(AllowConfig(floor=False))
    assert "reboot" in allowed_commands(AllowConfig(roles=("operator",)))


def test_a_command_is_obeyed_once() -> None:
    fresh = Freshness()
    assert fresh.check("ann", ping(), NOW) is None
    assert code(fresh.check("ann", ping(), NOW + 1)) == "duplicate"
    assert fresh.check("bob", ping(), NOW + 1) is None  # ids are the sender's own


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - 31, "stale"),
        (NOW - 29, ""),
        (NOW + 4, ""),
        (NOW + 6, "from_the_future"),
        (0.0, "stale"),
        (1e300, "from_the_future"),
        (float("nan"), "stale"),
        (float("inf"), "from_the_future"),
        (float("-inf"), "stale"),
    ],
)
def test_age(at: float, expected: str) -> None:
    fresh = Freshness()
    fresh.check("ann", ping(NOW - 100, "earlier-1"), NOW - 100)
    assert code(fresh.check("ann", ping(at), NOW)) == expected


def test_a_command_from_before_the_start_is_not_obeyed_again() -> None:
    fresh = Freshness(NOW)
    assert code(fresh.check("ann", ping(NOW - 20, "replayed"), NOW + 1)) == "stale"
    assert fresh.check("ann", ping(NOW - 4, "skewed-clock"), NOW + 1) is None
    unset = Freshness(None)
    assert unset.check("ann", ping(NOW, "first-one"), NOW) is None
    assert code(unset.check("ann", ping(NOW - 20, "replayed"), NOW + 1)) == "stale"


def test_nothing_is_obeyed_without_a_clock() -> None:
    assert code(Freshness().check("ann", ping(), None)) == "clock_unset"


def test_a_flood_is_busy_and_ends_when_its_ids_are_old() -> None:
    fresh = Freshness()
    for number in range(REMEMBERED):
        assert fresh.check("ann", ping(NOW, f"number-{number}"), NOW) is None
    assert code(fresh.check("ann", ping(NOW, "one-more-1"), NOW)) == "busy"
    later = NOW + 41
    assert fresh.check("ann", ping(later, "one-more-1"), later) is None


def test_a_clock_that_jumps_back_forgets_rather_than_blocks() -> None:
    fresh = Freshness()
    assert fresh.check("ann", ping(NOW), NOW) is None
    back = NOW - 3
    assert fresh.check("ann", ping(back, "other-id-1"), back) is None


def test_every_command_survives_its_journey() -> None:
    assert isinstance(read_command(json.dumps({"command": "ping", "id": "abcdefgh", "at": NOW}).encode()), fleet.Ping)
