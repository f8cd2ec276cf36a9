"""What only a board with a kernel, a disk and a clock of its own can show."""

import os
import random
import time

import pytest
from hil.board import SERVICES, Board
from hil.contracts import Link
from hil.speech import syllables
from hil.stages import State, wait_until

CUTS = int(os.environ.get("MIEN_HIL_CUTS", "1"))


def assert_boots_whole(board: Board) -> None:
    """A board that was cut comes back, its file systems and its journal are in order, and it speaks."""
    began = time.monotonic()
    board.rig.console.close()
    board.rig.power.on()
    wait_until(lambda: board.stages.shows_face() and board.active(*SERVICES), 120 * board.rig.patience, "the face", 2.0)
    board.findings.figure("power back: face after", time.monotonic() - began, "s")
    assert "FAIL" not in board.run("journalctl --verify 2>&1", 60).output
    assert board.run("grep -c ' /data ' /proc/mounts").output == "1"
    assert board.say(0.5).reason == "played"
    board.stages.state = State.READY


@pytest.mark.lg_feature("power-cut")
@pytest.mark.parametrize("cut", range(CUTS))
def test_the_power_is_cut_while_it_speaks_and_writes(board: Board, cut: int):
    board.ask("(while :; do logger -t rig cut; sync -d /data/log; done) >/dev/null 2>&1 &")
    with board.speaking(20, heard_first_s=0.2):
        time.sleep(random.Random(cut).uniform(0, 10))
        board.rig.power.cut()
    board.hang_up()
    assert_boots_whole(board)


@pytest.mark.lg_feature("kernel-watchdog")
def test_a_kernel_that_hangs_is_reset_by_the_hardware_watchdog(board: Board):
    before = board.ask("cat /proc/sys/kernel/random/boot_id")
    assert board.show("", "RuntimeWatchdogUSec") not in ("0", "infinity")
    with pytest.raises(Exception, match="no answer"):
        board.rig.console.run("sysctl -q kernel.panic=0 kernel.sysrq=1; sync; echo c >/proc/sysrq-trigger", 20)
    began = time.monotonic()
    board.rig.console.close()
    wait_until(
        lambda: board.run("cat /proc/sys/kernel/random/boot_id", 120).output not in ("", before),
        60 * board.rig.patience,
        "a new boot",
        5.0,
    )
    board.findings.figure(
        "kernel hung: a shell of the next boot after",
        time.monotonic() - began,
        "s",
        note="the watchdog's 14 s and a boot",
    )
    wait_until(board.stages.shows_face, 120 * board.rig.patience, "the face", 2.0)


@pytest.mark.lg_feature("own-clock")
@pytest.mark.parametrize("jump", ["+1 hour", "-1 hour"])
def test_a_jump_of_the_clock_is_not_noticed(board: Board, jump: str):
    pids = [board.pid(unit) for unit in SERVICES]
    client = board.client()
    turn = client.turn()
    turn.write(syllables(4))
    board.ask(f"date -s '{jump}'")
    finished = turn.wait()
    assert (finished.reason, finished.played_ms) == ("played", 4000.0)
    assert [board.pid(unit) for unit in SERVICES] == pids


@pytest.mark.lg_feature("netem")
@pytest.mark.parametrize("link", [Link(delay_ms=80, jitter_ms=30), Link(loss=0.05), Link(delay_ms=40, reorder=0.25)],
                         ids=["delay", "loss", "reordering"])  # fmt: skip
def test_a_bad_network_loses_nothing(board: Board, link: Link):
    board.rig.net.shape(link)
    try:
        assert board.say(2.0).played_ms == 2000.0
    finally:
        board.rig.net.plug()
