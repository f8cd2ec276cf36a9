"""The contract of `mien.link.update.board.Board`: what an update relies on, whoever implements it.

The ideal board stands in for the root's side. A board with real slots joins `BOARDS` with its own way to start again.
"""

from collections.abc import Callable

import pytest

from mien.errors import UpdateError
from mien.link.update.board import Board, Bundle, Install
from rigs.update_rig import IdealBoard

BOARDS: dict[str, Callable[[], IdealBoard]] = {"ideal": IdealBoard}
BUNDLE = Bundle(path="/data/x.raucb")


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> IdealBoard:
    return BOARDS[request.param]()


def settled(board: Board) -> Install:
    """How the installation ended."""
    for _ in range(100):
        found = board.look().install
        if found.state != "running":
            return found
    raise AssertionError("it never ends")


def test_a_board_that_installs_nothing_says_so(board: IdealBoard) -> None:
    assert board.look().install == Install()
    assert board.look() == board.look()


def test_an_installation_is_known_by_its_tag(board: IdealBoard) -> None:
    board.install(BUNDLE, "7.1")
    assert board.look().install.tag == "7.1"
    assert settled(board).state == "done"
    assert settled(board).tag == "7.1"


def test_the_same_tag_again_installs_nothing_again(board: IdealBoard) -> None:
    board.install(BUNDLE, "7.1")
    board.install(BUNDLE, "7.1")
    settled(board)
    board.install(BUNDLE, "7.1")
    assert board.look().install.state == "done"


def test_an_installation_leaves_the_running_slot_as_it_is_until_the_restart(board: IdealBoard) -> None:
    before = board.look()
    board.install(BUNDLE, "7.1")
    settled(board)
    after = board.look()
    assert (after.slot, after.version, after.boot, after.good) == (
        before.slot,
        before.version,
        before.boot,
        before.good,
    )
    board.reboot()
    started = board.look()
    assert started.slot != before.slot
    assert started.boot != before.boot
    assert started.up_s < before.up_s
    assert started.install == Install()


def test_an_installation_that_fails_says_why_and_changes_nothing(board: IdealBoard) -> None:
    board.fails_with = "no space"
    before = board.look()
    board.install(BUNDLE, "7.1")
    assert settled(board) == Install(tag="7.1", state="failed", why="no space")
    board.reboot()
    assert board.look().slot == before.slot


def test_a_start_in_mid_installation_keeps_the_running_slot(board: IdealBoard) -> None:
    before = board.look()
    board.install(BUNDLE, "7.1")
    board.start()
    after = board.look()
    assert (after.slot, after.good, after.install) == (before.slot, True, Install())


def test_a_slot_that_is_never_good_gives_way_to_the_previous_one(board: IdealBoard) -> None:
    board.spoilt = True
    before = board.look()
    board.install(BUNDLE, "7.1")
    settled(board)
    board.reboot()
    assert board.look().slot == before.slot


def test_a_control_that_does_not_answer_raises(board: IdealBoard) -> None:
    board.reachable = False
    for ask in (board.look, board.reboot, lambda: board.inspect(BUNDLE), lambda: board.install(BUNDLE, "1")):
        with pytest.raises(UpdateError):
            ask()
