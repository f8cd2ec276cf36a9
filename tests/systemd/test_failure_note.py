"""failure-note with a journalctl and a systemctl that only write down what they were asked."""

import os
import subprocess
from pathlib import Path

import pytest

NOTE = Path(__file__).resolve().parents[2] / "systemd" / "failure-note"


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """The file in which the acted commands write what they were asked."""
    asked = tmp_path / "asked"
    asked.touch()
    (tmp_path / "tty").touch()
    failed = f"case $* in *is-failed*) test -e {tmp_path}/running && exit 1 ;; esac; exit 0"
    log = f"test -e {tmp_path}/no-log && {{ echo 'No journal files' >&2; exit 1; }}; echo 'did you mean fps?'"
    for name, also in (("journalctl", log), ("systemctl", failed), ("sleep", ":")):
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\necho {name} "$@" >>{asked}\n{also}\n')
        command.chmod(0o755)
    return asked


def give_up(asked: Path, screen: str = "", **monitor: str) -> str:
    """What the note says to the journal. screen: instead of the file tty."""
    screen = screen or str(asked.parent / "tty")
    environment = {"PATH": f"{asked.parent}:{os.environ['PATH']}", "FAILURE_NOTE_SCREEN": screen, **monitor}
    found = subprocess.run(
        ["sh", str(NOTE), "mien-face"], env=environment, capture_output=True, text=True, timeout=20, check=True
    )
    return found.stderr


def test_a_crash_is_told_and_tried_again_later(asked: Path) -> None:
    said = give_up(asked, MONITOR_SERVICE_RESULT="start-limit-hit", MONITOR_EXIT_STATUS="1")
    assert "mien-face gave up after several restarts (start-limit-hit)" in said
    assert "did you mean fps?" in said
    assert asked.read_text().splitlines()[-1] == "systemctl --no-block restart mien-retry@mien-face.timer"


def test_a_refused_configuration_is_told_and_left_alone(asked: Path) -> None:
    said = give_up(asked, MONITOR_SERVICE_RESULT="exit-code", MONITOR_EXIT_STATUS="2")
    assert "mien-face refuses its configuration" in said
    assert "did you mean fps?" in (asked.parent / "tty").read_text()
    assert asked.read_text().splitlines()[-1] == "systemctl stop mien-retry@mien-face.timer"
    assert "start" not in asked.read_text()


def test_a_service_that_was_slow_to_stop_and_runs_again_is_no_failure(asked: Path) -> None:
    (asked.parent / "running").touch()
    assert give_up(asked, MONITOR_SERVICE_RESULT="timeout") == ""
    assert "start" not in asked.read_text()


RETRY = "systemctl --no-block restart mien-retry@mien-face.timer"
CRASH = {"MONITOR_SERVICE_RESULT": "start-limit-hit", "MONITOR_EXIT_STATUS": "1"}


def test_a_log_that_cannot_be_read_costs_neither_the_note_nor_the_next_try(asked: Path) -> None:
    (asked.parent / "no-log").touch()
    said = give_up(asked, **CRASH)
    assert "gave up after several restarts" in said
    assert "More: journalctl -u mien-face" in (asked.parent / "tty").read_text()
    assert asked.read_text().splitlines()[-1] == RETRY


@pytest.mark.parametrize("screen", ["/dev/full", "a folder"])
def test_a_screen_that_cannot_be_written_costs_neither_the_note_nor_the_next_try(asked: Path, screen: str) -> None:
    said = give_up(asked, str(asked.parent) if screen == "a folder" else screen, **CRASH)
    assert "gave up after several restarts" in said
    assert asked.read_text().splitlines()[-1] == RETRY


def test_a_board_without_a_screen_gets_no_file_in_its_place(asked: Path) -> None:
    give_up(asked, str(asked.parent / "absent"), **CRASH)
    assert not (asked.parent / "absent").exists()
    assert asked.read_text().splitlines()[-1] == RETRY


def test_the_screen_gets_the_last_five_lines_of_that_service_as_a_terminal_wants_them(asked: Path) -> None:
    give_up(asked, **CRASH)
    assert "journalctl -q -u mien-face.service -n 5 -o cat --no-pager" in asked.read_text().splitlines()
    lines = (asked.parent / "tty").read_bytes().split(b"\n")
    assert b"    did you mean fps?\r" in lines
    assert all(line.endswith(b"\r") for line in lines[:-1])
