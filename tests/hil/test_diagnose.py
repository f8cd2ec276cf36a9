"""The rig's self-test names the part that is broken, and no other."""

import pytest

from hil.diagnose import CHECKS, diagnose
from rigs.fake_rig import fake_rig

NAMES = [part for part, _, _ in CHECKS]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A fake board needs no waiting."""
    monkeypatch.setattr("hil.diagnose.wait_until", lambda condition, *_: 0.0 if condition() else _never())


def _never():
    from hil.errors import RigError

    raise RigError("board", "it never came")


def verdicts(*broken):
    return {verdict.part: verdict for verdict in diagnose(fake_rig(*broken)[1])}


def test_a_bench_in_order():
    found = verdicts()
    assert {part: verdict.said for part, verdict in found.items() if not verdict.works} == {}
    assert list(found) == NAMES


@pytest.mark.parametrize(("broken", "blamed"), [
    ("power", "power"), ("console", "console"), ("screen", "screen"), ("voice stack", "voice stack"), ("ears", "ears"),
    ("net", "net"), ("black", "screen"), ("cable of the ear", "ears"),
])  # fmt: skip
def test_the_broken_part_is_named(broken, blamed):
    found = verdicts(broken)
    assert [part for part, verdict in found.items() if verdict.works is False] == [blamed]


def test_a_switch_that_feeds_something_else_is_found_out():
    found = verdicts("switch")
    assert found["power"].works is False
    assert found["console"].works is None


def test_what_needs_a_broken_part_is_not_asked():
    found = verdicts("voice stack")
    assert found["ears"].works is None
    assert "voice stack" in found["ears"].said


def test_a_black_screen_is_told_from_none():
    assert "black" in verdicts("black")["screen"].said
    assert "HDMI" in verdicts("screen")["screen"].said


def test_an_ear_that_hears_nothing_is_told_from_one_that_does_not_work():
    assert "nothing at all" in verdicts("cable of the ear")["ears"].said
    assert "is broken" in verdicts("ears")["ears"].said
