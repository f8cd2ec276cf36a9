"""Decides when a turn may open: once motion is ready, never later than the preroll deadline."""

from mien.config import PlaybackConfig
from mien.units import NS_PER_MS, frames_to_ms, frames_to_ns
from mien.voice.turn import Turn

FACE_TIMEOUT_NS = 2_500_000_000  # a face reports once a second; after two missed reports it counts as gone
RESERVE_MS = 20.0  # speech to have queued at opening: one usual chunk against the jitter of the next


class Preroll:
    """Tracks the face's presence and motion lead, and decides when a turn opens."""

    def __init__(self, config: PlaybackConfig) -> None:
        self._config = config
        self._seen_ns: int | None = None
        self._epoch = -1
        self._ready_ns = 0

    def renew(self, epoch: int) -> None:
        """The voice has begun this epoch: motion of another epoch does not count."""
        self._epoch = epoch
        self._ready_ns = 0

    def note_seen(self, now_ns: int) -> None:
        """The face has reported."""
        self._seen_ns = now_ns

    def note_ready(self, epoch: int, ready_ns: int, now_ns: int) -> None:
        """The face has final motion up to ready_ns of media time in this epoch. Other epochs are ignored."""
        self._seen_ns = now_ns
        if epoch == self._epoch:
            self._ready_ns = ready_ns

    def present(self, now_ns: int) -> bool:
        """Whether there is a face to wait for."""
        return self._seen_ns is not None and now_ns - self._seen_ns < FACE_TIMEOUT_NS

    def may_open(self, turn: Turn, head_since_ns: int, now_ns: int) -> bool:
        """Whether this turn, at the head of the queue since head_since_ns, begins to play now."""
        if not turn.sink_frames:
            return turn.ended
        waited_ns = now_ns - head_since_ns
        if waited_ns >= self._config.preroll_ms * NS_PER_MS:
            return True
        if not turn.ended and frames_to_ms(len(turn.pcm), turn.sink_rate_hz) < RESERVE_MS:
            return False
        return not self.present(now_ns) or self._motion_is_ahead(turn)

    def _motion_is_ahead(self, turn: Turn) -> bool:
        if turn.playout.start_frame is None:
            return False
        start_ns = frames_to_ns(turn.playout.start_frame, turn.sink_rate_hz)
        lead_ns = self._config.motion_lead_ms * NS_PER_MS
        if turn.ended:
            lead_ns = min(lead_ns, frames_to_ns(turn.sink_frames, turn.sink_rate_hz))
        return self._ready_ns >= start_ns + lead_ns
