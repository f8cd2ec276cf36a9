"""Attention to the customer: when their sound makes a silent face listen. Pure."""

from typing import Final

from mien.units import NS_PER_MS

# The ear's hangover has passed already when an utterance ends. People pause between sentences for about as long again;
# a face that looked away in each pause would seem inattentive.
STAYS_NS: Final = 700 * NS_PER_MS
# A turn that was paused because the customer spoke: longer than the voice waits for a client's decision by default.
STAYS_IN_PAUSE_NS: Final = 2500 * NS_PER_MS


class Attention:
    """Stepped once a frame. What a client has set stays in force, and applies again when the customer is silent."""

    def __init__(self) -> None:
        self._heard_ns: int | None = None
        self._now_ns = 0
        self._speaking = False

    def step(self, now_ns: int, speaking: bool) -> None:
        """speaking: whether the customer speaks, by the voice's newest word."""
        self._now_ns, self._speaking = now_ns, speaking
        if speaking:
            self._heard_ns = now_ns

    def state(self, asked: str) -> str:
        """The state of a face that does not speak. asked: what clients have set."""
        if self._speaking or (asked == "idle" and self._silent_ns < STAYS_NS):
            return "listening"
        return asked

    @property
    def during_pause(self) -> bool:
        """Whether a paused face listens, and does not seem switched off."""
        return self._speaking or self._silent_ns < STAYS_IN_PAUSE_NS

    @property
    def _silent_ns(self) -> float:
        return float("inf") if self._heard_ns is None else self._now_ns - self._heard_ns
