"""Refuses commands that are old, from the future, or were seen before. Pure."""

from collections import OrderedDict
from typing import Final

from mien.fleet.command import MAX_AGE_S, MAX_SKEW_S, CommandBase, Refusal

REMEMBERED: Final = 2000
"""Commands within the time in which they are valid. More of them are a flood."""


class Freshness:
    """began: UTC seconds of this process's start; None while the clock is unset: then of the first command.

    A command that is older than this process is refused, because it may have been obeyed before the restart.
    """

    def __init__(self, began: float | None = None) -> None:
        self._began = began
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def check(self, user: str, command: CommandBase, now: float | None) -> Refusal | None:
        """Why a command must not be obeyed, or None: then it counts as seen. now: UTC seconds; None: clock unset."""
        if now is None:
            return Refusal(code="clock_unset", message="the board's clock is not set; wait until its network sets it")
        if self._began is None:
            self._began = now
        self._forget(now)
        age_s = now - command.at
        if not age_s <= MAX_AGE_S or command.at < self._began - MAX_SKEW_S:
            return Refusal(
                code="stale", message=f"sent {age_s:.0f} s ago, or before this link started; send it again", path="at"
            )
        if age_s < -MAX_SKEW_S:
            return Refusal(
                code="from_the_future",
                message=f"sent {-age_s:.0f} s in the future: set the sender's clock, or the board's",
                path="at",
            )
        key = (user, command.id)
        if key in self._seen:
            return Refusal(code="duplicate", message="a command with this id was seen before", path="id")
        if len(self._seen) >= REMEMBERED:
            return Refusal(code="busy", message="too many commands in half a minute; send fewer")
        self._seen[key] = now
        return None

    def _forget(self, now: float) -> None:
        """Forget what would be stale by now."""
        while self._seen:
            key, seen_at = next(iter(self._seen.items()))
            if abs(now - seen_at) <= MAX_AGE_S + 2 * MAX_SKEW_S:
                return
            del self._seen[key]
