"""What one turn has sent, what of it was heard, and what must be sent again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from mien.client.encoding import Encode
from mien.core.wire import Finished, Started
from mien.errors import ClientError
from mien.units import ms_to_frames


class SentChunk(NamedTuple):
    """A chunk as it was sent. start, end: frames since the turn began."""

    seq: int
    start: int
    end: int
    pcm: bytes


@dataclass(slots=True, eq=False)
class TurnLedger:
    """The books of one turn. Frames are at the session's rate.

    kept: chunks that were not heard yet, oldest first, since the voice may ask for them again.
    refused: audio that the voice did not take and that goes first once there is credit.
    encode: makes a chunk's payload, each but once, since an encoder only goes forward; None: the PCM is the payload.
    packets: what it made of chunks that were not heard yet, by their start.
    barrier: the nonce of a ping; until its pong, refusals are echoes of what was under way. 0: none.
    confirmation: the nonce of a ping behind the last chunk; its pong says that all of it was taken. 0: not asked.
    """

    name: str
    encode: Encode | None = None
    packets: dict[int, bytes] = field(default_factory=dict)
    next_seq: int = 0
    sent_frames: int = 0
    heard_frames: int = 0
    kept: deque[SentChunk] = field(default_factory=deque)
    refused: bytes = b""
    barrier: int = 0
    confirmation: int = 0
    end_wanted: bool = False
    end_sent: bool = False
    closing: bool = False
    started: Started | None = None
    finished: Finished | None = None
    error: ClientError | None = None

    @property
    def begun(self) -> bool:
        """The voice was told of this turn, so that it owes a finished or an error."""
        return self.next_seq > 0 or self.end_sent or bool(self.refused)

    @property
    def unheard_frames(self) -> int:
        """What the voice may hold of this turn."""
        return max(0, self.sent_frames - self.heard_frames)

    def check_open(self) -> None:
        """Raises ClientError when this turn takes no more audio."""
        if self.error is not None:
            raise self.error
        if self.finished is not None or self.closing or self.end_wanted:
            why = "was ended" if self.end_wanted else "was interrupted"
            if self.finished is not None:
                why = f"is finished ({self.finished.reason})"
            raise ClientError(f"turn '{self.name}' {why}; begin another", code="turn_closed", retryable=False)

    def append(self, pcm: bytes, frames: int) -> SentChunk:
        """Enter a new chunk as sent."""
        chunk = SentChunk(self.next_seq, self.sent_frames, self.sent_frames + frames, pcm)
        self.next_seq += 1
        self.kept.append(chunk)
        self.sent_frames = chunk.end
        return chunk

    def payload(self, chunk: SentChunk) -> bytes:
        """What carries this chunk; the same again where the voice refused it."""
        if self.encode is None:
            return chunk.pcm
        if chunk.start not in self.packets:
            self.packets[chunk.start] = self.encode(chunk.pcm)
        return self.packets[chunk.start]

    def hear(self, played_ms: float, rate_hz: int) -> None:
        """The voice says how much was heard: chunks behind that are forgotten."""
        self.heard_frames = max(self.heard_frames, ms_to_frames(played_ms, rate_hz))
        while self.kept and self.kept[0].end <= self.heard_frames:
            self.packets.pop(self.kept.popleft().start, None)

    def take_back(self, seq: int) -> bool:
        """The voice refused chunk `seq` and all behind it: they count as not sent, and their numbers are free again.

        Returns whether they are still here.
        """
        held = bool(self.kept) and self.kept[0].seq <= seq <= self.kept[-1].seq
        back: deque[bytes] = deque()
        while self.kept and self.kept[-1].seq >= seq:
            chunk = self.kept.pop()
            back.appendleft(chunk.pcm)
            self.next_seq, self.sent_frames = chunk.seq, chunk.start
        self.refused = b"".join(back) + self.refused
        return held

    def forget_audio(self) -> None:
        """Nothing of this turn will be sent again."""
        self.kept.clear()
        self.packets.clear()
        self.refused = b""
        self.barrier = self.confirmation = 0
