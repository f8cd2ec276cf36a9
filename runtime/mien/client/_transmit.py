"""Sends the audio of the turns within the voice's credit, retransmitting what it refuses.

The client waits out a refusal: chunks that were under way behind the refused one are refused too, and the pong of a
ping sent after them marks the last such echo. Then the refused chunk is sent again, followed in order by everything
after it. `end` also waits for a pong, so that it cannot overtake the refusal of a chunk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mien.client.audio import SAMPLE_BYTES, Encode
from mien.core import wire
from mien.errors import ClientError
from mien.units import ms_to_frames

SMALLEST_SLICE_MS: Final = 20  # waits for this much credit instead of sending slivers
SEND_AGAIN: Final = frozenset({"buffer_full", "rate_limited"})
PING_AGAIN_S: Final = 0.5
RETRY_S: Final = 0.2

Put = Callable[..., None]


class SentChunk(NamedTuple):
    """One chunk that was sent. start, end: frames since the turn began."""

    seq: int
    start: int
    end: int
    pcm: bytes


@dataclass(slots=True, eq=False)
class TurnState:
    """What one turn has sent, and what of it was heard. Frames are at the session's rate.

    kept: chunks not yet heard, oldest first, because the voice may refuse them.
    refused: audio that the voice refused; it is sent first once there is credit.
    encode: makes a chunk's payload, called once a chunk because an encoder cannot go back; None: the payload is PCM.
    packets: payloads of chunks not yet heard, by their start.
    barrier: the nonce of a ping; until its pong arrives, refusals are echoes of chunks that were under way. 0: none.
    confirmation: the nonce of a ping sent after the last chunk; its pong confirms that all of them were accepted.
    0: not sent.
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
    started: wire.Started | None = None
    finished: wire.Finished | None = None
    error: ClientError | None = None

    @property
    def begun(self) -> bool:
        """Whether the voice knows this turn and therefore owes a `finished` or an error."""
        return self.next_seq > 0 or self.end_sent or bool(self.refused)

    @property
    def unheard_frames(self) -> int:
        """How much of this turn the voice may hold."""
        return max(0, self.sent_frames - self.heard_frames)

    def check_open(self) -> None:
        """Raises ClientError when this turn accepts no more audio."""
        if self.error is not None:
            raise self.error
        if self.finished is not None or self.closing or self.end_wanted:
            why = "was ended" if self.end_wanted else "was interrupted"
            if self.finished is not None:
                why = f"is finished ({self.finished.reason})"
            raise ClientError(f"turn '{self.name}' {why}; begin another", code="turn_closed", retryable=False)

    def append(self, pcm: bytes, frames: int) -> SentChunk:
        """Record a new chunk as sent."""
        chunk = SentChunk(self.next_seq, self.sent_frames, self.sent_frames + frames, pcm)
        self.next_seq += 1
        self.kept.append(chunk)
        self.sent_frames = chunk.end
        return chunk

    def payload(self, chunk: SentChunk) -> bytes:
        """The payload of this chunk; a retransmission gets the same bytes."""
        if self.encode is None:
            return chunk.pcm
        if chunk.start not in self.packets:
            self.packets[chunk.start] = self.encode(chunk.pcm)
        return self.packets[chunk.start]

    def hear(self, played_ms: float, rate_hz: int) -> None:
        """Record how much was heard, and discard the chunks before that point."""
        self.heard_frames = max(self.heard_frames, ms_to_frames(played_ms, rate_hz))
        while self.kept and self.kept[0].end <= self.heard_frames:
            self.packets.pop(self.kept.popleft().start, None)

    def take_back(self, seq: int) -> bool:
        """Mark chunk `seq` and all after it as not sent, and free their sequence numbers.

        Returns whether chunk `seq` was still kept.
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
        """Discard all audio: nothing of this turn will be sent again."""
        self.kept.clear()
        self.packets.clear()
        self.refused = b""
        self.barrier = self.confirmation = 0


class Credit:
    """The client's side of the back-pressure: the voice's capacity less what it holds unheard. Frames are at rate_hz.

    packet_frames: the exact size of every chunk; 0: any size.

    What was heard is known up to the last progress, so the credit is never too high while the voice keeps to its
    limits. When the voice refuses audio nevertheless, the capacity shrinks (`shrink`) until the voice reports room
    (`learn`).
    """

    def __init__(self, turns: Mapping[str, TurnState], rate_hz: int, packet_frames: int = 0) -> None:
        self._turns = turns
        self._rate_hz = rate_hz
        self._packet_frames = packet_frames
        self._full = self._capacity = 0
        self._smallest = 0
        self._largest_bytes = 0

    def open(self, limits: wire.Limits) -> None:
        """Start a session with these limits."""
        self._full = self._capacity = ms_to_frames(limits.max_buffer_ms, self._rate_hz)
        self._smallest = ms_to_frames(min(SMALLEST_SLICE_MS, limits.max_buffer_ms), self._rate_hz)
        self._largest_bytes = limits.max_chunk_bytes - limits.max_chunk_bytes % SAMPLE_BYTES

    def left_frames(self) -> int:
        """How many more frames the voice accepts now. Negative after `shrink`, until more was heard."""
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

    @property
    def packet_bytes(self) -> int:
        """What one packet counts as, in bytes of PCM; 0 where chunks have any size."""
        return self._packet_frames * SAMPLE_BYTES

    def shrink(self) -> None:
        """The voice refused a chunk (already marked as not sent): its capacity is what it holds now."""
        self._capacity = max(min(self._capacity, self._unheard_frames()), self._smallest)

    def learn(self, credit_ms: float) -> None:
        """Apply the credit that the voice reports. Audio under way counts as held, so the result may be too high."""
        told = self._unheard_frames() + ms_to_frames(credit_ms, self._rate_hz)
        self._capacity = min(self._full, max(self._capacity, told))

    def restore(self) -> None:
        """Return to the full capacity once the voice holds none of our audio and no refusal is outstanding."""
        if not self._unheard_frames() and not any(turn.refused for turn in self._turns.values()):
            self._capacity = self._full

    def _unheard_frames(self) -> int:
        return sum(turn.unheard_frames for turn in self._turns.values())


class Transmitter:
    """Sends the audio and the ends of a session's turns. put(message, *payload) queues one message for sending.

    packet_frames: as in Encoding.
    """

    def __init__(self, turns: Mapping[str, TurnState], rate_hz: int, put: Put, packet_frames: int = 0) -> None:
        self.credit = Credit(turns, rate_hz, packet_frames)
        self.answered_ping = 0
        self._turns = turns
        self._put = put
        self._pings = 0
        self._pinged_at_s = 0.0
        self._hold = False
        self._held_since_s: float | None = None

    def open(self, limits: wire.Limits) -> None:
        """Start a session with these limits."""
        self.credit.open(limits)
        self.retry()

    def ping(self) -> int:
        """Send a ping. Returns its nonce; the pong has arrived once `answered_ping` reaches it."""
        self._pings += 1
        self._put(wire.Ping(nonce=self._pings))
        return self._pings

    def pong(self, nonce: int) -> None:
        """Everything sent before this ping was accepted or refused."""
        self.answered_ping = max(self.answered_ping, min(nonce, self._pings))

    def write(self, turn: TurnState, pcm: memoryview) -> int:
        """Send as much as the credit allows. Returns the number of bytes sent."""
        return 0 if turn.refused else self._send(turn, pcm)

    def write_packet(self, turn: TurnState, packet: bytes) -> bool:
        """Send one encoded packet, if the credit allows. Silence of its length stands for it among what was sent."""
        if turn.refused:
            return False
        turn.packets[turn.sent_frames] = packet
        if self._send(turn, memoryview(bytes(self.credit.packet_bytes))):
            return True
        del turn.packets[turn.sent_frames]
        return False

    def has_room(self, turn: TurnState, wanted: int) -> bool:
        """Whether write() would send some of `wanted` bytes now."""
        return not turn.refused and self.credit.slice_bytes(wanted) > 0

    def end(self, turn: TurnState) -> None:
        """Send `end` once the voice has accepted everything written so far."""
        turn.end_wanted = True
        self._end_when_accepted(turn)

    def refused(self, turn: TurnState, error: wire.Error) -> bool:
        """Handle the refusal of a chunk. Returns False when the turn cannot recover from it."""
        if turn.barrier > self.answered_ping or error.code == "repeated":
            return True
        if error.code not in SEND_AGAIN or not turn.take_back(error.seq):
            return False
        if error.code == "buffer_full":
            self.credit.shrink()
        self._hold, self._held_since_s = True, None
        turn.barrier = turn.confirmation = self.ping()
        return True

    def retry(self) -> None:
        """Let refused audio be sent again: the voice may have room now."""
        self._hold, self._held_since_s = False, None
        self.credit.restore()

    def step(self) -> None:
        """Retransmit refused audio as the credit allows, then send the ends that are due."""
        for turn in list(self._turns.values()):
            if turn.barrier > self.answered_ping:
                continue
            if turn.refused and not self._hold:
                again = turn.refused
                turn.refused = again[self._send(turn, memoryview(again)) :]
            self._end_when_accepted(turn)

    def progress(self, credit_ms: float) -> None:
        """Apply the credit of a progress report."""
        self.retry()
        if not any(turn.barrier > self.answered_ping for turn in self._turns.values()):
            self.credit.learn(credit_ms)

    def tick(self, now_s: float) -> None:
        """Retry when the voice sends nothing; a ping may have been refused like any other message."""
        if self._hold and self._held_since_s is None:
            self._held_since_s = now_s
        elif self._held_since_s is not None and now_s - self._held_since_s >= RETRY_S:
            self.retry()
        awaited = max((turn.confirmation for turn in self._turns.values()), default=0)
        if awaited > self.answered_ping and now_s - self._pinged_at_s >= PING_AGAIN_S:
            self._pinged_at_s = now_s
            self.ping()

    def _send(self, turn: TurnState, pcm: memoryview) -> int:
        sent = 0
        while (size := self.credit.slice_bytes(len(pcm) - sent)) > 0:
            chunk = turn.append(bytes(pcm[sent : sent + size]), size // SAMPLE_BYTES)
            turn.confirmation = 0
            self._put(wire.Audio(turn=turn.name, seq=chunk.seq), turn.payload(chunk))
            sent += size
        return sent

    def _end_when_accepted(self, turn: TurnState) -> None:
        if not turn.end_wanted or turn.end_sent or turn.refused or turn.closing or turn.error:
            return
        if turn.next_seq and not turn.confirmation:
            turn.confirmation = self.ping()
        if turn.confirmation <= self.answered_ping:
            turn.end_sent = True
            self._put(wire.End(turn=turn.name))
