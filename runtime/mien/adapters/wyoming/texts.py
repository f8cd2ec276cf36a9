"""Texts on their way from a TTS to the sound that speaks them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

KEPT_S: Final = 30.0
KEPT: Final = 20


class Texts:
    """Texts in the order in which they were synthesized. now: a clock, in s.

    What is not played within KEPT_S is played elsewhere, or never.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._texts: deque[tuple[float, str]] = deque(maxlen=KEPT)

    def add(self, text: str) -> None:
        """A text was synthesized."""
        if text.strip():
            self._texts.append((self._now(), text))

    def take(self) -> str:
        """The text of the sound that begins now; empty when none is known."""
        while self._texts:
            at_s, text = self._texts.popleft()
            if self._now() - at_s <= KEPT_S:
                return text
        return ""
