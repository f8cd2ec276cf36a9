"""The motion stage: turns bus messages into motion ahead of the playhead.

Only the thread that reads the bus calls take() and work().
"""

from collections import deque
from collections.abc import Callable

import msgspec
import numpy as np

from mien.core import bus
from mien.core.stats import Counters
from mien.errors import BusError, DisplayError, MienError
from mien.face.state import FaceState
from mien.face.turn_phones import TurnPhones
from mien.motion.base import MotionEngine, MotionFrames
from mien.motion.prosody import ProsodyFrames, ProsodyStream

# The voice publishes at most a few seconds ahead, in blocks of at least 20 ms. Eight seconds of the smallest blocks, or
# sixteen seconds in bytes.
MAX_WAITING = 400
MAX_WAITING_BYTES = 16 * 2 * bus.MOTION_RATE_HZ


class MotionStage:
    """Feeds the engine in stream order and places its frames in media time.

    spare: the engine that takes over when the first one fails. report(frame) sends a bus frame to the voice.
    on_change(presence) is called for messages that change what is shown; presence: whether the message implies that
    people are present.
    """

    def __init__(
        self,
        *,
        engine: MotionEngine,
        spare: MotionEngine,
        state: FaceState,
        counters: Counters,
        report: Callable[[bytes], None],
        on_change: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._spare = spare
        self._prosody = ProsodyStream(engine.info.lookahead_ms)
        self._state = state
        self._counters = counters
        self._report = report
        self._on_change = on_change
        self._turn = ""
        self._start_ns = -1
        self._next_offset = 0
        self._ended = True
        self._phones = TurnPhones()
        self._whole = False  # whether the engine has heard the turn from its beginning
        self._waiting: deque[tuple[bus.Speech | bus.TurnEnd, bytes]] = deque()
        self._waiting_bytes = 0

    @property
    def backend(self) -> str:
        """The active engine: "tflite", "envelope", ..."""
        return self._engine.info.backend

    @property
    def buffered_ns(self) -> int:
        """How far final motion reaches beyond the newest anchor."""
        return self._state.buffered_ns

    @property
    def backlog(self) -> int:
        """Messages queued for work()."""
        return len(self._waiting)

    @property
    def hurried(self) -> bool:
        """Whether what happens on the screen must reach the voice at once: there are buttons, or somebody watches."""
        return self._state.has_choices or self._state.poses.on

    def take(self, frames: list[bytes], now_ns: int) -> None:
        """Handle one bus message: speech is queued for work(), everything else takes effect immediately.

        Otherwise a second of speech, published in one burst, would delay the news that the turn has opened.
        Raises BusError for a message of another version and for a malformed payload.
        """
        message = bus.decode_from_voice(frames[0])
        self._state.voice_alive(now_ns)
        match message:
            case bus.Anchor():
                self._anchor(message)
            case bus.Speech() | bus.TurnEnd():
                self._queue(message, frames)
            case bus.Expression():
                self._express(message)
            case bus.GestureCue():
                self._gesture(message)
            case bus.PhoneCue():
                self._guide(message)
            case bus.CaptionCue():
                self._state.cues.take(message)
                self._on_change(True)
            case bus.EarSign():
                self._listen(message)
            case bus.Choices():
                self._state.set_choices(message)
                self._on_change(False)
            case bus.ScreenOrder():
                self._state.screen = message
                self._on_change(False)
            case bus.AttendSign():
                self._state.set_attend(message)
                self._on_change(False)
            case bus.PresenceCue():
                self._on_change(True)
            case bus.VoiceHealth():
                self._state.set_voice(message)
            case bus.PoseOrders():
                self._state.poses.order(message.wanted)
                self._on_change(False)
            case bus.ThumbnailRequest():
                self._state.thumbnails.ask(message.width)
                self._on_change(False)

    def work(self) -> None:
        """Process the oldest queued message; send a thumbnail if one is ready."""
        self._send_thumbnail()
        if not self._waiting:
            return
        message, payload = self._waiting.popleft()
        self._waiting_bytes -= len(payload)
        if message.epoch != self._state.epoch:
            self._counters.count("stale_speech")
        elif isinstance(message, bus.Speech):
            self._speech(message, np.frombuffer(payload, dtype="<i2").astype(np.int16, copy=False))
        else:
            self._turn_end(message)

    def send_poses(self, now_ns: int) -> None:
        """Send the poses that are due to those who watch."""
        batch = self._state.poses.batch(now_ns, max(0, self._state.epoch)) if self._state.poses.on else None
        if batch is not None:
            self._report(bus.encode(batch))

    def _send_thumbnail(self) -> None:
        try:
            thumbnail = self._state.thumbnails.answer(max(0, self._state.epoch))
        except DisplayError:  # the request times out; speech must go on
            self._counters.count("thumbnails_failed")
            return
        if thumbnail is not None:
            self._report(bus.encode(thumbnail))

    def _queue(self, message: bus.Speech | bus.TurnEnd, frames: list[bytes]) -> None:
        payload = frames[1] if len(frames) > 1 else b""
        if len(payload) % 2 or len(payload) > MAX_WAITING_BYTES:
            raise BusError(
                f"speech of {len(payload)} bytes: must be whole 16-bit samples, at most {MAX_WAITING_BYTES} bytes"
            )
        while len(self._waiting) >= MAX_WAITING or self._waiting_bytes + len(payload) > MAX_WAITING_BYTES:
            self._counters.count("speech_dropped")
            # The oldest speech is the least useful; the gap restarts the stream at the right offset.
            self._waiting_bytes -= len(self._waiting.popleft()[1])
        self._waiting.append((message, payload))
        self._waiting_bytes += len(payload)

    def _express(self, expression: bus.Expression) -> None:
        before = self._state.set_expression(expression)
        if expression != before:
            self._on_change(msgspec.structs.replace(before, epoch=expression.epoch) != expression)

    def _listen(self, ear: bus.EarSign) -> None:
        before = self._state.set_ear(ear)
        if msgspec.structs.replace(before, epoch=ear.epoch) != ear:
            self._on_change(ear.speaking)

    def _anchor(self, anchor: bus.Anchor) -> None:
        before, renewed = self._state.take_anchor(anchor)
        if renewed:
            self._phones.renew(anchor.epoch)
            self._engine.reset()
            self._prosody.reset()
            self._start_ns, self._ended = -1, True
        if before is None or (before.epoch, before.phase, before.turn) != (anchor.epoch, anchor.phase, anchor.turn):
            self._on_change(anchor.phase != "idle")

    def _speech(self, speech: bus.Speech, pcm: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> None:
        same_turn = (speech.turn, speech.turn_start_ns) == (self._turn, self._start_ns)
        if speech.turn_start_ns < self._start_ns or (same_turn and speech.offset < self._next_offset):
            return  # a replay for a subscriber that joined late
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
        self._state.begin_turn(speech.turn_start_ns, offset=speech.offset)
        self._whole = not speech.offset
        if self._whole:
            self._engine.guide(self._phones.of(speech.turn, speech.turn_start_ns))

    def _turn_end(self, end: bus.TurnEnd) -> None:
        if self._ended or (end.turn, end.turn_start_ns) != (self._turn, self._start_ns):
            return
        self._ended = True
        self._append(self._engine.flush(), self._prosody.flush())
        self._phones.end(end.turn, end.turn_start_ns)
        self._count_guidance()

    def _guide(self, cue: bus.PhoneCue) -> None:
        """Keep phones for their turn. The turn that is being processed takes them at once."""
        words = self._phones.take(cue)
        same_turn = (cue.turn, cue.turn_start_ns) == (self._turn, self._start_ns)
        if words and self._whole and not self._ended and same_turn:
            self._engine.guide(words)

    def _count_guidance(self) -> None:
        report = self._engine.guided
        if not report.words and not report.unknown:
            return
        self._counters.count("guided_turns")
        for name, amount in (
            ("guided_frames", report.trusted),
            ("unguided_frames", report.frames - report.trusted),
            ("phones_ignored", report.unknown + report.dropped),
            ("phone_times_ignored", report.untimed),
        ):
            if amount:
                self._counters.count(name, amount)

    def _run(self, pcm: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> MotionFrames:
        try:
            return self._engine.push(pcm)
        except MienError:
            raise
        except Exception:  # interpreters raise anything: degrade to the spare engine, which health reports
            self._counters.count("engine_failed")
            self._engine = self._spare
            self._engine.reset()
            return self._engine.push(pcm)

    def _append(self, frames: MotionFrames, prosody: ProsodyFrames) -> None:
        ready_ns = self._state.append(frames, prosody)
        self._report(bus.encode(bus.MotionReady(epoch=self._state.epoch, ready_ns=ready_ns)))

    def _gesture(self, cue: bus.GestureCue) -> None:
        if not self._state.add_gesture(cue.name):
            self._counters.count("gestures_dropped")
        self._on_change(True)
