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
    for name, also in (("journalctl", "echo 'no such key; did you mean fps?'"), ("systemctl", failed), ("sleep", ":")):
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\necho {name} "$@" >>{asked}\n{also}\n')
        command.chmod(0o755)
    return asked


def give_up(asked: Path, **monitor: str) -> str:
    environment = {"PATH": f"{asked.parent}:{os.environ['PATH']}", "FAILURE_NOTE_SCREEN": str(asked.parent / "tty"),
                   **monitor}
    found = subprocess.run(["sh", str(NOTE), "mien-face"], env=environment, capture_output=True, text=True, timeout=20,
                           check=True)
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
