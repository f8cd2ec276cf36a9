"""Audio oracle: accepted speech is heard once, in order, without gaps, no later than claimed.

Pure. Fed with the growing recording and with the voice's claims; memory is bounded by the number of open turns.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bench.coded import PRIME, RATE_HZ, SHORTEST, Pcm, Run, find_runs, samples

Wrong = Callable[[str, str, str], None]

CARRY: Final = 64  # samples of the last block that are searched again with the next
CLAIM_MS: Final = 20.0
NS_PER_S: Final = 1_000_000_000
REMEMBERED: Final = 64  # ended turns whose late sound is still attributed by name


@dataclass(slots=True)
class Track:
    """One turn in the recording. heard: samples so far. claims: (samples, time) reported by the voice."""

    turn: int
    name: str
    sent: int = 0
    heard: int = 0
    blurred: int = 0
    claims: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=400))


class Heard:
    """fade: samples at a join that a fade may have changed. wrong(oracle, about, what): called for every violation."""

    def __init__(self, fade: int, wrong: Wrong) -> None:
        self._fade = fade
        self._wrong = wrong
        self._tracks: dict[int, Track] = {}
        self._over: deque[int] = deque(maxlen=REMEMBERED)
        self._left: set[int] = set()
        self._now: int | None = None
        self.restart(0)

    def restart(self, opened_ns: int) -> None:
        """Start a new recording, whose first sample is heard at opened_ns of CLOCK_MONOTONIC."""
        self.opened_ns = opened_ns
        self.read = 0
        self._carry: Pcm = np.zeros(0, np.int16)
        self._emitted = 0

    def forget(self) -> None:
        """The voice was killed: its buffer and unwritten samples are lost."""
        self._tracks.clear()
        self._now = None

    def begin(self, turn: int, name: str) -> None:
        """Announce a turn."""
        self._tracks[turn] = Track(turn, name)

    def sent(self, turn: int, total: int) -> None:
        """Record how many samples of a turn were sent."""
        if turn in self._tracks:
            self._tracks[turn].sent = total

    def claim(self, turn: int, played_ms: float, received_ns: int) -> None:
        """Record the claim that played_ms of a turn were heard, received at received_ns."""
        track = self._tracks.get(turn)
        claimed = int((played_ms - CLAIM_MS) * RATE_HZ / 1000)
        if track is not None and claimed > track.heard:
            track.claims.append((claimed, received_ns))

    def heard_ms(self, turn: int) -> float | None:
        """How much of a turn the recording holds so far; None for an unknown turn."""
        track = self._tracks.get(turn)
        return None if track is None else track.heard * 1000 / RATE_HZ

    def close(self, turn: int) -> None:
        """Close a turn: any later sound of it is a violation."""
        if self._tracks.pop(turn, None) is not None:
            self._over.append(turn)
            self._left.discard(turn)

    def take(self, block: Pcm) -> None:
        """Process the next samples of the recording, int16 (N,)."""
        joined = np.concatenate((self._carry, block))
        base = self.read - len(self._carry)
        self.read += len(block)
        for run in find_runs(joined):
            touches = run.start + run.length == len(joined)
            end = base + run.start + run.length - (SHORTEST if touches else 0)
            start = max(base + run.start, self._emitted)
            if end > start:
                skipped = start - base - run.start
                self._emit(Run(start, end - start, run.turn, (run.position + skipped) % PRIME), joined, base)
                self._emitted = end
        self._carry = joined[-CARRY:].copy()

    def _emit(self, run: Run, block: Pcm, base: int) -> None:
        track = self._tracks.get(run.turn)
        if track is None:
            late = "after its end" if run.turn in self._over else "that nobody sent"
            around = block[max(0, run.start - base - 24) : run.start - base + min(run.length, 32) + 8].tolist()
            self._wrong("sound", "strange", f"{run.length} samples of turn {run.turn} {late}, at {run.start}: {around}")
            return
        self._note_order(track, run)
        gap = (run.position - track.heard) % PRIME
        if gap > PRIME // 2:
            again = PRIME - gap
            self._wrong(
                "sound",
                "repeated",
                f"{track.name}: {again} samples before {track.heard} are repeated at {run.start} of the recording",
            )
            track.heard = max(track.heard, track.heard - again + run.length)
            return
        if gap and not self._is_fade(track, run, gap, block, base):
            self._wrong(
                "sound",
                "lost",
                f"{track.name}: {gap} samples from {track.heard} on are missing at sample {run.start} of the recording",
            )
        track.blurred += gap
        track.heard += gap + run.length
        if track.heard > track.sent:
            self._wrong("sound", "invented", f"{track.name}: {track.heard} samples were heard of {track.sent} sent")
        self._check_claims(track, run)

    def _note_order(self, track: Track, run: Run) -> None:
        if self._now not in (None, track.turn):
            self._left.add(self._now)
        if track.turn in self._left:
            self._wrong("sound", "order", f"{track.name} continues after another turn, at sample {run.start}")
            self._left.discard(track.turn)
        self._now = track.turn

    def _is_fade(self, track: Track, run: Run, gap: int, block: Pcm, base: int) -> bool:
        """Whether the samples before this run are the missing ones, faded in from silence as at a join."""
        at = run.start - base
        if gap > self._fade or at < gap:
            return False
        faded, whole = block[at - gap : at], samples(track.turn, track.heard, gap)
        return bool(np.all(np.abs(faded - whole * _rise(self._fade)[:gap]) <= 1.5))

    def _check_claims(self, track: Track, run: Run) -> None:
        while track.claims and track.claims[0][0] <= track.heard:
            claimed, received_ns = track.claims.popleft()
            index = run.start + run.length - (track.heard - claimed)
            heard_ns = self.opened_ns + index * NS_PER_S // RATE_HZ
            if heard_ns > received_ns + 1_000_000:  # one millisecond of rounding
                early_ms = (heard_ns - received_ns) / 1e6 + CLAIM_MS
                self._wrong(
                    "played_ms",
                    "early",
                    f"{track.name}: {claimed} samples were claimed as heard {early_ms:.0f} ms too early",
                )


def _rise(length: int) -> NDArray[np.float64]:
    """A raised-cosine fade-in over so many samples."""
    rise: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)
    return rise
