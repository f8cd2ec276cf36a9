import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien.core.clock import ManualClock
from mien.host.notify import ServiceNotifier

pytest.importorskip("systemd.daemon", reason="systemd-python is not installed: pip install 'mien[board]'")


@pytest.fixture(autouse=True)
def _outside_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end of the socket at which systemd would sit."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield listening


def heard(manager: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_a_life_from_ready_to_stopping(manager: socket.socket) -> None:
    notifier = ServiceNotifier(ManualClock())
    notifier.ready()
    notifier.status("speaking, level FULL")
    notifier.stopping()
    assert heard(manager) == ["READY=1", "STATUS=speaking, level FULL", "STOPPING=1"]


def test_a_long_wait_puts_the_start_timeout_off(manager: socket.socket) -> None:
    ServiceNotifier(ManualClock()).waiting(30)
    assert heard(manager) == ["EXTEND_TIMEOUT_USEC=30000000"]


def test_the_same_status_is_told_once(manager: socket.socket) -> None:
    notifier = ServiceNotifier(ManualClock())
    for text in ("idle", "idle", "speaking", "idle"):
        notifier.status(text)
    assert heard(manager) == ["STATUS=idle", "STATUS=speaking", "STATUS=idle"]


def test_a_status_cannot_smuggle_in_another_message(manager: socket.socket) -> None:
    ServiceNotifier(ManualClock()).status("turn a\nWATCHDOG=trigger")
    assert heard(manager) == ["STATUS=turn a WATCHDOG=trigger"]


def test_the_watchdog_is_fed_every_half_interval(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    clock = ManualClock(start_ns=77)
    notifier = ServiceNotifier(clock)
    fed_at_ms = []
    for step in range(401):
        notifier.watchdog()
        if heard(manager):
            fed_at_ms.append(step * 10)
        clock.advance_ms(10)
    assert fed_at_ms == [0, 1000, 2000, 3000, 4000]


@pytest.mark.parametrize("interval", ["", "0", "soon", "-5"])
def test_without_an_interval_there_is_no_watchdog(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, interval: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", interval)
    ServiceNotifier(ManualClock()).watchdog()
    assert heard(manager) == []


def test_a_watchdog_meant_for_another_process_is_left_alone(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    ServiceNotifier(ManualClock()).watchdog()
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert heard(manager) == []
    ServiceNotifier(ManualClock()).watchdog()
    assert heard(manager) == ["WATCHDOG=1"]


def test_without_systemd_nothing_happens() -> None:
    notifier = ServiceNotifier(ManualClock())
    notifier.ready()
    notifier.status("idle")
    notifier.watchdog()
    notifier.stopping()


def test_a_manager_that_is_gone_disturbs_nothing(manager: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    notifier = ServiceNotifier(ManualClock())
    manager.close()
    notifier.ready()
    assert "READY=1" in caplog.text


def test_a_missing_package_is_said_once_and_disturbs_nothing(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "systemd.daemon", None)
    notifier = ServiceNotifier(ManualClock())
    notifier.ready()
    notifier.stopping()
    assert heard(manager) == []
    assert len(caplog.records) == 1
    assert "mien[board]" in caplog.text
