"""The kiosk as an update sees it, for an updater that runs in a thread beside the link's event loop."""

from collections.abc import Callable

from mien.link.update.evidence import Evidence


class LinkKiosk:
    """Implements `Kiosk`. on_loop: runs a function in the link's loop, such as its call_soon_threadsafe.

    drain(on), clear(), rehearse(): the link's own; clear tells whether nobody is being served.
    """

    def __init__(
        self,
        evidence: Evidence,
        on_loop: Callable[[Callable[[], object]], object],
        drain: Callable[[bool], object],
        clear: Callable[[], bool],
        rehearse: Callable[[], object],
    ) -> None:
        self._evidence, self._on_loop = evidence, on_loop
        self._drain, self._clear, self._rehearse = drain, clear, rehearse
        self._draining = False

    def drain(self, on: bool) -> None:
        """Asks the link once for each change: an operator may drain the board too."""
        if on != self._draining:
            self._draining = on
            self._on_loop(lambda: self._drain(on))

    def drained(self) -> bool:
        """Nobody is being served, and nobody new is taken."""
        return self._draining and self._clear()

    def face_seen(self) -> bool:
        """Since this process began."""
        return self._evidence.face_seen

    def turn_heard(self) -> bool:
        """Since this process began."""
        return self._evidence.turn_heard

    def rehearse(self) -> None:
        """Speak a short turn, if nobody is there."""
        if self._clear():
            self._on_loop(self._rehearse)
