"""Gets the audio of the turns to the voice, and their ends after it, also where the voice refuses some on the way.

A refusal is answered by waiting. A ping tells when the echoes of it are over: chunks that were under way behind the
refused one are refused too. Then the refused chunk goes again, and all behind it in order. The end of a turn waits for
a pong as well, so that it cannot overtake the refusal of a chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mien.client.credit import Credit
from mien.client.ledger import TurnLedger
from mien.client.pcm import SAMPLE_BYTES
from mien.core import wire

Put = Callable[..., None]
SEND_AGAIN: Final = frozenset({"buffer_full", "rate_limited"})
PING_AGAIN_S: Final = 0.5
RETRY_S: Final = 0.2


class Delivery:
    """Works on the session's turns. put(message, *payload) sends. packet_frames: as in Encoding."""

    def __init__(self, turns: Mapping[str, TurnLedger], rate_hz: int, put: Put, packet_frames: int = 0) -> None:
        self.credit = Credit(turns, rate_hz, packet_frames)
        self.answered_ping = 0
        self._turns = turns
        self._put = put
        self._pings = 0
        self._pinged_at_s = 0.0
        self._hold = False
        self._held_since_s: float | None = None

    def open(self, limits: wire.Limits) -> None:
        """A new session."""
        self.credit.open(limits)
        self.news()

    def ping(self) -> int:
        """Ask for a pong; once `answered_ping` has reached the nonce that is returned, it came."""
        self._pings += 1
        self._put(wire.Ping(nonce=self._pings))
        return self._pings

    def pong(self, nonce: int) -> None:
        """All that was sent before this ping was taken or refused."""
        self.answered_ping = max(self.answered_ping, min(nonce, self._pings))

    def write(self, turn: TurnLedger, pcm: memoryview) -> int:
        """Send as much as there is credit for. Returns the bytes taken."""
        return 0 if turn.refused else self._send(turn, pcm)

    def has_room(self, turn: TurnLedger, wanted: int) -> bool:
        """Whether write() would take some of `wanted` bytes now."""
        return not turn.refused and self.credit.slice_bytes(wanted) > 0

    def end(self, turn: TurnLedger) -> None:
        """No more will be written."""
        turn.end_wanted = True
        self._end_when_taken(turn)

    def refused(self, turn: TurnLedger, error: wire.Error) -> bool:
        """The voice refused a chunk. Returns whether that is being seen to, or was an echo; else the turn is lost."""
        if turn.barrier > self.answered_ping or error.code == "repeated":
            return True
        if error.code not in SEND_AGAIN or not turn.take_back(error.seq):
            return False
        if error.code == "buffer_full":
            self.credit.shrink()
        self._hold, self._held_since_s = True, None
        turn.barrier = turn.confirmation = self.ping()
        return True

    def news(self) -> None:
        """The voice has heard or dropped something, so that there may be room."""
        self._hold, self._held_since_s = False, None
        self.credit.restore()

    def step(self) -> None:
        """Send again what was refused, as credit allows; then the ends."""
        for turn in list(self._turns.values()):
            if turn.barrier > self.answered_ping:
                continue
            if turn.refused and not self._hold:
                again = turn.refused
                turn.refused = again[self._send(turn, memoryview(again)) :]
            self._end_when_taken(turn)

    def progress(self, credit_ms: float) -> None:
        """The voice tells its own count of the credit."""
        self.news()
        if not any(turn.barrier > self.answered_ping for turn in self._turns.values()):
            self.credit.learn(credit_ms)

    def tick(self, now_s: float) -> None:
        """Try again where the voice gives no sign; a ping may have been refused like anything else."""
        if self._hold and self._held_since_s is None:
            self._held_since_s = now_s
        elif self._held_since_s is not None and now_s - self._held_since_s >= RETRY_S:
            self.news()
        waited_for = max((turn.confirmation for turn in self._turns.values()), default=0)
        if waited_for > self.answered_ping and now_s - self._pinged_at_s >= PING_AGAIN_S:
            self._pinged_at_s = now_s
            self.ping()

    def _send(self, turn: TurnLedger, pcm: memoryview) -> int:
        taken = 0
        while (size := self.credit.slice_bytes(len(pcm) - taken)) > 0:
            chunk = turn.append(bytes(pcm[taken : taken + size]), size // SAMPLE_BYTES)
            turn.confirmation = 0
            self._put(wire.Audio(turn=turn.name, seq=chunk.seq), turn.payload(chunk))
            taken += size
        return taken

    def _end_when_taken(self, turn: TurnLedger) -> None:
        if not turn.end_wanted or turn.end_sent or turn.refused or turn.closing or turn.error:
            return
        if turn.next_seq and not turn.confirmation:
            turn.confirmation = self.ping()
        if turn.confirmation <= self.answered_ping:
            turn.end_sent = True
            self._put(wire.End(turn=turn.name))
