"""The state shared by the threads of mien-face.

The motion thread writes it. The presenter reads one consistent Snapshot a frame; health and the draw loop read single
values. Every method takes the lock itself.
"""

import threading
from typing import Final

import numpy as np

from mien.core import bus
from mien.core.bus import Anchor, CaptionCue
from mien.core.media import MediaClock
from mien.core.pose import new_pose
from mien.core.stats import Counters
from mien.core.timeline import Timeline
from mien.face.pose_stream import PoseStream
from mien.face.readback import Thumbnails
from mien.motion.base import MotionFrames
from mien.motion.prosody import PROSODY_CHANNELS, PROSODY_HZ, ProsodyFrames
from mien.units import NS_PER_MS, NS_PER_S

MOTION_WIDTH: Final = 55
KEEP_S: Final = 3  # of motion per turn: what the voice publishes ahead, plus what a late reader may still sample
MAX_GESTURES: Final = 8  # between two frames; further ones are dropped
MAX_CUES: Final = 16  # turns within the second that the voice publishes ahead
VOICE_TIMEOUT_NS: Final = NS_PER_S  # the voice publishes an anchor at least four times a second
LATE_NS: Final = 400 * NS_PER_MS  # older motion is not shown: a frozen mouth looks worse than a resting one
# During preroll media time waits at the turn's start, so the lips already take the shape of its first sound.
LIVE_PHASES: Final = frozenset({"preroll", "speaking", "stalled", "paused"})


class Snapshot:
    """What one frame shows, as of one FaceState.read(). The presenter reuses one instance for every frame.

    anchor: None without a voice. epoch: -1 without a voice. media_ns: the media time heard when the frame is seen.
    shown_ns: the media time of the pose, earlier than media_ns when motion is late. live: `pose` holds motion,
    float32 (CHANNEL_COUNT,). heard: `prosody` belongs to audible speech, float32 (len(PROSODY_CHANNELS),).
    gestures: names requested since the previous read(). voice: its newest health report. ear: what the voice said of
    the microphone last, choices: the buttons that it wants shown; attend: who attends from elsewhere. All three hold
    only while there is an anchor.
    """

    __slots__ = (
        "anchor",
        "attend",
        "choices",
        "ear",
        "epoch",
        "expression",
        "gestures",
        "heard",
        "live",
        "media_ns",
        "motion_row",
        "pose",
        "prosody",
        "shown_ns",
        "voice",
    )

    def __init__(self) -> None:
        self.anchor: Anchor | None = None
        self.epoch = -1
        self.media_ns = self.shown_ns = 0
        self.live = self.heard = False
        self.pose = new_pose()
        self.motion_row = self.pose[:MOTION_WIDTH]
        self.prosody = np.zeros(len(PROSODY_CHANNELS), dtype=np.float32)
        self.expression = bus.Expression(epoch=0)
        self.gestures: list[str] = []
        self.voice: bus.VoiceHealth | None = None
        self.ear = bus.EarSign(epoch=0)
        self.attend = bus.AttendSign(epoch=0)
        self.choices: bus.Choices | None = None


