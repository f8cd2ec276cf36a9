"""A schedule comes from its seed alone, deals every act, and is kept as JSON."""

import random

import pytest

from chaos.acts import FAULTS as DONE_BY_FAULTS
from chaos.catalogue import FAULTS, HOSTILE, HOSTILE_NAMES, KINDS, usable
from chaos.plan import SETTLE, Action, Schedule, load, make_schedule, save

ALL = frozenset({"curve", "mount"})


def test_the_same_seed_is_the_same_schedule_and_another_is_another():
    one, same, other = (make_schedule(seed, 600, KINDS) for seed in (7, 7, 8))
    assert one == same
    assert one.actions != other.actions


def test_ten_minutes_deal_every_act_and_close_every_round():
    schedule = make_schedule(1, 600, usable(ALL))
    assert {action.kind for action in schedule.actions} == {kind.name for kind in KINDS} | {SETTLE}
    assert (schedule.actions[0].kind, schedule.actions[-1].kind) == (SETTLE, SETTLE)
    rounds = "".join("|" if action.kind == SETTLE else "x" for action in schedule.actions).strip("|").split("|")
    assert {len(acts) for acts in rounds} <= {2, 3, 4}


def test_a_longer_schedule_begins_as_the_shorter_one():
    short, long = make_schedule(3, 100, KINDS).actions, make_schedule(3, 500, KINDS).actions
    assert long[: len(short)] == short


def test_a_schedule_is_kept_as_json(tmp_path):
    schedule = make_schedule(5, 120, KINDS)
    save(schedule, tmp_path / "deep/schedule.json")
    assert load(tmp_path / "deep/schedule.json") == schedule


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"seed": 1, "actions": [{"kind": "x"}]}', '{"seed": 1, "actions": 7}', "nonsense"]
)
def test_a_file_that_is_no_schedule_is_said_so(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError):
        load(tmp_path / "bad.json")


def test_an_act_is_left_out_where_the_machine_cannot_do_it():
    names = {kind.name for kind in usable(frozenset())}
    assert "disk_readonly" not in names
    assert "stranger" not in names
    assert "kill_voice" in names


def test_only_the_acts_that_are_named_and_no_unknown_ones():
    assert [kind.name for kind in usable(ALL, ("garbage", "kill_face"))] == ["garbage", "kill_face"]
    with pytest.raises(ValueError, match=r"no act is called garbled; there are .*garbage"):
        usable(ALL, ("garbled",))


def test_every_kind_is_done_by_somebody():
    from chaos import hostile_bus, hostile_bytes, hostile_keys, hostile_messages

    acts = {**hostile_bytes.ACTS, **hostile_messages.ACTS, **hostile_bus.ACTS, **hostile_keys.ACTS}
    assert set(acts) == HOSTILE_NAMES == {kind.name for kind in HOSTILE}
    assert set(DONE_BY_FAULTS) == {kind.name for kind in FAULTS}


def test_arguments_are_json_and_bounded(tmp_path):
    chance = random.Random(1)
    for kind in KINDS:
        for _ in range(50):
            args = kind.draw(chance)
            schedule = Schedule(1, (Action(kind.name, 0.5, args),))
            save(schedule, tmp_path / "one.json")
            assert load(tmp_path / "one.json") == schedule
            assert args.get("mb", 0) <= 200
            assert args.get("count", 0) <= 200_000
            assert max(args.get("seconds", 0), args.get("hold_s", 0)) <= 20


def test_reports_of_the_impostor_face_pass_the_version_check() -> None:
    """A flood that is refused for its version never reaches what it is meant to attack."""
    from chaos.hostile_bus import _report
    from mien.core import bus

    assert isinstance(bus.decode_from_face(_report(random.Random(1), "motion_ready", 0)), bus.MotionReady)
    assert isinstance(bus.decode_from_face(_report(random.Random(1), "thumbnails", 1)), bus.Thumbnail)
    assert isinstance(bus.decode_from_face(_report(random.Random(1), "poses", 1)), bus.PoseBatch)
