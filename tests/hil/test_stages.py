"""Off, flashed, booted, ready: the way there, and what is done on it."""

import subprocess
from pathlib import Path

import pytest

from hil.errors import RigError
from hil.stages import UNITS_NOT_READY, Stages, State, wait_until
from rigs.acted import act
from rigs.fake_rig import fake_rig

IMAGE = Path("image")


def test_the_way_to_ready_begins_with_a_card():
    board, rig = fake_rig()
    stages = Stages(rig, IMAGE)
    stages.to(State.READY)
    assert board.calls == ["cut", "cut", "flash", "on"]
    assert stages.state is State.READY
    assert {"power to first face", "power to ready"} <= set(stages.times_s)


def test_the_card_is_written_once_and_anew_for_who_asks():
    board, rig = fake_rig()
    stages = Stages(rig, IMAGE)
    stages.to(State.READY)
    stages.to(State.OFF)
    stages.to(State.READY)
    assert board.calls.count("flash") == 1
    stages.to(State.FLASHED)
    stages.to(State.READY)
    assert board.calls.count("flash") == 2


def test_a_board_that_was_lost_is_cut_before_anything_else():
    board, rig = fake_rig()
    stages = Stages(rig, IMAGE)
    stages.to(State.READY)
    stages.lost()
    board.calls.clear()
    stages.to(State.READY)
    assert board.calls == ["cut", "on"]


def test_the_console_of_a_board_that_was_lost_is_hung_up():
    _, rig = fake_rig()
    hung_up: list[bool] = []
    rig.console.close = lambda: hung_up.append(True)
    stages = Stages(rig, IMAGE)
    stages.to(State.READY)
    stages.lost()
    hung_up.clear()
    stages.to(State.READY)
    assert hung_up == [True]


def test_what_is_ready_is_left_alone():
    board, rig = fake_rig()
    stages = Stages(rig, IMAGE)
    stages.to(State.READY)
    board.calls.clear()
    stages.to(State.READY)
    assert board.calls == []


def test_a_board_that_never_shows_a_face_is_not_ready():
    _, rig = fake_rig("black")
    with pytest.raises(RigError, match="no face on the screen"):
        Stages(rig, IMAGE).to(State.READY)


def test_a_board_that_never_shows_a_face_is_quoted():
    _, rig = fake_rig("black")
    with pytest.raises(RigError, match=r"(?s)no face .*mien-face: ActiveState=failed.*No module named 'mien'"):
        Stages(rig, IMAGE).to(State.READY)


def test_a_board_that_never_answers_is_quoted_by_its_console():
    _, rig = fake_rig("console")
    with pytest.raises(RigError, match=r"(?s)no shell on the board .*Kernel panic"):
        Stages(rig, IMAGE).to(State.READY)


def test_waiting_ends():
    with pytest.raises(RigError, match="no miracle within 0 s"):
        wait_until(lambda: False, 0.05, "miracle", 0.01)
    assert wait_until(lambda: True, 0.0, "nothing") >= 0


@pytest.mark.parametrize(
    ("third", "waiting"),
    [
        (("active", "yes", 9), 0),
        (("inactive", "no", 9), 0),  # its condition was not met: a link that is not set up
        (("inactive", "no", 0), 1),  # not started yet
        (("activating", "yes", 9), 1),
        (("failed", "yes", 9), 1),
        (("inactive", "yes", 9), 1),  # stopped
    ],
)
def test_a_unit_that_its_own_condition_left_out_is_not_waited_for(tmp_path, third, waiting):
    shown = [("active", "yes", 5), third]
    blocks = "\n\n".join(
        f"ConditionResult={result}\nActiveState={state}\nConditionTimestampMonotonic={at}"
        for state, result, at in shown
    )
    environment = act(tmp_path, systemctl=f"case $* in *--value*) echo a b ;; *) cat <<'E'\n{blocks}\nE\n;; esac")
    done = subprocess.run(["sh", "-c", UNITS_NOT_READY], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{waiting}\n"