class FaceState:
    """Media clock, motion and prosody timelines, expression, gestures, captions, the ear, requests for thumbnails,
    and the poses for those who watch."""

    def __init__(self, *, frame_hz: int, capacity: int | None = None, counters: Counters | None = None) -> None:
        """frame_hz: of the motion engine. capacity: motion frames kept per turn; by default KEEP_S seconds."""
        self.cues = CueStore()
        self.poses = PoseStream(counters or Counters())
        self.thumbnails = Thumbnails()
        self._lock = threading.Lock()
        self._clock = MediaClock()
        self._frame_hz = frame_hz
        self._timeline = Timeline(width=MOTION_WIDTH, frame_hz=frame_hz, capacity=capacity or KEEP_S * frame_hz)
        self._prosody = Timeline(width=len(PROSODY_CHANNELS), frame_hz=PROSODY_HZ, capacity=KEEP_S * PROSODY_HZ)
        self._expression = bus.Expression(epoch=0)
        self._gestures: list[str] = []
        self._voice: bus.VoiceHealth | None = None
        self._ear = bus.EarSign(epoch=0)
        self._attend = bus.AttendSign(epoch=0)
        self.screen = bus.ScreenOrder(epoch=0)
        """What an operator wants of the screen; replaced as a whole, and kept while the voice is away."""
        self._choices: bus.Choices | None = None
        self._voice_alive_ns = 0

    @property
    def wants_frame(self) -> bool:
        """Whether somebody elsewhere waits for the next frame."""
        return self.thumbnails.wanted or self.poses.wanted

    @property
    def anchor(self) -> Anchor | None:
        """The newest anchor; None without a voice."""
        with self._lock:
            return self._clock.anchor

    @property
    def epoch(self) -> int:
        """The epoch in force; -1 without a voice."""
        with self._lock:
            return self._clock.epoch

    @property
    def speaking(self) -> bool:
        """Whether a turn is in progress, paused and stalled turns included."""
        anchor = self.anchor
        return anchor is not None and anchor.phase in LIVE_PHASES

    @property
    def customer_speaks(self) -> bool:
        """Whether the customer speaks, by the newest word of a voice that is there."""
        with self._lock:
            return self._clock.anchor is not None and self._ear.speaking

    @property
    def motion_end_ns(self) -> int:
        """Media time up to which motion is final."""
        with self._lock:
            return self._timeline.end_ns

    @property
    def buffered_ns(self) -> int:
        """How far final motion reaches beyond the newest anchor; 0 without a voice."""
        with self._lock:
            anchor = self._clock.anchor
            return 0 if anchor is None else self._timeline.end_ns - anchor.media_ns

    def lead_ns(self, now_ns: int) -> int | None:
        """How far final motion is ahead of the playhead at now_ns; None unless speech is playing."""
        with self._lock:
            anchor = self._clock.anchor
            if anchor is None or anchor.phase != "speaking":
                return None
            return self._timeline.end_ns - self._clock.media_ns(now_ns)

    def voice_alive(self, now_ns: int) -> None:
        """Record that a message of the voice arrived."""
        with self._lock:
            self._voice_alive_ns = now_ns

    def take_anchor(self, anchor: Anchor) -> tuple[Anchor | None, bool]:
        """Take an anchor; a new epoch clears all motion. Returns the anchor before it, and whether the epoch is new."""
        with self._lock:
            before = self._clock.anchor
            renewed = self._clock.take(anchor)
            if renewed:
                self._timeline.clear()
                self._prosody.clear()
        return before, renewed

    def begin_turn(self, start_ns: int, *, offset: int = 0) -> None:
        """Start a turn's motion. start_ns: its media time. offset: samples at MOTION_RATE_HZ that were missed."""
        with self._lock:
            self._timeline.begin(start_ns, at_frame=offset * self._frame_hz // bus.MOTION_RATE_HZ)
            self._prosody.begin(start_ns, at_frame=offset * PROSODY_HZ // bus.MOTION_RATE_HZ)

    def append(self, frames: MotionFrames, prosody: ProsodyFrames | None = None) -> int:
        """Append motion, float32 (N, 55), and prosody, float32 (M, 5). Returns motion_end_ns."""
        with self._lock:
            if prosody is not None and len(prosody):
                self._prosody.append(prosody)
            if len(frames):
                self._timeline.append(frames)
            return self._timeline.end_ns

    def set_expression(self, expression: bus.Expression) -> bus.Expression:
        """Replace the expression. Returns the previous one."""
        with self._lock:
            before, self._expression = self._expression, expression
        return before

    def add_gesture(self, name: str) -> bool:
        """Queue a gesture for the next frame. False when MAX_GESTURES are queued already."""
        with self._lock:
            if len(self._gestures) >= MAX_GESTURES:
                return False
            self._gestures.append(name)
        return True

    def set_ear(self, ear: bus.EarSign) -> bus.EarSign:
        """Replace what is known of the microphone. Returns what was known before."""
        with self._lock:
            before, self._ear = self._ear, ear
        return before

    def set_attend(self, attend: bus.AttendSign) -> None:
        """Replace what is known of who attends from elsewhere."""
        with self._lock:
            self._attend = attend

    @property
    def attended(self) -> bool:
        """Whether a person elsewhere listens or speaks, by the newest word of a voice that is there."""
        with self._lock:
            return self._clock.anchor is not None and (self._attend.listening or self._attend.speaking)

    def set_choices(self, choices: bus.Choices) -> None:
        """Replace the buttons that the voice wants shown."""
        with self._lock:
            self._choices = choices

    @property
    def has_choices(self) -> bool:
        """Whether the voice wants buttons shown: what the customer does must then reach it at once."""
        with self._lock:
            return self._clock.anchor is not None and self._choices is not None and bool(self._choices.items)

    def set_voice(self, health: bus.VoiceHealth) -> None:
        """Keep the voice's newest health report."""
        with self._lock:
            self._voice = health

    def read(self, now_ns: int, visible_ns: int, out: Snapshot) -> None:
        """Fill `out` for a frame that is drawn at now_ns and seen at visible_ns. Takes the queued gestures.

        Forgets the media clock when the voice has been silent for VOICE_TIMEOUT_NS.
        """
        out.gestures.clear()
        with self._lock:
            if now_ns - self._voice_alive_ns > VOICE_TIMEOUT_NS:
                self._clock.forget()
            anchor, end_ns = self._clock.anchor, self._timeline.end_ns
            media_ns = self._clock.media_ns(visible_ns)
            live = anchor is not None and anchor.phase in LIVE_PHASES
            live = live and media_ns - end_ns < LATE_NS
            live = live and self._timeline.sample(media_ns, out.motion_row)
            heard = live and anchor is not None and anchor.phase != "paused"
            heard = heard and self._prosody.sample(media_ns, out.prosody)
            out.anchor, out.epoch = anchor, self._clock.epoch
            out.media_ns, out.shown_ns = media_ns, min(media_ns, end_ns)
            out.live, out.heard = live, heard
            out.expression, out.voice, out.ear = self._expression, self._voice, self._ear
            out.attend = self._attend
            out.choices = self._choices if anchor is not None else None
            out.gestures, self._gestures = self._gestures, out.gestures


class CueStore:
    """The newest caption cue of each turn. One thread writes, another reads: the tuple is replaced as a whole."""

    def __init__(self) -> None:
        self._cues: tuple[CaptionCue, ...] = ()

    def take(self, cue: CaptionCue) -> None:
        """Keep a cue; it replaces an older one of the same turn, and drops those of other epochs."""
        if cue in self._cues:
            return  # a replay for a subscriber that joined late
        others = (kept for kept in self._cues if kept.epoch == cue.epoch and turn_of(kept) != turn_of(cue))
        self._cues = (*others, cue)[-MAX_CUES:]

    def heard(self, anchor: Anchor | None, media_ns: int) -> CaptionCue | None:
        """The cue of the turn that contains media_ns, if any."""
        found: CaptionCue | None = None
        for cue in self._cues:
            if anchor is None or (cue.epoch, cue.turn) != (anchor.epoch, anchor.turn):
                continue
            if cue.turn_start_ns <= media_ns and (found is None or cue.turn_start_ns > found.turn_start_ns):
                found = cue
        return found

    def coming(self, anchor: Anchor | None, media_ns: int) -> CaptionCue | None:
        """The cue of the next turn, if any."""
        epoch = -1 if anchor is None else anchor.epoch
        later = [cue for cue in self._cues if cue.epoch == epoch and cue.turn_start_ns >= media_ns]
        return min(later, key=lambda cue: cue.turn_start_ns, default=None)


def turn_of(cue: CaptionCue) -> tuple[int, str, int]:
    """A key that tells turns apart; names alone do not, because several clients may use the same one."""
    return cue.epoch, cue.turn, cue.turn_start_ns
