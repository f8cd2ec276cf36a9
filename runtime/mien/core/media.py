"""Media time from anchors, for every reader of the bus."""

from mien.core.bus import Anchor


class MediaClock:
    """Extrapolates the newest anchor.

    Inside an epoch media time never steps back, whatever the anchors' jitter, and it never passes until_ns, so that
    the face freezes on an underrun. A new epoch starts from its own anchor; an anchor of an older epoch is dropped and
    counted.
    """

    def __init__(self) -> None:
        self._anchor: Anchor | None = None
        self._highest_ns = 0
        self.stale = 0

    @property
    def anchor(self) -> Anchor | None:
        """The newest anchor, or None before the first."""
        return self._anchor

    @property
    def epoch(self) -> int:
        """The current epoch, or -1 before the first anchor."""
        return -1 if self._anchor is None else self._anchor.epoch

    def take(self, anchor: Anchor) -> bool:
        """Accept an anchor. Returns whether it began a new epoch."""
        if anchor.epoch < self.epoch:
            self.stale += 1
            return False
        renewed = anchor.epoch > self.epoch
        if renewed:
            self._highest_ns = 0
        self._anchor = anchor
        return renewed

    def forget(self) -> None:
        """The voice is gone: no media time until the next anchor, whatever its epoch."""
        self._anchor = None
        self._highest_ns = 0

    def media_ns(self, now_ns: int) -> int:
        """The media time that is heard at now_ns, which may be slightly in the future. 0 before the first anchor."""
        if self._anchor is None:
            return 0
        media_ns = extrapolate(self._anchor, now_ns)
        self._highest_ns = max(self._highest_ns, media_ns)
        return self._highest_ns


def extrapolate(anchor: Anchor, now_ns: int) -> int:
    """Media time at now_ns from one anchor: media_ns until at_ns, then running, and until_ns at most."""
    running_ns = anchor.media_ns + now_ns - anchor.at_ns
    return max(anchor.media_ns, min(running_ns, anchor.until_ns))
