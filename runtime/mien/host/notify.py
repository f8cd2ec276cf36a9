"""What a service tells systemd: that it is ready, how it fares, that it lives, that it stops.

The variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are those of sd_notify(3) and sd_watchdog_enabled(3).
"""

import importlib
import logging
import os
from collections.abc import Callable

from mien.core.clock import Clock

log = logging.getLogger(__name__)


class ServiceNotifier:
    """Talks to systemd when systemd runs this process, and is quietly nothing otherwise. It never raises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._send = _find_sender()
        self._status = ""
        self._feed_every_ns = _watchdog_ns() // 2
        self._feed_at_ns = 0

    def ready(self) -> None:
        """The service is up; systemd goes on with whatever waits for it."""
        self._tell("READY=1")

    def waiting(self, for_s: int) -> None:
        """Not ready yet, and alive: the start timeout is not over for `for_s` more seconds. Tell it repeatedly."""
        self._tell(f"EXTEND_TIMEOUT_USEC={for_s * 1_000_000}")

    def status(self, text: str) -> None:
        """One line for `systemctl status`. Telling the same text again sends nothing."""
        line = " ".join(text.split())
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def watchdog(self) -> None:
        """The loop is alive. Call it as often as you like: it is passed on once in half of the watchdog's interval."""
        now_ns = self._clock.now_ns()
        if self._feed_every_ns and now_ns >= self._feed_at_ns:
            self._feed_at_ns = now_ns + self._feed_every_ns
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The service has begun to stop."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if self._send is None:
            return
        try:
            self._send(message)
        except OSError as error:
            # A service that cannot reach its manager still has speech to play.
            log.warning("systemd was not told %s: %s", message, error)


def _find_sender() -> Callable[[str], object] | None:
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    try:
        daemon = importlib.import_module("systemd.daemon")
    except ImportError:
        log.warning("NOTIFY_SOCKET is set, and systemd-python is not installed: pip install 'mien[board]'")
        return None
    send: Callable[[str], object] = daemon.notify
    return send


def _watchdog_ns() -> int:
    """The watchdog's interval in ns; 0 when there is none, or when it is meant for another process."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return 0
    return int(usec) * 1000
