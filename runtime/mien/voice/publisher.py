"""What the voice publishes to the face: anchors, speech.

Speech goes out at most a second ahead of the playhead and is kept briefly for a face that rejoins.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from mien.core.bus import MOTION_RATE_HZ, Anchor, BusMessage, Speech, TurnEnd, encode
from mien.core.clock import Clock
from mien.units import NS_PER_MS, NS_PER_S, frames_to_ns
from mien.voice.playback import Playback
from mien.voice.turn import Turn
from mien.voice.turn_queue import TurnQueue

BLOCK_FRAMES = 320  # 20 ms at MOTION_RATE_HZ; a rejoining face starts on a multiple of it
MESSAGES_A_STEP = 10  # 200 ms of speech: a burst reaches the face in a few short steps
KEEP_BEHIND_NS = NS_PER_S // 2  # what the model of a rejoining face needs as context

ANCHOR_NS = 20 * NS_PER_MS
IDLE_ANCHOR_NS = 250 * NS_PER_MS

Frames = list[bytes]


class AnchorPublisher:
    """Publishes an anchor when epoch, phase or turn changes, every 20 ms during speech and every 250 ms otherwise.

    due_ns: when the next one is due if nothing changes. last_turn: the newest turn that an anchor named.
    """

    def __init__(self, playback: Playback, clock: Clock, publish: Callable[[BusMessage], None]) -> None:
        self._playback = playback
        self._clock = clock
        self._publish = publish
        self._published: tuple[int, str, str] | None = None
        self.due_ns = 0
        self.last_turn = ""

    def step(self) -> None:
        """Publish if an anchor is due or something changed."""
        anchor = self._playback.anchor()
        if _identity(anchor) != self._published or self._clock.now_ns() >= self.due_ns:
            self._send(anchor)

    def publish(self) -> None:
        """Publish now."""
        self._send(self._playback.anchor())

    def _send(self, anchor: Anchor) -> None:
        self._publish(anchor)
        self._published = _identity(anchor)
        self.last_turn = anchor.turn or self.last_turn
        self.due_ns = self._clock.now_ns() + (ANCHOR_NS if anchor.phase == "speaking" else IDLE_ANCHOR_NS)


def _identity(anchor: Anchor) -> tuple[int, str, str]:
    return anchor.epoch, anchor.phase, anchor.turn


class SpeechPublisher:
    """Turns the queue's speech into bus messages.

    Bounded: it keeps what lies between half a second behind the playhead and speech_ahead_ms ahead of it.
    """

    def __init__(self, queue: TurnQueue, speech_ahead_ms: int) -> None:
        self._queue = queue
        self._ahead_ns = speech_ahead_ms * NS_PER_MS
        self._kept: deque[tuple[int, Turn, Frames]] = deque()
        self._epoch = -1
        self._block = np.zeros(BLOCK_FRAMES, dtype=np.int16)

    def step(self, epoch: int, media_ns: int) -> list[Frames]:
        """The messages that are due when media_ns is heard, in order."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._kept.clear()
        while self._kept and self._kept[0][0] < media_ns - KEEP_BEHIND_NS:
            self._kept.popleft()
        return list(islice(self._coming(media_ns + self._ahead_ns), MESSAGES_A_STEP))

    def replay(self) -> list[Frames]:
        """What a face that joins now needs to be in sync."""
        return [frames for _, turn, frames in self._kept if not turn.interrupted]

    def _coming(self, limit_ns: int) -> Iterator[Frames]:
        """What lies before limit_ns, generated lazily."""
        for turn in self._queue.playable:
            if turn.interrupted or turn.feed.complete:
                continue
            if turn.playout.start_frame is None:
                return
            yield from self._of(turn, frames_to_ns(turn.playout.start_frame, turn.sink_rate_hz), limit_ns)
            if not turn.feed.complete:
                return

    def _of(self, turn: Turn, start_ns: int, limit_ns: int) -> Iterator[Frames]:
        while len(turn.speech) >= BLOCK_FRAMES or (turn.ended and len(turn.speech)):
            at_ns = start_ns + frames_to_ns(turn.feed.published_frames, MOTION_RATE_HZ)
            if at_ns > limit_ns:
                return
            yield self._keep(at_ns, turn, self._speech(turn, start_ns))
        if turn.ended:
            turn.feed.complete = True
            end_ns = start_ns + frames_to_ns(turn.sink_frames, turn.sink_rate_hz)
            message = TurnEnd(
                epoch=self._epoch,
                turn=turn.name,
                turn_start_ns=start_ns,
                frames=turn.feed.published_frames,
                end_ns=end_ns,
            )
            yield self._keep(end_ns, turn, [encode(message)])

    def _speech(self, turn: Turn, start_ns: int) -> Frames:
        message = Speech(epoch=self._epoch, turn=turn.name, turn_start_ns=start_ns, offset=turn.feed.published_frames)
        count = self._take(turn)
        return [encode(message), self._block[:count].tobytes()]

    def _take(self, turn: Turn) -> int:
        """Move speech into the block. Until the turn opens it is kept, because the turn may still be held."""
        count = turn.speech.take_into(self._block)
        turn.feed.published_frames += count
        if turn.playout.taken_frames:
            turn.feed.unheard.clear()
        else:
            turn.feed.unheard.push(self._block[:count].copy())
        return count

    def _keep(self, end_ns: int, turn: Turn, frames: Frames) -> Frames:
        self._kept.append((end_ns, turn, frames))
        return frames
