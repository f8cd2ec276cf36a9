"""When the customer starts to speak, when they stop."""

from collections import deque
from typing import Final

from mien.core.ear_bus import UserStarted, UserStopped
from mien.ear.chunks import SUB_NS, Chunk
from mien.units import NS_PER_MS

FLOOR_MARGIN_DB: Final = 8.0
"""How far above the noise floor a sound is a sound."""

FLOOR_RISE_DB_S: Final = 3.0
"""How fast the noise floor follows upwards; downwards it follows at once."""

LOOK_BACK_NS: Final = 160 * NS_PER_MS
"""How long before the model's first speech the sound may have begun: consonants and the model's own delay."""

DIP_CHUNKS: Final = 2
"""How many chunks of little probability a beginning utterance may contain."""


class Activity:
    """Makes utterances out of probabilities: hysteresis, onset, hangover. Times are those of the sound itself."""

    def __init__(self, *, start: float, stop: float, onset_ms: int, hangover_ms: int) -> None:
        """start, stop: probabilities. onset_ms: how long a sound must last; hangover_ms: how long silence must."""
        self._start, self._stop = start, stop
        self._onset_ns, self._hangover_ns = onset_ms * NS_PER_MS, hangover_ms * NS_PER_MS
        self._floor_db = -70.0
        self._quiet_ns = 0
        self._history: deque[tuple[int, float]] = deque(maxlen=LOOK_BACK_NS // SUB_NS + 4)
        self._candidate_ns: int | None = None
        self._began_ns = 0
        self._last_ns = 0
        self._dips = 0
        self._sum = 0.0
        self._count = 0
        self.speaking = False
        self.utterance = 0

    def chunk(self, chunk: Chunk, probability: float, allowed: bool) -> UserStarted | UserStopped | None:
        """Take the next chunk. allowed: its sound can be the customer's, and not the kiosk's own."""
        for index, level_db in enumerate(chunk.clean_db):
            self._history.append((chunk.at_ns + index * SUB_NS, level_db))
        self._follow_floor(chunk)
        speech = probability >= (self._stop if self.speaking else self._start)
        return (
            self._within(chunk, probability, speech)
            if self.speaking
            else self._before(chunk, probability, speech and allowed)
        )

    def abandon(self) -> UserStopped | None:
        """Nothing is known from here on: forget a beginning utterance, end a running one at its last sound."""
        self._candidate_ns = None
        return self._ended() if self.speaking else None

    def _before(self, chunk: Chunk, probability: float, speech: bool) -> UserStarted | None:
        if not speech:
            self._dip()
            return None
        if self._candidate_ns is None:
            self._candidate_ns = self._rise_ns(chunk)
            self._sum = self._count = 0
        self._dips = 0
        self._sum += probability
        self._count += 1
        if chunk.end_ns - self._candidate_ns < self._onset_ns:
            return None
        self.speaking = True
        self.utterance += 1
        self._began_ns, self._candidate_ns = self._candidate_ns, None
        self._last_ns = self._last_sound_ns(chunk)
        return UserStarted(utterance=self.utterance, at_ns=self._began_ns, confidence=self._confidence())

    def _within(self, chunk: Chunk, probability: float, speech: bool) -> UserStopped | None:
        if speech:
            self._last_ns = self._last_sound_ns(chunk)
            self._sum += probability
            self._count += 1
        return self._ended() if chunk.end_ns - self._last_ns >= self._hangover_ns else None

    def _ended(self) -> UserStopped:
        self.speaking = False
        return UserStopped(
            utterance=self.utterance, at_ns=self._last_ns, started_ns=self._began_ns, confidence=self._confidence()
        )

    def _dip(self) -> None:
        self._dips += 1
        if self._dips > DIP_CHUNKS:
            self._candidate_ns = None

    def _confidence(self) -> float:
        return round(min(1.0, self._sum / max(1, self._count)), 3)

    def _follow_floor(self, chunk: Chunk) -> None:
        lowest = min(chunk.clean_db)
        rise = FLOOR_RISE_DB_S * chunk.seconds
        self._floor_db = max(-90.0, min(self._floor_db + rise, lowest))

    def _rise_ns(self, chunk: Chunk) -> int:
        """When the sound that lasts into this chunk rose above the floor."""
        threshold = self._floor_db + FLOOR_MARGIN_DB
        found = chunk.at_ns
        quiet = 0
        for at_ns, level_db in reversed(self._history):
            if at_ns < chunk.at_ns - LOOK_BACK_NS:
                break
            if level_db >= threshold:
                found, quiet = min(found, at_ns), 0
            elif at_ns < chunk.at_ns:
                quiet += 1
                if quiet > 3:  # stops within words last as long
                    break
        return found

    def _last_sound_ns(self, chunk: Chunk) -> int:
        threshold = self._floor_db + FLOOR_MARGIN_DB
        loud = [index for index, level_db in enumerate(chunk.clean_db) if level_db >= threshold]
        return chunk.at_ns + (loud[-1] + 1) * SUB_NS if loud else max(self._last_ns, chunk.at_ns)
