"""How much more audio the voice takes from this client: all that it may hold, less what it holds unheard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mien.client.ledger import TurnLedger
from mien.client.pcm import SAMPLE_BYTES
from mien.core.wire import Limits
from mien.units import ms_to_frames

SMALLEST_SLICE_MS: Final = 20  # waits for this much rather than send slivers


class Credit:
    """The client's side of the back-pressure, over the turns that the voice may hold. Frames are at rate_hz.

    packet_frames: what each chunk must hold; 0: any number.

    What was heard is known up to the last progress, so that the credit is never too high while the voice keeps to its
    limits. A voice that refuses all the same is believed (`shrink`), until it says that it has room (`learn`).
    """

    def __init__(self, turns: Mapping[str, TurnLedger], rate_hz: int, packet_frames: int = 0) -> None:
        self._turns = turns
        self._rate_hz = rate_hz
        self._packet_frames = packet_frames
        self._full = self._capacity = 0
        self._smallest = 0
        self._largest_bytes = 0

    def open(self, limits: Limits) -> None:
        """A new session with these limits."""
        self._full = self._capacity = ms_to_frames(limits.max_buffer_ms, self._rate_hz)
        self._smallest = ms_to_frames(min(SMALLEST_SLICE_MS, limits.max_buffer_ms), self._rate_hz)
        self._largest_bytes = limits.max_chunk_bytes - limits.max_chunk_bytes % SAMPLE_BYTES

    def left_frames(self) -> int:
        """How many frames more the voice takes now. Below zero after `shrink`, until more was heard."""
        return self._capacity - self._unheard_frames()

    def slice_bytes(self, wanted: int) -> int:
        """How many of `wanted` bytes of PCM the next chunk may carry; 0: wait."""
        left = self.left_frames()
        if self._packet_frames:
            packet = self._packet_frames * SAMPLE_BYTES
            return packet if wanted >= packet and left >= self._packet_frames else 0
        if left < min(wanted // SAMPLE_BYTES, self._smallest):
            return 0
        return min(wanted, left * SAMPLE_BYTES, self._largest_bytes)

    def shrink(self) -> None:
        """The voice refused a chunk, which is no longer entered as sent: it holds no more than what is."""
        self._capacity = max(min(self._capacity, self._unheard_frames()), self._smallest)

    def learn(self, credit_ms: float) -> None:
        """The voice says how much it takes. What is under way to it counts as taken, so that this may be too much."""
        told = self._unheard_frames() + ms_to_frames(credit_ms, self._rate_hz)
        self._capacity = min(self._full, max(self._capacity, told))

    def restore(self) -> None:
        """Where the voice holds nothing of ours and has refused nothing, there is no reason to believe in less room."""
        if not self._unheard_frames() and not any(turn.refused for turn in self._turns.values()):
            self._capacity = self._full

    def _unheard_frames(self) -> int:
        return sum(turn.unheard_frames for turn in self._turns.values())
