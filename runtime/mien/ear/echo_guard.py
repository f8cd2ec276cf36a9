"""Tells the customer's speech from what is left of the kiosk's own."""

from typing import Final

from mien.ear.chunks import SILENCE_DB, Chunk

FAR_ACTIVE_DB: Final = -60.0
"""Of the far end: anything louder can be heard in the microphone."""

TAIL_DB_S: Final = 120.0
"""How fast an echo dies away in a room with a reverberation time of .5 s."""

MARGIN_DB: Final = 10.0


class EchoGuard:
    """Allows a sound that the cancellation cannot have left over.

    Of an echo the cancellation takes more than 10 dB from its first second on; of a customer's speech it takes less.
    """

    def __init__(self) -> None:
        self._far_db = SILENCE_DB

    @property
    def active(self) -> bool:
        """Whether the kiosk's own speech is in the microphone's sound."""
        return self._far_db > FAR_ACTIVE_DB

    def allows(self, chunk: Chunk) -> bool:
        """Whether the chunk's sound can be the customer's."""
        self._far_db = max(chunk.far_db, self._far_db - TAIL_DB_S * chunk.seconds)
        return not self.active or chunk.raw_db - chunk.level_db < MARGIN_DB
