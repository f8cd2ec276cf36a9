import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import systemd.daemon  # `make setup` installs it: what it raises is half of what is tested here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.core.clock import ManualClock
from mien.host.notify import STATUS_CHARACTERS, ServiceNotifier


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


@pytest.mark.parametrize("interval", ["", "0", "soon", "-5", "9" * 5000])
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


LIVES = """
from mien.core.clock import ManualClock
from mien.host.notify import ServiceNotifier

clock = ManualClock()
notifier = ServiceNotifier(clock)
for number in range(50):
    notifier.status(f"turn {number}")
    notifier.watchdog()
    clock.advance_ms(1000)
"""


def test_a_manager_that_does_not_read_holds_nobody_up(manager: socket.socket) -> None:
    """In a process of its own: systemd-python waits with Python's lock in its hands."""
    before = fill(manager)
    environment = {**os.environ, "WATCHDOG_USEC": "2000000"}
    subprocess.run([sys.executable, "-c", LIVES], env=environment, timeout=60, check=True)
    assert heard(manager) == ["full"] * before


def test_what_was_put_off_is_told_once_there_is_room(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    notifier = ServiceNotifier(ManualClock())
    fill(manager)
    notifier.status("idle")
    notifier.watchdog()
    heard(manager)
    notifier.status("idle")
    notifier.watchdog()
    assert heard(manager) == ["STATUS=idle", "WATCHDOG=1"]


def fill(manager: socket.socket) -> int:
    """Leave no room at the manager. Returns how many messages that took."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        for count in range(10_000):
            try:
                other.sendto(b"full", manager.getsockname())
            except BlockingIOError:
                return count
    raise AssertionError("it always takes more")


NASTY = ("a\0b", "\ud800", "a\x1bb\x9bc", "\u202eabc", "x" * 100_000, "ü" * 100_000, "\r\nWATCHDOG=trigger\r\n")


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_whatever_a_client_named_its_turn_one_clean_line_arrives(manager: socket.socket, text: str) -> None:
    ServiceNotifier(ManualClock()).status(f"speaking, last turn {text}")
    (line,) = heard(manager)
    assert line.startswith("STATUS=speaking, last turn")
    assert line.isprintable()
    assert len(line) <= len("STATUS=") + STATUS_CHARACTERS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(text=st.text(st.characters()))
def test_any_text_at_all_is_told(manager: socket.socket, text: str) -> None:
    ServiceNotifier(ManualClock()).status(f"-{text}")
    (line,) = heard(manager)
    assert line.startswith("STATUS=-")
    assert line.isprintable()


def test_a_status_is_cut_where_it_is_long(manager: socket.socket) -> None:
    notifier = ServiceNotifier(ManualClock())
    notifier.status("x" * STATUS_CHARACTERS)
    notifier.status("x" * (STATUS_CHARACTERS + 1))
    assert heard(manager) == [f"STATUS={'x' * STATUS_CHARACTERS}", f"STATUS={'x' * (STATUS_CHARACTERS - 3)}..."]


def test_without_systemd_nothing_is_sent_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(systemd.daemon, "notify", sent.append)
    notifier = ServiceNotifier(ManualClock())
    live_through(notifier)
    assert sent == []


def live_through(notifier: ServiceNotifier) -> None:
    notifier.ready()
    notifier.waiting(3)
    notifier.status("idle")
    notifier.watchdog()
    notifier.stopping()


@pytest.mark.parametrize(
    "error",
    [
        OSError(90, "Message too long"),
        ValueError("embedded null character"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        RuntimeError("new in the next release"),
    ],
)
@pytest.mark.usefixtures("manager")
def test_a_manager_that_cannot_be_told_disturbs_nothing_and_is_said_once_a_row(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    broken = True

    def notify(_: str) -> None:
        if broken:
            raise error

    monkeypatch.setattr(systemd.daemon, "notify", notify)
    notifier = ServiceNotifier(ManualClock())
    live_through(notifier)
    assert [record.getMessage() for record in caplog.records] == [f"could not send READY=1 to systemd: {error}"]
    broken = False
    notifier.ready()
    broken = True
    live_through(notifier)
    assert len(caplog.records) == 2


def test_a_manager_that_is_gone_is_one_line_in_the_log(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = ServiceNotifier(ManualClock())
    manager.close()
    live_through(notifier)
    assert [record.getMessage() for record in caplog.records] == [
        "could not send READY=1 to systemd: [Errno 111] Connection refused"
    ]


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


def test_a_status_is_as_long_as_a_line_of_a_terminal_or_two() -> None:
    assert STATUS_CHARACTERS == 200
