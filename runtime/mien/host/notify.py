"""Notifies systemd: readiness, status, watchdog, stopping.

The variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are those of sd_notify(3) and sd_watchdog_enabled(3).
"""

import importlib
import logging
import os
import select
import socket
from collections.abc import Callable
from typing import Final

from mien.core.clock import Clock
from mien.printable import one_line

log = logging.getLogger(__name__)

STATUS_CHARACTERS: Final = 200  # what `systemctl status` shows; datagrams are limited too
_MAX_DIGITS: Final = 18


class ServiceNotifier:
    """Does nothing when systemd does not run this process.

    Never raises, whatever the text and the manager: a service that cannot reach its manager still has speech to play.
    The first failure of a row is logged. Never waits for a manager that does not read: status and watchdog are
    postponed until there is room.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._send = _find_sender()
        self._manager = _connect() if self._send is not None else None
        self._status = ""
        self._feed_every_ns = _watchdog_ns() // 2
        self._feed_at_ns = 0
        self._failing = False

    def ready(self) -> None:
        """The service is up; systemd continues with the units that wait for it."""
        self._tell("READY=1")

    def waiting(self, for_s: int) -> None:
        """Not ready yet: extend the start timeout by `for_s` seconds. Call it repeatedly."""
        self._tell(f"EXTEND_TIMEOUT_USEC={for_s * 1_000_000}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`, truncated. Repeating the same text sends nothing."""
        line = one_line(text, STATUS_CHARACTERS)
        if line != self._status and self._has_room():
            self._status = line
            self._tell(f"STATUS={line}")

    def watchdog(self) -> None:
        """The loop is alive. Call it in every pass: it is sent once in half of the watchdog's interval."""
        now_ns = self._clock.now_ns()
        if self._feed_every_ns and now_ns >= self._feed_at_ns and self._has_room():
            self._feed_at_ns = now_ns + self._feed_every_ns
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The service is stopping."""
        self._tell("STOPPING=1")

    def _has_room(self) -> bool:
        """Whether sending does not block. systemd-python's notify blocks after about ten unread datagrams."""
        return self._manager is None or bool(select.select((), (self._manager,), (), 0)[1])

    def _tell(self, message: str) -> None:
        if self._send is None:
            return
        try:
            self._send(message)
        except Exception as error:  # systemd-python raises ValueError and UnicodeError too
            if not self._failing:
                log.warning("could not send %s to systemd: %s", message, error)
            self._failing = True
        else:
            self._failing = False


def _find_sender() -> Callable[[str], object] | None:
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    try:
        daemon = importlib.import_module("systemd.daemon")
    except Exception as error:  # not installed, or built against a missing library
        log.warning("NOTIFY_SOCKET is set, and systemd-python cannot be used (%s): pip install 'mien[board]'", error)
        return None
    send: Callable[[str], object] = daemon.notify
    return send


def _connect() -> socket.socket | None:
    """The manager's socket, to check whether it has room; None if it cannot be reached."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        manager.connect(f"\0{path[1:]}" if path.startswith("@") else path)
    except (OSError, ValueError):
        manager.close()
        return None
    return manager


def _watchdog_ns() -> int:
    """The watchdog's interval in ns; 0 without one, or if it is for another process."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or len(usec) > _MAX_DIGITS or (pid and pid != str(os.getpid())):
        return 0
    return int(usec) * 1000
