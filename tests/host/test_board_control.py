"""Root's side of the remote control: its list, and that nothing else of a request reaches a command."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mien.host import board_control
from mien.host.board_control import MOST_LINES, answer, serve


class Commands:
    """Stands in for subprocess.run: notes what would be run."""

    def __init__(self) -> None:
        self.run: list[tuple[str, ...]] = []
        self.result = subprocess.CompletedProcess((), 0, b"text\n", b"")

    def __call__(self, command: tuple[str, ...], **_: Any) -> "subprocess.CompletedProcess[bytes]":
        self.run.append(command)
        return self.result


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    commands = Commands()
    monkeypatch.setattr(subprocess, "run", commands)
    return commands


def ask(**request: Any) -> dict[str, Any]:
    return list(answer(json.dumps(request).encode()))[-1]


def test_a_restart_touches_only_what_runs(commands: Commands) -> None:
    assert ask(verb="restart", service="voice") == {"ok": True}
    assert commands.run == [("systemctl", "try-restart", "--no-block", "mien-voice")]
    assert ask(verb="restart", service="all")["ok"]
    assert "mien-link" not in commands.run[-1]


def test_a_reboot_is_systemd_s(commands: Commands) -> None:
    assert ask(verb="reboot") == {"ok": True}
    assert commands.run == [("systemctl", "start", "--no-block", "--job-mode=replace-irreversibly", "reboot.target")]


def test_a_log_is_of_a_service_of_ours(commands: Commands) -> None:
    assert ask(verb="log", service="link", lines=7) == {"ok": True, "text": "text\n"}
    assert commands.run[-1][-2:] == ("--lines=7", "--unit=mien-link")


def test_a_doctor_that_finds_something_is_an_answer(commands: Commands) -> None:
    commands.result = subprocess.CompletedProcess((), 1, b"[]", b"")
    assert ask(verb="doctor") == {"ok": True, "text": "[]"}
    assert commands.run[0][1:] == ("doctor", "--json")


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\n",
        b"{",
        b"[" * 900,
        b"[]",
        b'{"verb": "shell", "command": "id"}',
        b'{"verb": ["restart"]}',
        b'{"verb": "restart"}',
        b'{"verb": "restart", "service": "sshd"}',
        b'{"verb": "restart", "service": "voice; reboot"}',
        b'{"verb": "restart", "service": "--all"}',
        b'{"verb": "restart", "service": "link"}',
        b'{"verb": "restart", "service": {"a": 1}}',
        b'{"verb": "log", "service": "voice", "lines": "--since=yesterday"}',
        b'{"verb": "log", "service": "voice", "lines": true}',
        b'{"verb": "log", "service": "voice", "lines": -1}',
        json.dumps({"verb": "log", "service": "voice", "lines": MOST_LINES + 1}).encode(),
        b'{"verb": "install", "bundle": "../../etc/shadow"}',
        b'{"verb": "install", "bundle": "--handler-args=x"}',
        b'{"verb": "install", "bundle": "absent.raucb"}',
        b'{"verb": "install"}',
        b'{"verb": "reboot"}' + b" " * 2000,
    ],
)
def test_what_is_not_on_the_list_is_refused_and_runs_nothing(commands: Commands, request_: bytes) -> None:
    (refused,) = answer(request_)
    assert refused["ok"] is False
    assert refused["why"]
    assert commands.run == []


def test_a_command_that_fails_is_told_with_its_reason(commands: Commands) -> None:
    commands.result = subprocess.CompletedProcess((), 5, b"", b"Unit not found.\n")
    assert ask(verb="restart", service="ear") == {"ok": False, "why": "systemctl try-restart: Unit not found."}


def test_a_command_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    refused = ask(verb="reboot")
    assert refused["ok"] is False
    assert "systemctl" in refused["why"]


def test_a_bundle_is_handed_to_rauc_and_its_progress_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_control, "BUNDLES", tmp_path)
    (tmp_path / "new.raucb").write_bytes(b"bundle")
    rauc = tmp_path / "rauc"
    rauc.write_text(
        '#!/bin/sh\necho "  0% Installing $2"\necho "100% Installing done."\nexit $(cat $(dirname $0)/status)\n'
    )
    rauc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "status").write_text("0")
    told = list(answer(b'{"verb": "install", "bundle": "new.raucb"}'))
    assert told == [
        {"progress": f"0% Installing {tmp_path}/new.raucb"},
        {"progress": "100% Installing done."},
        {"ok": True},
    ]
    (tmp_path / "status").write_text("1")
    assert list(answer(b'{"verb": "install", "bundle": "new.raucb"}'))[-1] == {
        "ok": False,
        "why": "100% Installing done.",
    }
    (tmp_path / "link.raucb").symlink_to("/etc/shadow")
    assert list(answer(b'{"verb": "install", "bundle": "link.raucb"}'))[-1]["ok"] is False


def test_one_connection_is_one_request(commands: Commands) -> None:
    reply = io.BytesIO()
    serve(io.BytesIO(b'{"verb": "reboot"}\n{"verb": "restart", "service": "voice"}\n'), reply)
    assert [json.loads(line) for line in reply.getvalue().splitlines()] == [{"ok": True}]
    assert len(commands.run) == 1


def test_it_loads_nothing_of_mien_and_nothing_heavy() -> None:
    import sys

    code = "import sys; import mien.host.board_control; print(*(m for m in sys.modules if m.startswith('mien')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"mien", "mien.host", "mien.host.board_control"}
