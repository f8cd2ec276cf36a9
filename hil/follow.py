"""A polling thread."""

import threading
from collections.abc import Callable


class Follower:
    """Calls look() every poll_s between start() and stop(); both may be called twice."""

    def __init__(self, look: Callable[[], None], poll_s: float, name: str) -> None:
        self._look = look
        self._poll_s = poll_s
        self._name = name
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start polling."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop polling; returns once the last look() has returned."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _follow(self) -> None:
        while not self._closing.wait(self._poll_s):
            self._look()
