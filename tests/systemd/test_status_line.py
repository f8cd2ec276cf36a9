"""What `systemctl status` shows of the voice: the lines that it sends to the manager's socket."""

import socket
import time

import pytest

pytest.importorskip("systemd.daemon", reason="systemd-python is not installed")

from mien.client import connect
from rigs.services import PATIENCE_S, running_voice
from rigs.voice_rig import tone


def test_the_voice_tells_its_level_its_clients_and_the_last_turn(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with running_voice(tmp_path) as voice, connect(voice.endpoints[0]) as client:
            turn = client.say(tone(100).tobytes()).turn
            wanted = f"STATUS=audio_only, 1 clients, idle, last turn {turn}"
            deadline_s, told = time.monotonic() + PATIENCE_S, []
            while wanted not in told and time.monotonic() < deadline_s:
                told.append(manager.recv(4096).decode())
    assert told[0] == "READY=1"
    assert wanted in told
