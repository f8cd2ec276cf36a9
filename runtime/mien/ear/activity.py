"""When the customer speaks: from the first sound to the last."""

from collections import deque
from typing import Final

from mien.core.ear_bus import UserStarted, UserStopped
from mien.ear.chunks import CHUNK_S, SUB_NS, SUBS
from mien.units import NS_PER_MS

FLOOR_MARGIN_DB: Final = 9.0
"""How far above the noise floor a sound is a sound."""

NOISE_OVER_FLOOR_DB: Final = 5.0
"""The floor is the quietest 8 ms: noise is louder on average."""

WAKE_MARGIN_DB: Final = 8.0
PEAK_MARGIN_DB: Final = 14.0
"""How far above it a chunk, or 8 ms of it, may be one."""

WAKE_CHUNKS: Final = 10
"""How long after such a chunk the detector listens."""

FLOOR_RISE_DB_S: Final = 3.0
"""How fast the noise floor follows upwards; downwards it follows at once."""

LOOK_BACK_SUBS: Final = 32
"""256 ms before the first chunk of speech: consonants, and the model's own delay."""

ASSUMED_NS: Final = 2 * SUBS * SUB_NS
"""How long a sound has lasted at the end of its first chunk of speech while the kiosk speaks, at least.

The model needs a chunk to be sure, and the echo hides the beginning.
"""

PAUSE_SUBS: Final = 6
"""How short a pause within a word is: 48 ms."""

DIP_CHUNKS: Final = 1
"""How many chunks without speech may lie between them."""


class Activity:
    """Makes utterances out of probabilities: hysteresis, onset, hangover. Times are those of the sound itself."""

    def __init__(self, *, start: float, stop: float, onset_ms: int, hangover_ms: int) -> None:
        """start, stop: probabilities. onset_ms: how long a sound must last; hangover_ms: how long silence must."""
        self._start, self._stop = start, stop
        self._onset_ns, self._hangover_ns = onset_ms * NS_PER_MS, hangover_ms * NS_PER_MS
        self._floor_db = -70.0
        self._above: deque[bool] = deque(maxlen=LOOK_BACK_SUBS + SUBS)
        self._end_ns = 0
        self._listens = 0
        self._candidate_ns: int | None = None
        self._since_ns = 0
        self._hits = self._dips = 0
        self._began_ns = self._last_ns = 0
        self._sum = 0.0
        self._count = 0
        self.speaking = False
        self.utterance = 0

    @property
    def begins(self) -> bool:
        """Whether an utterance may be beginning."""
        return self._candidate_ns is not None

    @property
    def noise_power(self) -> float:
        """How loud the room is when nobody speaks, relative to full scale."""
        return float(10 ** ((self._floor_db + NOISE_OVER_FLOOR_DB) / 10))

    def wakes(self, levels_db: tuple[float, ...], end_ns: int, echo_db: float) -> bool:
        """Take the levels of the next chunk's parts of 8 ms. Returns whether it can be speech at all.

        echo_db: what is left of the kiosk's own speech stays below it.
        """
        if end_ns - SUBS * SUB_NS != self._end_ns:
            self._above.clear()
        self._end_ns = end_ns
        self._floor_db = max(-90.0, min(self._floor_db + FLOOR_RISE_DB_S * CHUNK_S, min(levels_db)))
        threshold_db = max(self._floor_db + FLOOR_MARGIN_DB, echo_db)
        self._above.extend(level_db >= threshold_db for level_db in levels_db)
        loud = (
            sum(levels_db) / SUBS > self._floor_db + WAKE_MARGIN_DB or max(levels_db) > self._floor_db + PEAK_MARGIN_DB
        )
        self._listens = WAKE_CHUNKS if loud else max(0, self._listens - 1)
        return self._listens > 0

    def chunk(self, probability: float, *, allowed: bool, needed: int) -> UserStarted | UserStopped | None:
        """Judge that chunk. allowed: it can be the customer's sound. needed: chunks, 1 in silence, more in echo."""
        if self.speaking:
            return self._within(probability, allowed and probability >= self._stop)
        return self._before(probability, allowed and probability >= self._start, needed)

    def abandon(self) -> UserStopped | None:
        """Nothing is known from here on: forget a beginning utterance, end a running one at its last sound."""
        self._candidate_ns = None
        return self._ended() if self.speaking else None

    def _before(self, probability: float, speech: bool, needed: int) -> UserStarted | None:
        if not speech:
            self._dips += 1
            if self._dips > DIP_CHUNKS:
                self._candidate_ns = None
            return None
        if self._candidate_ns is None:
            self._candidate_ns = self._rise_ns()
            self._since_ns = min(self._candidate_ns, self._end_ns - ASSUMED_NS) if needed > 1 else self._candidate_ns
            self._hits, self._sum, self._count = 0, 0.0, 0
        self._dips = 0
        self._hits += 1
        self._sum += probability
        self._count += 1
        if self._hits < needed or self._end_ns - self._since_ns < self._onset_ns:
            return None
        self.speaking = True
        self.utterance += 1
        self._began_ns, self._candidate_ns = self._candidate_ns, None
        self._last_ns = self._last_sound_ns()
        return UserStarted(utterance=self.utterance, at_ns=self._began_ns, confidence=self._confidence())

    def _within(self, probability: float, speech: bool) -> UserStopped | None:
        if speech:
            self._last_ns = max(self._last_ns, self._last_sound_ns())
            self._sum += probability
            self._count += 1
        return self._ended() if self._end_ns - self._last_ns >= self._hangover_ns else None

    def _ended(self) -> UserStopped:
        self.speaking = False
        return UserStopped(
            utterance=self.utterance, at_ns=self._last_ns, started_ns=self._began_ns, confidence=self._confidence()
        )

    def _confidence(self) -> float:
        return round(min(1.0, self._sum / max(1, self._count)), 3)

    def _rise_ns(self) -> int:
        """When the sound that lasts into the newest chunk began."""
        first, pause = 0, 0
        for back, above in enumerate(reversed(self._above), start=1):
            if above:
                first, pause = back, 0
            elif first or back > SUBS:
                pause += 1
                if pause >= PAUSE_SUBS:
                    break
        return self._end_ns - (first or SUBS) * SUB_NS

    def _last_sound_ns(self) -> int:
        """When the newest chunk's last sound ended; its own end if it has none."""
        newest = list(self._above)[-SUBS:]
        quiet = next((back for back, above in enumerate(reversed(newest)) if above), 0)
        return self._end_ns - quiet * SUB_NS
