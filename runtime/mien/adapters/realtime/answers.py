"""Decides when to ask the service for an answer, without I/O.

The service answers by itself when the customer has spoken. It must be asked after tools have returned, and after an
answer that failed for a passing reason. A request while another answer is being made would be refused, and one while
the customer speaks is not needed: the answer to them will know what the tools returned.
"""

from __future__ import annotations

from typing import Final

MOST_FAILURES: Final = 5
FIRST_DELAY_S: Final = 0.5
MOST_DELAY_S: Final = 30.0


def delay_s(failures: int, wanted_s: float | None = None) -> float:
    """How long to wait after so many failures in a row, from 1 on. wanted_s: what the service asks for at least."""
    backoff_s = min(MOST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures - 1, 16))
    return max(backoff_s, min(wanted_s or 0.0, 10 * MOST_DELAY_S))


class Answers:
    """The answers of one connection.

    active: the service works on one. user_speaks: an answer to the customer will follow by itself. due_s: when to ask;
    None: not to ask. Times are in s of a monotonic clock.
    """

    def __init__(self) -> None:
        self.active = False
        self.user_speaks = False
        self.due_s: float | None = None
        self.failures = 0
        self._tools: set[str] = set()
        self._returned = False

    @property
    def working(self) -> bool:
        """Whether the customer waits for an answer or a tool."""
        return self.active or bool(self._tools) or self.due_s is not None

    def begun(self) -> None:
        """The service works on an answer, which knows everything that was sent before."""
        self.active = True
        self.due_s = None

    def done(self, now_s: float, *, cancelled: bool, retryable: bool, failed: bool, wait_s: float | None) -> None:
        """The answer is complete, cancelled or failed."""
        self.active = False
        if failed and retryable and self.failures < MOST_FAILURES and not self.user_speaks:
            self.failures += 1
            self.due_s = now_s + delay_s(self.failures, wait_s)
        elif not failed:
            self.failures = 0
            if cancelled:
                self._returned = False  # the customer interrupted, and is answered next
        self._ask_when_free(now_s)

    def user_started(self) -> None:
        """The customer speaks: the answer to them includes everything that was to be asked for."""
        self.user_speaks = True
        self.due_s = None
        self._returned = False

    def user_stopped(self) -> None:
        """The customer has finished, and the service answers."""
        self.user_speaks = False

    def tool_called(self, call: str) -> None:
        """A tool runs."""
        self._tools.add(call)

    def tool_returned(self, call: str, now_s: float) -> None:
        """Its output was sent."""
        self._tools.discard(call)
        self._returned = not self.user_speaks
        self._ask_when_free(now_s)

    def is_due(self, now_s: float) -> bool:
        """Whether to ask now. The caller then asks: this is answered once."""
        if self.due_s is None or now_s < self.due_s or self.active or self.user_speaks:
            return False
        self.due_s = None
        self.active = True
        return True

    def take(self) -> bool:
        """Whether another answer than one to the customer may be asked for now. The caller then asks for it."""
        if self.active or self.user_speaks:
            return False
        self.active = True
        return True

    def refused(self) -> None:
        """The request was refused because another answer is being made, which will know the same."""
        self.active = True

    def _ask_when_free(self, now_s: float) -> None:
        if self._returned and not self._tools and not self.active:
            self._returned = False
            self.due_s = now_s if self.due_s is None else self.due_s
