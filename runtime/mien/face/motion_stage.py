"""The motion stage: bus in, timeline filled ahead of the playhead, readiness reported back.

Pure but for its lock: take() and work() are called by the one thread that reads the bus.
"""

import threading
from collections import deque
from collections.abc import Callable

import msgspec
import numpy as np

from mien.core import bus
from mien.core.media import MediaClock
from mien.core.stats import Counters
from mien.core.timeline import Timeline
from mien.errors import BusError, DisplayError, MienError
from mien.face.overlay.cues import CueBox
from mien.face.thumbnail import Thumbnails
from mien.motion.base import MotionEngine, MotionFrames
from mien.motion.prosody import PROSODY_CHANNELS, PROSODY_HZ, ProsodyFrames, ProsodyStream

KEEP_S = 3  # of motion a turn: what the voice publishes ahead, and what a late reader may still want


class Score:
    """What motion writes and the presenter reads, behind one lock: media clock, timelines, expression, gestures.

    timeline: poses. prosody: how the speech is said, motion/prosody.py's channels. captions: what is said.
    voice: its newest report.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.lock = threading.Lock()
        self.clock = MediaClock()
        self.timeline = timeline
        self.prosody = Timeline(width=len(PROSODY_CHANNELS), frame_hz=PROSODY_HZ, capacity=KEEP_S * PROSODY_HZ)
        self.expression = bus.Expression(epoch=0)
        self.gestures: list[str] = []
        self.thumbnails = Thumbnails()
        self.captions = CueBox()
        self.voice: bus.VoiceHealth | None = None
        self.heard_of_voice_ns = 0

    def take_gestures(self) -> list[str]:
        """The gestures asked for since the last call."""
        with self.lock:
            taken, self.gestures = self.gestures, []
        return taken


# The voice publishes at most a few seconds ahead, in blocks of 20 ms and more: eight seconds of the smallest, and
# sixteen in bytes.
MAX_WAITING = 400
MAX_WAITING_BYTES = 16 * 2 * bus.MOTION_RATE_HZ
MAX_GESTURES = 8  # asked for between two pictures; more are dropped and counted


class MotionStage:
    """Feeds the engine in stream order and puts its frames where they belong in media time.

    spare: the engine to go on with when the first one fails. report(frame) takes bus frames to the voice.
    stirred(somebody) is called when something came that wants showing, not for what comes all the time; somebody:
    whether it is a sign that people are there.
    """

    def __init__(
        self,
        *,
        engine: MotionEngine,
        spare: MotionEngine,
        score: Score,
        counters: Counters,
        report: Callable[[bytes], None],
        stirred: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._spare = spare
        self._prosody = ProsodyStream(engine.info.lookahead_ms)
        self._score = score
        self._counters = counters
        self._report = report
        self._stirred = stirred
        self._turn = ""
        self._start_ns = -1
        self._next_offset = 0
        self._ended = True
        self._waiting: deque[tuple[bus.Speech | bus.TurnEnd, bytes]] = deque()
        self._waiting_bytes = 0

    @property
    def backend(self) -> str:
        """The engine at work: "tflite", "envelope", ..."""
        return self._engine.info.backend

    @property
    def lead_ns(self) -> int:
        """How far final motion is ahead of what is heard now, by the newest anchor."""
        anchor = self._score.clock.anchor
        return 0 if anchor is None else self._score.timeline.end_ns - anchor.media_ns

    @property
    def backlog(self) -> int:
        """Messages with speech that wait for work()."""
        return len(self._waiting)

    def take(self, frames: list[bytes], now_ns: int) -> None:
        """Take one bus message: clock and expression act at once, speech waits for work().

        Otherwise a second of speech, published at once, would keep the face from hearing that the turn has opened.
        Raises BusError for a message of another version, or speech that is none.
        """
        message = bus.decode_from_voice(frames[0])
        self._score.heard_of_voice_ns = now_ns
        match message:
            case bus.Anchor():
                self._anchor(message)
            case bus.Speech() | bus.TurnEnd():
                self._queue(message, frames)
            case bus.Expression():
                self._express(message)
            case bus.GestureCue():
                self._gesture(message)
            case bus.CaptionCue():
                self._score.captions.take(message)
                self._stirred(True)
            case bus.VoiceHealth():
                self._score.voice = message
            case bus.ThumbnailRequest():
                self._score.thumbnails.ask(message.width)
                self._stirred(False)

    def work(self) -> None:
        """Make the motion of the oldest waiting message, and answer an observer."""
        self._show_observer()
        if not self._waiting:
            return
        message, payload = self._waiting.popleft()
        self._waiting_bytes -= len(payload)
        if message.epoch != self._score.clock.epoch:
            self._counters.count("stale_speech")
        elif isinstance(message, bus.Speech):
            self._speech(message, np.frombuffer(payload, dtype="<i2").astype(np.int16, copy=False))
        else:
            self._turn_end(message)

    def _show_observer(self) -> None:
        try:
            thumbnail = self._score.thumbnails.answer(max(0, self._score.clock.epoch))
        except DisplayError:  # the observer hears that no picture came; the face has other work
            self._counters.count("thumbnails_failed")
            return
        if thumbnail is not None:
            self._report(bus.encode(thumbnail))

    def _queue(self, message: bus.Speech | bus.TurnEnd, frames: list[bytes]) -> None:
        payload = frames[1] if len(frames) > 1 else b""
        if len(payload) % 2 or len(payload) > MAX_WAITING_BYTES:
            raise BusError(f"speech of {len(payload)} bytes: whole samples, and at most {MAX_WAITING_BYTES} bytes")
        while len(self._waiting) >= MAX_WAITING or self._waiting_bytes + len(payload) > MAX_WAITING_BYTES:
            self._counters.count("speech_dropped")
            # The oldest is the least use; the gap restarts the stream at the right place.
            self._waiting_bytes -= len(self._waiting.popleft()[1])
        self._waiting.append((message, payload))
        self._waiting_bytes += len(payload)

    def _express(self, expression: bus.Expression) -> None:
        before, self._score.expression = self._score.expression, expression
        if expression != before:
            self._stirred(msgspec.structs.replace(before, epoch=expression.epoch) != expression)

    def _anchor(self, anchor: bus.Anchor) -> None:
        with self._score.lock:
            before = self._score.clock.anchor
            renewed = self._score.clock.take(anchor)
            if renewed:
                self._score.timeline.clear()
                self._score.prosody.clear()
        if renewed:
            self._engine.reset()
            self._prosody.reset()
            self._start_ns, self._ended = -1, True
        if before is None or (before.epoch, before.phase, before.turn) != (anchor.epoch, anchor.phase, anchor.turn):
            self._stirred(anchor.phase != "idle")

    def _speech(self, speech: bus.Speech, pcm: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
        same_turn = (speech.turn, speech.turn_start_ns) == (self._turn, self._start_ns)
        if speech.turn_start_ns < self._start_ns or (same_turn and speech.offset < self._next_offset):
            return  # a replay for somebody who joined later
        if not same_turn or speech.offset > self._next_offset:
            self._begin(speech)
        self._next_offset = speech.offset + len(pcm)
        self._append(self._run(pcm), self._prosody.push(pcm))

    def _begin(self, speech: bus.Speech) -> None:
        if speech.offset:
            self._counters.count("joined_mid_turn")
        self._engine.reset()
        self._prosody.reset()
        self._turn, self._start_ns, self._ended = speech.turn, speech.turn_start_ns, False
        at_frame = speech.offset * self._engine.info.frame_hz // bus.MOTION_RATE_HZ
        with self._score.lock:
            self._score.timeline.begin(speech.turn_start_ns, at_frame=at_frame)
            self._score.prosody.begin(speech.turn_start_ns, at_frame=speech.offset * PROSODY_HZ // bus.MOTION_RATE_HZ)

    def _turn_end(self, end: bus.TurnEnd) -> None:
        if self._ended or (end.turn, end.turn_start_ns) != (self._turn, self._start_ns):
            return
        self._ended = True
        self._append(self._engine.flush(), self._prosody.flush())

    def _run(self, pcm: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> MotionFrames:
        try:
            return self._engine.push(pcm)
        except MienError:
            raise
        except Exception:  # whatever an interpreter throws: the face goes on without the model, visibly so
            self._counters.count("engine_failed")
            self._engine = self._spare
            self._engine.reset()
            return self._engine.push(pcm)

    def _append(self, frames: MotionFrames, prosody: ProsodyFrames) -> None:
        with self._score.lock:
            if len(prosody):
                self._score.prosody.append(prosody)
            if len(frames):
                self._score.timeline.append(frames)
            ready_ns = self._score.timeline.end_ns
        epoch = self._score.clock.epoch
        self._report(bus.encode(bus.MotionReady(epoch=epoch, ready_ns=ready_ns)))

    def _gesture(self, cue: bus.GestureCue) -> None:
        with self._score.lock:
            if len(self._score.gestures) < MAX_GESTURES:
                self._score.gestures.append(cue.name)
            else:
                self._counters.count("gestures_dropped")
        self._stirred(True)
