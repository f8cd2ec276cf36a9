"""The customer's call for a person, under a name by which it can be answered. Pure.

The voice has one call and no name for it: here each gets one, by which an answer names the call that it means.
"""

import secrets
from collections.abc import Callable

import msgspec

from mien.client import Call
from mien.fleet import event, status

_ID_BYTES = 4


class CallKeeper:
    """tell(event) records an event. said: whether the customer's question may be told."""

    def __init__(
        self,
        tell: Callable[[event.EventBase], object],
        *,
        said: bool,
        make_id: Callable[[], str] = lambda: secrets.token_hex(_ID_BYTES),
    ) -> None:
        self._tell = tell
        self._said = said
        self._make_id = make_id
        self._waited_s = 0.0
        self.now: status.Call | None = None

    def heard(self, call: Call, at: float | None) -> None:
        """The voice tells of a call. at: UTC seconds."""
        if not call.open:
            self.ended("withdrawn")
            return
        self._waited_s = call.waited_ms / 1000
        since = round((at or 0.0) - self._waited_s, 3)
        question = call.question or None if self._said else None
        language = call.language
        if self.now is not None:
            self.now = msgspec.structs.replace(self.now, language=language, question=question)
            return
        self.now = status.Call(call=self._make_id(), since=since, language=language, question=question)
        self._record("open")

    def answered(self, user: str, coming: bool, in_s: int) -> None:
        """A user has answered the call that is open."""
        if self.now is None:
            return
        if coming:
            self.now = msgspec.structs.replace(self.now, accepted_by=user)
        self._record("accepted" if coming else "declined", by=user, in_s=in_s)

    def ended(self, state: event.CallState) -> None:
        """The call is over."""
        if self.now is not None:
            self._record(state)
            self.now = None

    def _record(self, state: event.CallState, by: str = "", in_s: int = 0) -> None:
        call = self.now
        assert call is not None
        self._tell(
            event.Call(
                queue="",
                seq=0,
                call=call.call,
                state=state,
                by=by,
                in_s=in_s,
                language=call.language,
                waited_s=round(self._waited_s, 1),
                question=call.question,
            )
        )
