"""Power cuts at seeded moments: while the board boots, speaks or writes its logs.

MIEN_HIL_CUTS=10 cuts ten times; the default is two. Only real cards have torn sectors.
"""

import os
import random
import time

import pytest

from hil.board import SERVICES, Board
from hil.stages import State, wait_until

pytestmark = pytest.mark.lg_feature("power-cut")
FULL = bool(os.environ.get("MIEN_HIL_FULL"))
CUTS = int(os.environ.get("MIEN_HIL_CUTS", "10" if FULL else "2"))
SEED = int(os.environ.get("MIEN_HIL_SEED", "1"))
MOMENTS = ("boot", "speech", "logs")
WRITING = "(while :; do logger -t rig cut; dd if=/dev/urandom of=/data/log/rig bs=64k count=1 conv=fsync; done)"
# A journal file that is being written does not verify: rotate first.
VERIFY = "journalctl --rotate; journalctl -q --verify --file='/var/log/journal/*/system@*' 2>&1 | cat"
SETTINGS = "find /data/etc -type f | sort | xargs sha256sum | sha256sum"


def moment(number: int) -> tuple[str, float]:
    """What the board does at each cut, with how far into it, 0..1."""
    return MOMENTS[number % len(MOMENTS)], random.Random(SEED * 1000 + number).random()


def assert_boots_whole(board: Board, what: str) -> None:
    """After a cut the board recovers by itself: file systems and journal are intact, and it speaks."""
    began = time.monotonic()
    board.rig.console.close()
    board.rig.power.on()
    wait_until(
        lambda: board.stages.shows_face() and board.stages.services_ready(), 120 * board.rig.patience, "the face", 2.0
    )
    board.findings.figure(f"power cut ({what}): ready again after", time.monotonic() - began, "s")
    assert "FAIL" not in board.run(VERIFY, 60).output
    assert board.ask("grep -c ' /data ext4 rw' /proc/mounts") == "1"
    state = board.ask("dumpe2fs -h $(grep ' /data ' /proc/mounts | cut -d' ' -f1) 2>/dev/null | grep -i state")
    assert state.split(":")[1].strip() == "clean", state
    board.stages.state = State.READY
    assert_speaks(board, what)


def assert_speaks(board: Board, what: str) -> None:
    """Assert that a turn is played.

    Right after its start an emulated board may receive a turn's end ten seconds late and end the turn as idle
    (voice.turn_idle_timeout_ms). It gets three attempts; their number is recorded.
    """
    ended: list[str] = []
    while "played" not in ended and len(ended) < (1 if board.rig.patience <= 1 else 3):
        ended.append(board.say(0.5).reason)
    board.findings.figure(f"power cut ({what}): turns until one was heard whole", len(ended), note=", ".join(ended))
    assert ended[-1] == "played"


@pytest.mark.parametrize("number", range(CUTS))
def test_the_plug_is_pulled_and_the_board_comes_back_whole(board: Board, number: int) -> None:
    doing, share = moment(number)
    settings = board.ask(SETTINGS)
    what = f"{doing}, {share:.2f} of the way"
    board.stages.lost()
    if doing == "boot":
        board.rig.power.cut()
        board.rig.console.close()
        board.rig.power.on()
        time.sleep(share * board.stages.times_s["power to ready"])
        board.rig.power.cut()
    elif doing == "speech":
        with board.speaking(20, heard_first_s=0.2) as speech:
            time.sleep(share * 10)
            board.rig.power.cut()
            finished = speech.wait(120)
        assert finished is None or finished.reason != "played", "a lost turn was reported as played"
    else:
        board.ask(f"{WRITING} >/dev/null 2>&1 &")
        time.sleep(5 + share * 20)
        board.rig.power.cut()
    board.hang_up()
    assert_boots_whole(board, what)
    assert board.ask(SETTINGS) == settings, "settings were lost"
    assert board.active(*SERVICES)
