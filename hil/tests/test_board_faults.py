"""Faults that need a board with its own kernel, network and clock."""

import time

import pytest

from hil.board import SERVICES, Board, Speech
from hil.contracts import Link
from hil.report.findings import Findings
from hil.speech import syllables
from hil.stages import State, wait_until

WATCHDOG_S = 30
# The image sets 240 s on the emulated board, 14 s on a Pi; what is tested is the reset, not the wait.
SHORTEN = (
    "busctl set-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager "
    f"RuntimeWatchdogUSec t {WATCHDOG_S}000000"
)
HANG = "sysctl -q kernel.panic=0 kernel.sysrq=1; sync; echo c >/proc/sysrq-trigger"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


def await_next_boot(board: Board, before: str, what: str, hung_at: float) -> None:
    board.rig.console.close()
    wait_until(
        lambda: len(found := board.run(BOOT_ID, 20).output) == len(before) and found != before,
        90 * board.rig.patience,
        "a new boot",
        2.0,
    )
    shell_s = time.monotonic() - hung_at
    wait_until(
        lambda: board.stages.shows_face() and board.stages.services_ready(), 120 * board.rig.patience, "the face", 2.0
    )
    note = f"the watchdog's {WATCHDOG_S} s and a boot"
    board.findings.figure(f"{what}: a shell of the next boot after", shell_s, "s", note=note)
    board.findings.figure(f"{what}: ready again after", time.monotonic() - hung_at, "s", note=note)
    assert board.say(0.5).reason == "played"
    board.stages.state = State.READY


@pytest.mark.lg_feature("kernel-watchdog")
def test_a_kernel_that_hangs_is_reset_by_the_hardware_watchdog(board: Board) -> None:
    before = board.ask(BOOT_ID)
    shipped = board.ask("systemctl show -p RuntimeWatchdogUSec --value")
    assert shipped not in ("0", "infinity")
    board.findings.figure("hardware watchdog as shipped", shipped)
    board.ask(SHORTEN)
    board.stages.lost()
    hung_at = time.monotonic()
    with pytest.raises(Exception, match="no answer"):
        board.rig.console.run(HANG, 20)
    await_next_boot(board, before, "kernel hung", hung_at)


@pytest.mark.lg_feature("own-clock")
@pytest.mark.parametrize("jump", ["+1 hour", "-1 hour"])
def test_a_jump_of_the_clock_is_not_noticed(board: Board, jump: str) -> None:
    pids = [board.pid(unit) for unit in SERVICES]
    with board.speaking(6, heard_first_s=0.5) as speech:
        board.ask(f"date -s '{jump}'")
        board.assert_heard_whole(speech)
    assert [board.pid(unit) for unit in SERVICES] == pids
    assert board.active(*SERVICES)


@pytest.mark.lg_feature("netem")
@pytest.mark.parametrize("link", [Link(delay_ms=80, jitter_ms=30), Link(loss=0.05), Link(delay_ms=40, reorder=0.25)],
                         ids=["delay", "loss", "reordering"])  # fmt: skip
def test_a_bad_network_loses_nothing(board: Board, link: Link) -> None:
    with board.speaking(4, heard_first_s=0.2) as speech:
        board.rig.net.shape(link)
        try:
            board.assert_heard_whole(speech)
        finally:
            board.rig.net.plug()


@pytest.mark.lg_feature("netem")
def test_a_link_that_goes_down_and_comes_back_ends_no_turn_falsely(board: Board) -> None:
    speech = Speech(board.client(), syllables(12))
    wait_until(lambda: speech.heard_s() > 1, 20 * board.rig.patience, "sound")
    down_ns = board.rig.clock()
    board.rig.net.unplug()
    wait_until(lambda: board.run("cat /sys/class/net/eth0/carrier").output != "1", 30, "loss of the carrier")
    time.sleep(5)
    began = time.monotonic()
    board.rig.net.plug()
    up_ns = board.rig.clock()
    finished = speech.wait(60 * board.rig.patience)
    link_note(board.findings, finished, speech)
    sound = board.rig.ears.sound()
    board.findings.waveform("The network link goes down for 5 s", sound, {"down": down_ns, "up": up_ns})
    if finished is not None and finished.reason == "played":
        board.assert_heard_whole(speech)
    assert board.client().say(syllables(1)).reason == "played"
    board.findings.figure("link back: the next turn heard after", time.monotonic() - began, "s")


def link_note(findings: Findings, finished: object, speech: Speech) -> None:
    reason = getattr(finished, "reason", "the session was lost")
    findings.figure("link down for 5 s: how the current turn ended", reason, note=f"{speech.heard_s():.1f} of 12 s")
