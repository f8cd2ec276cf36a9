"""The jitter buffer of an agent's speech: packets in any order in, in order out, as late as the network demands.

It conceals nothing: a packet that does not come in time is skipped.
"""

from typing import Final

from mien.fleet.packets import SEQ_MODULUS, Sound

LEAST_MS: Final = 20  # to wait for a packet that others have overtaken
MOST_MS: Final = 120
VOICE_MS: Final = 80  # that the voice holds back itself before a turn opens, until the face has motion for it
MARGIN: Final = 3.0  # times the mean deviation of the arrivals
STALE_MS: Final = 1000  # a message that is later than the quickest by more is of no use in a conversation
KEEP: Final = 64  # messages that wait for an earlier one
_GAIN: Final = 1 / 16  # of the newest deviation in the mean, as in RFC 3550


class JitterBuffer:
    """Of one stretch of one user. put() messages as they arrive, take() what is due. Times are monotonic, in ms.

    late, repeated, skipped: messages that were not spoken.
    """

    def __init__(self, *, jitter_ms: float = 0.0) -> None:
        """jitter_ms: of the stretch before, from the same user."""
        self.jitter_ms = jitter_ms
        self.late = self.repeated = self.skipped = 0
        self._waiting: dict[int, tuple[Sound, float]] = {}
        self._next: int | None = None  # the number that is due, unwrapped
        self._newest = -1
        self._base_ms: float | None = None  # of the quickest message: arrival minus its own time
        self._opens_ms: float | None = None
        self._transit_ms = 0.0

    @property
    def delay_ms(self) -> float:
        """How long a missing packet is awaited."""
        return min(MOST_MS, max(LEAST_MS, MARGIN * self.jitter_ms))

    def _hold_ms(self, sound: Sound) -> float:
        """How long the first message is held back: one that others may have overtaken, or on a bad network."""
        return max(0.0 if sound.first else LEAST_MS, self.delay_ms - VOICE_MS)

    def put(self, sound: Sound, now_ms: float) -> bool:
        """Take a message. Returns whether it will be of use: not one that is late, stale or repeated."""
        number = self._unwrapped(sound.seq)
        transit_ms = now_ms - sound.at_ms
        if self._base_ms is None:
            self._base_ms = self._transit_ms = transit_ms
        self._base_ms = min(self._base_ms, transit_ms)
        if len(self._waiting) >= KEEP:
            self.late += 1
            return False
        if number in self._waiting:
            self.repeated += 1
            return False
        if transit_ms - self._base_ms > STALE_MS or (self._opened and self._next is not None and number < self._next):
            self.late += 1
            return False
        self.jitter_ms += (abs(transit_ms - self._transit_ms) - self.jitter_ms) * _GAIN
        self._transit_ms = transit_ms
        self._newest = max(self._newest, number)
        self._waiting[number] = (sound, now_ms)
        if self._opens_ms is None:
            self._opens_ms = now_ms + self._hold_ms(sound)
        return True

    def take(self, now_ms: float) -> list[Sound]:
        """The messages that are due, in order."""
        if self._opens_ms is None or now_ms < self._opens_ms:
            return []
        if self._next is None:
            self._next = min(self._waiting)
        due = []
        while self._waiting:
            if self._next not in self._waiting:
                first = min(self._waiting)
                if len(self._waiting) < KEEP and now_ms < self._waiting[first][1] + self.delay_ms:
                    break
                self.skipped += first - self._next
                self._next = first
            due.append(self._waiting.pop(self._next)[0])
            self._next += 1
        return due

    @property
    def due_ms(self) -> float | None:
        """When take() next has something, if nothing else arrives; None: then nothing."""
        if not self._waiting:
            return None
        if self._next is None or self._next in self._waiting:
            return self._opens_ms
        return self._waiting[min(self._waiting)][1] + self.delay_ms

    @property
    def _opened(self) -> bool:
        return self._next is not None

    def _unwrapped(self, seq: int) -> int:
        """The number nearest to the newest one."""
        if self._newest < 0:
            return seq + SEQ_MODULUS  # room for packets that were sent before it
        ahead = (seq - self._newest + SEQ_MODULUS // 2) % SEQ_MODULUS - SEQ_MODULUS // 2
        return self._newest + ahead
