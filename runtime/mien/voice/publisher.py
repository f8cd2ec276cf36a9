"""Speech for the face: published at most a second ahead of the playhead, and kept a little for a face that rejoins."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

import numpy as np

from mien.core.bus import MOTION_RATE_HZ, Speech, TurnEnd, encode
from mien.units import NS_PER_MS, NS_PER_S, frames_to_ns
from mien.voice.desk import Desk
from mien.voice.turn import Turn

BLOCK_FRAMES = 320  # 20 ms at MOTION_RATE_HZ; a rejoining face always starts on a multiple of it
MESSAGES_A_STEP = 10  # 200 ms of speech: a burst reaches the face within a few steps, each of them short
KEEP_BEHIND_NS = NS_PER_S // 2  # what a rejoining model needs to warm its context up

Frames = list[bytes]


class SpeechPublisher:
    """Turns the desk's speech into bus messages. Bounded: it keeps what lies between half a second behind the playhead
    and speech_ahead_ms before it."""

    def __init__(self, desk: Desk, speech_ahead_ms: int) -> None:
        self._desk = desk
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
        """What a face that joins now must hear to be in step."""
        return [frames for _, turn, frames in self._kept if not turn.interrupted]

    def _coming(self, limit_ns: int) -> Iterator[Frames]:
        """What lies before limit_ns, made as it is asked for."""
        for turn in self._desk.queue:
            if turn.interrupted or turn.published:
                continue
            if turn.start_frame is None:
                return
            yield from self._of(turn, frames_to_ns(turn.start_frame, turn.sink_rate_hz), limit_ns)
            if not turn.published:
                return

    def _of(self, turn: Turn, start_ns: int, limit_ns: int) -> Iterator[Frames]:
        while len(turn.speech) >= BLOCK_FRAMES or (turn.ended and len(turn.speech)):
            at_ns = start_ns + frames_to_ns(turn.published_frames, MOTION_RATE_HZ)
            if at_ns > limit_ns:
                return
            yield self._keep(at_ns, turn, self._speech(turn, start_ns))
        if turn.ended:
            turn.published = True
            end_ns = start_ns + frames_to_ns(turn.sink_frames, turn.sink_rate_hz)
            message = TurnEnd(
                epoch=self._epoch, turn=turn.name, turn_start_ns=start_ns, frames=turn.published_frames, end_ns=end_ns
            )
            yield self._keep(end_ns, turn, [encode(message)])

    def _speech(self, turn: Turn, start_ns: int) -> Frames:
        message = Speech(epoch=self._epoch, turn=turn.name, turn_start_ns=start_ns, offset=turn.published_frames)
        count = turn.take_speech(self._block)
        return [encode(message), self._block[:count].tobytes()]

    def _keep(self, end_ns: int, turn: Turn, frames: Frames) -> Frames:
        self._kept.append((end_ns, turn, frames))
        return frames
