"""Positions of words that their framework has stamped with a wall clock."""

from __future__ import annotations


class WordClock:
    """Turns stamps of one clock, in ns, into positions of their segments, in ms.

    A TTS service stamps a word with a base plus its offset in the segment's audio. The base is the time at which the
    segment's first audio was passed on, or the stamp of the last word before it if that is later. Both are seen here
    too, so the base can be found again.
    """

    def __init__(self) -> None:
        self._last_ns = 0
        self._kept_ns = 0
        self._bases_ns: dict[str | None, int] = {}

    def audio(self, segment: str | None, now_ns: int) -> None:
        """Audio of a segment has come; the first of it makes the base."""
        self._bases_ns.setdefault(segment, max(self._last_ns, now_ns))

    def word(self, stamp_ns: int, *, interruptible: bool = True) -> None:
        """A word has come."""
        self._last_ns = stamp_ns
        if not interruptible:
            self._kept_ns = stamp_ns

    def interrupted(self) -> None:
        """The service has dropped its words, except those that cannot be interrupted."""
        self._last_ns = self._kept_ns

    def position_ms(self, segment: str | None, stamp_ns: int) -> float | None:
        """The position of a stamp, 0 or more; None while the segment has no audio."""
        base_ns = self._bases_ns.get(segment)
        return None if base_ns is None else max(0.0, (stamp_ns - base_ns) / 1e6)

    def forget(self, segment: str | None) -> None:
        """The segment is over."""
        self._bases_ns.pop(segment, None)
