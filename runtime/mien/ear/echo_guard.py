"""Tells the customer's sound from what is left of the kiosk's own.

Two cancellers have looked at the same sound. Of an echo the linear one leaves far less than it removed, and AEC3 next
to nothing; of a customer both leave most. Until the linear one has learnt the room, the demands are higher.
Thresholds: from 12 minutes of simulated speech in four rooms, in which the first rule alone would have let through 16
sounds, all within the first two seconds of the kiosk's first speech (mien bench ear measures it anew).
"""

from typing import Final

from mien.ear.chunks import CHUNK_S, SILENCE_DB, Chunk, decibels

TAIL_DB_S: Final = 110.0
"""How fast an echo dies away in a room with a reverberation time of half a second."""

ECHO_DB: Final = -75.0
"""Echo below it starts nothing."""

LEARNT_CHUNKS: Final = 125
LEARNT_DB: Final = -9.0
"""The room is learnt after 4 s of the kiosk's speech, if what is left of the echo is this much below it on average."""

LEFT_DB: Final = -4.0
TAKEN_DB: Final = 24.0
LEFT_EARLY_DB: Final = 0.0
TAKEN_EARLY_DB: Final = 8.0
"""A customer leaves at least so much beside the echo, and AEC3 takes at most so much of him."""

FIRST_CHUNKS: Final = 50
LEFT_FIRST_DB: Final = 3.0
"""In the first 1.6 s of the kiosk's speech AEC3 passes bursts of it: then a customer must be louder than the echo."""

NEEDED: Final = 2
NEEDED_FIRST: Final = 3
"""How many chunks it takes to be sure while the kiosk speaks; otherwise one."""

STAYS_DB: Final = -8.0
TAKEN_STAYS_DB: Final = 14.0
"""The same for somebody who is already speaking: an echo may prolong an utterance rather than a word be lost."""

REST_MARGIN_DB: Final = 8.0
LEAST_LEFT_DB: Final = -20.0
SLOWNESS: Final = 0.03


class EchoGuard:
    """Judges each chunk. active: the kiosk's own speech is in the microphone. allows: the chunk can be the customer's.

    stays: it can be the rest of an utterance that has begun. needed: how many chunks of speech make a beginning.
    """

    def __init__(self) -> None:
        self._echo_db = SILENCE_DB
        self.restart()
        self.active = False
        self.allows = self.stays = True
        self.needed = 1

    def restart(self) -> None:
        """The echo path is unknown."""
        self._chunks = 0
        self._left_db = 0.0

    @property
    def learnt(self) -> bool:
        """Whether the linear canceller knows the room."""
        return self._chunks >= LEARNT_CHUNKS and self._left_db < LEARNT_DB

    @property
    def rest_db(self) -> float:
        """What is left of the echo stays below this level, in dBFS."""
        return self._echo_db + self._left_db + REST_MARGIN_DB if self.active else SILENCE_DB

    def judge(self, chunk: Chunk, rest_power: float, echo_power: float, noise_power: float) -> None:
        """Take a chunk with what the linear canceller left of it, and the power of the echo that it removed.

        noise_power: how loud the room is when nobody speaks.
        """
        self._echo_db = max(decibels(echo_power), self._echo_db - TAIL_DB_S * CHUNK_S)
        self.active = chunk.far_power > 0 or self._echo_db > ECHO_DB
        if not self.active:
            self.allows = self.stays = True
            self.needed = 1
            return
        left_db = decibels(rest_power) - self._echo_db
        taken_db = decibels(chunk.raw_power) - decibels(chunk.clean_power)
        learnt = self.learnt
        first = self._chunks < FIRST_CHUNKS
        self.needed = NEEDED_FIRST if first else NEEDED
        least_db, most_db = (LEFT_DB, TAKEN_DB) if learnt else (LEFT_EARLY_DB, TAKEN_EARLY_DB)
        if first:
            least_db = LEFT_FIRST_DB
        self.allows = left_db > least_db and taken_db < most_db
        self.stays = self.allows or (left_db > STAYS_DB and (learnt or taken_db < TAKEN_STAYS_DB))
        if self._echo_db > ECHO_DB and not self.allows:
            self._chunks += 1
            left_db = decibels(max(0.0, rest_power - noise_power)) - self._echo_db
            self._left_db += SLOWNESS * (max(LEAST_LEFT_DB, left_db) - self._left_db)
