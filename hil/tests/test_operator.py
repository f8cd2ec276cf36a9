"""systemctl and journalctl as an operator uses them."""

import json

import pytest

from hil.board import SERVICES, Board
from hil.speech import syllables
from hil.stages import wait_until

BACK_S = 20.0
THOROUGH = pytest.mark.thorough  # the face restarts


@pytest.mark.parametrize("unit", SERVICES)
def test_status_tells_how_it_fares(board: Board, unit: str) -> None:
    board.await_level("full", BACK_S)
    text = board.ask(f"systemctl status --no-pager -n 0 {unit}")
    assert "active (running)" in text
    assert "Status:" in text
    # An emulated face, whose frames take seconds, occasionally stops reporting.
    assert any(level in text for level in ("full", "audio_only"))


@pytest.mark.parametrize("unit", ["mien-voice", pytest.param("mien-face", marks=THOROUGH)])
def test_stop_is_quick_clean_and_lasts_until_start(board: Board, unit: str) -> None:
    restarts = board.restarts(unit)
    board.ask(f"systemctl stop {unit}")
    assert board.show(unit, "ActiveState") == "inactive"
    assert board.show(unit, "Result") == "success"
    assert board.show(unit, "ExecMainStatus") == "0"
    assert board.restarts(unit) == restarts
    board.ask(f"systemctl start {unit}")
    board.await_active(unit, within_s=BACK_S)


@THOROUGH
def test_a_restart_of_the_target_restarts_both(board: Board) -> None:
    before = [board.pid(unit) for unit in SERVICES]
    board.ask("systemctl restart mien.target")
    board.await_active(*SERVICES, within_s=BACK_S)
    assert not set(before) & {board.pid(unit) for unit in SERVICES}


def test_stopping_the_voice_tells_the_client_of_its_turn(board: Board) -> None:
    with board.speaking(6) as speech:
        board.ask("systemctl stop mien-voice")
        finished = speech.wait(20 * board.rig.patience)
    assert finished is not None, speech.error
    assert (finished.reason, finished.interrupted) == ("shutdown", True)
    assert 0 < finished.played_ms < 6000
    board.ask("systemctl start mien-voice")


def test_disable_and_enable_decide_about_the_next_boot(board: Board) -> None:
    if board.run("touch /etc/systemd/system/.rig && rm /etc/systemd/system/.rig").status:
        pytest.skip("the root is read-only: units are enabled in the image; --runtime is tested below")
    assert board.run("systemctl is-enabled mien.target").output == "enabled"
    board.ask("systemctl disable mien.target")
    assert board.run("systemctl is-enabled mien.target").output == "disabled"
    assert board.active(*SERVICES)  # disabling does not stop units
    board.ask("systemctl enable mien.target")
    assert board.run("systemctl is-enabled mien.target").output == "enabled"


@THOROUGH
def test_a_masked_service_cannot_be_started_until_it_is_unmasked(board: Board) -> None:
    board.ask("systemctl mask --runtime --now mien-face")
    assert board.run("systemctl start mien-face").status != 0
    assert board.run("systemctl is-enabled mien-face").output == "masked-runtime"
    assert board.say().reason == "played"
    board.ask("systemctl unmask --runtime mien-face && systemctl start mien-face")
    board.await_active("mien-face", within_s=BACK_S)


def test_an_edit_is_a_drop_in_and_is_taken_back(board: Board) -> None:
    board.ask('printf \'printf "[Service]\\nMemoryHigh=300M\\n" >"$1"\n\' >/run/editor')
    # /run is mounted noexec on the image.
    board.ask("SYSTEMD_EDITOR='sh /run/editor' script -qec 'systemctl edit --runtime mien-face' /dev/null")
    assert board.show("mien-face", "MemoryHigh") == str(300 * 2**20)
    assert "override.conf" in board.ask("systemctl status --no-pager -n 0 mien-face")
    board.ask(
        "rm /run/systemd/system/mien-face.service.d/override.conf && systemctl daemon-reload"
    )  # systemctl revert would remove all drop-ins
    assert board.show("mien-face", "MemoryHigh") == str(320 * 2**20)


def test_isolate_leaves_the_services_up_and_mien_target_is_nothing_to_isolate(board: Board) -> None:
    refused = board.run("systemctl isolate mien.target")
    assert (refused.status != 0, "isolate" in refused.output) == (
        True,
        True,
    )  # the target does not describe a whole system
    assert board.active(*SERVICES)
    board.ask("systemctl isolate multi-user.target")
    board.await_active(*SERVICES, within_s=BACK_S)


def test_the_journal_has_its_fields(board: Board) -> None:
    board.client().say(syllables(0.5), name="rig-turn-7")
    lines = board.ask("journalctl -q -u mien-voice -o json --no-pager").splitlines()
    records = [json.loads(line) for line in lines]
    ours = [record for record in records if record.get("SYSLOG_IDENTIFIER") == "mien-voice"]
    assert any(record.get("LOGGER", "").startswith("mien") for record in ours), "no LOGGER field"
    assert {"MESSAGE", "PRIORITY", "_SYSTEMD_UNIT", "_PID"} <= set(ours[-1])
    assert not [record["MESSAGE"] for record in ours if "Traceback" in str(record.get("MESSAGE"))]


def test_no_unit_has_failed_and_the_system_runs(board: Board) -> None:
    wait_until(
        lambda: board.run("systemctl is-system-running").output in ("running", "degraded"),
        60 * board.rig.patience,
        "the end of the boot",
    )
    assert board.ask("systemctl list-units --failed --no-legend --plain 'mien*'") == ""


def test_the_boot_is_accounted_for_by_unit(board: Board) -> None:
    """Boot times by systemd-analyze; a resumed board reports the boot in which it was saved."""
    board.findings.figure("boot, by systemd-analyze", board.ask("systemd-analyze time | head -n1"))
    for line in board.ask("systemd-analyze blame --no-pager | head -n 15").splitlines():
        took, unit = line.rsplit(maxsplit=1)
        board.findings.figure(f"boot: {unit}", took.strip())
    assert "mien-face.service" in board.ask("systemd-analyze critical-chain --no-pager mien-face.service")
