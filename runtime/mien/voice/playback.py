"""Playback: takes speech from the desk to the device, and tells what was heard. The master clock of mien.

Stepped by hand: step() reads the device, reports what was heard since, and tops the device up. It never blocks. Time is
media time inside an epoch (see mien.core.bus); filler between turns is played and is not media time.
"""

from collections.abc import Callable

import numpy as np

from mien.audio.base import Sink
from mien.config import PlaybackConfig
from mien.core import wire
from mien.core.bus import Anchor, Phase
from mien.core.clock import Clock
from mien.core.media import extrapolate
from mien.core.stats import Counters
from mien.core.wire import FinishReason
from mien.units import NS_PER_MS, frames_to_ns, ms_to_frames, ns_to_ms
from mien.voice.desk import Desk
from mien.voice.device_clock import DeviceClock
from mien.voice.gate import FaceGate
from mien.voice.ledger import Ledger, Segment
from mien.voice.meter import Meter
from mien.voice.mixer import Mixer
from mien.voice.pauses import Pauses
from mien.voice.pcm import Pcm
from mien.voice.turn import Turn

Send = Callable[[bytes, wire.Message], None]


class Playback:
    """Owns the sink, the epoch and the media clock.

    sink may be swapped (a lost card) with use_sink(). send(owner, message) takes the events to the clients.
    """

    def __init__(self, *, config: PlaybackConfig, progress_ms: int, desk: Desk, gate: FaceGate, sink: Sink,
                 clock: Clock, counters: Counters, send: Send, pauses: Pauses) -> None:
        self._config = config
        self._progress_ns = progress_ms * NS_PER_MS
        self._desk = desk
        self._gate = gate
        self._clock = clock
        self._send = send
        self._counters = counters
        self._rate_hz = config.rate_hz
        self._latency_frames = ms_to_frames(config.output_latency_ms, self._rate_hz)
        self._ledger = Ledger()
        self._device = DeviceClock(self._rate_hz)
        self._mixer = Mixer(ms_to_frames(config.fade_ms, self._rate_hz), self._rate_hz)
        # Epochs of a voice that restarts must be newer than those it gave out before, so they start from the clock.
        self.epoch = clock.now_ns() // NS_PER_MS
        self.pauses = pauses
        self.meter = Meter()
        self._media_written = 0
        self._media_spoiled = 0
        self._position = 0
        self._open: Turn | None = None
        self._head: Turn | None = None
        self._head_since_ns = 0
        self._progress_due_ns = 0
        self._base = 0
        self._audible = True
        self.use_sink(sink, audible=True)

    def use_sink(self, sink: Sink, *, audible: bool) -> None:
        """Go on with another device. What the old one still held was not heard."""
        self._sink = sink
        self._audible = audible
        self._target = min(sink.format.buffer_frames, ms_to_frames(self._config.buffer_ms, self._rate_hz))
        self._block = np.zeros(sink.format.buffer_frames, dtype=np.int16)
        self._leftover: Pcm = self._block[:0]
        self._base = self._ledger.written
        self._underruns = sink.underruns
        self._device.restart()
        for segment in self._ledger.segments:
            segment.audible = False

    @property
    def audible(self) -> bool:
        """Whether a real device plays."""
        return self._audible

    @property
    def paused(self) -> bool:
        """Whether the playhead is held; `pauses` says by whom."""
        return bool(self.pauses)

    @property
    def idle(self) -> bool:
        """Whether no turn is unfinished."""
        return not self._desk.queue

    @property
    def heard_turn(self) -> Turn | None:
        """The turn that is heard now, or is about to be."""
        return next((s.turn for s in self._ledger.segments if s.turn is not None), self._open)

    def set_volume(self, gain: float, fade_ms: int) -> None:
        """Reach a gain of 0..1 over fade_ms."""
        self._mixer.set_volume(gain, ms_to_frames(fade_ms, self._rate_hz))

    def step(self) -> None:
        """Report what was heard and top the device up. Raises SinkError when the device is lost."""
        now_ns = self._clock.now_ns()
        delay = self._flush_leftover() + self._sink.delay_frames()
        self._observe(now_ns, delay)
        self._report_heard()
        self._desk.expire(now_ns)
        self._schedule()
        self._fill(self._target - delay, now_ns)
        self._finish_turns()
        if now_ns >= self._progress_due_ns:
            self._report_progress()
            self._progress_due_ns = now_ns + self._progress_ns

    def interrupt(self, turns: list[Turn], reason: FinishReason = "interrupted") -> None:
        """Drop these turns; the one that is heard fades out. A new epoch begins if media time was theirs."""
        renewed = any(turn is self._open for turn in turns)
        if renewed:
            self.begin_epoch()
        for turn in turns:
            if not renewed and turn.published_frames and turn.start_frame is not None:
                self._media_spoiled = max(self._media_spoiled, turn.start_frame + turn.sink_frames)
            turn.cut(self._fade_of(turn), reason)

    def hold(self, turns: list[Turn]) -> None:
        """Let these turns, of which nothing was played, wait until the desk gives them back."""
        if not turns:
            return
        self.begin_epoch()
        for turn in turns:
            turn.hold()
            if turn is self._open:
                self._open = None

    def begin_epoch(self) -> None:
        """Media time starts again at 0, and whatever the face holds of the old epoch is void."""
        self.epoch += 1
        self._media_written = self._media_spoiled = 0

    def _fade_of(self, turn: Turn) -> Pcm:
        """The last few ms of a turn that is being written to the device; nothing of one that waits or holds."""
        audible = bool(self._ledger.segments) and self._ledger.segments[-1].turn is turn
        fade = np.zeros(self._mixer.fade_frames if audible else 0, dtype=np.int16)
        fade = fade[: turn.pcm.take_into(fade)]
        self._mixer.fade_out(fade)
        return fade

    def anchor(self) -> Anchor:
        """Where media time stands now, for the bus."""
        now_ns = self._clock.now_ns()
        for segment in self._ledger.segments:
            if segment.turn is None or segment.epoch != self.epoch:
                continue
            ahead = max(0, self._position - segment.start)
            at_ns = self._device.time_of_ns(segment.start + ahead)
            return self._make_anchor(segment.media_start + ahead, at_ns, self._until(segment), "speaking", segment.turn)
        return self._make_anchor(self._media_written, now_ns, self._media_written, self._still_phase(), self._open)

    @property
    def media_ns(self) -> int:
        """Media time that is heard now, by the last step's reading."""
        return extrapolate(self.anchor(), self._clock.now_ns())

    def _make_anchor(self, media: int, at_ns: int, until: int, phase: Phase, turn: Turn | None) -> Anchor:
        return Anchor(epoch=self.epoch, media_ns=frames_to_ns(media, self._rate_hz), at_ns=at_ns,
                      until_ns=frames_to_ns(until, self._rate_hz), phase=phase, turn=turn.name if turn else "")

    def _until(self, segment: Segment) -> int:
        """Media frames without a gap from this segment on: what is written, and what waits if nothing lies between."""
        for later in self._ledger.segments:
            distance = later.start - segment.start
            follows = later.epoch == segment.epoch and later.media_start == segment.media_start + distance
            if distance > 0 and (later.turn is None or not follows):
                return segment.media_start + distance
        waiting = self._open is not None and not self.paused and not self._open.interrupted
        return self._media_written + (len(self._open.pcm) if waiting and self._open else 0)

    def _still_phase(self) -> Phase:
        if self.paused:
            return "paused"
        if self._open is not None and not self._open.drained:
            return "stalled"
        return "preroll" if any(len(turn.pcm) and not turn.interrupted for turn in self._desk.queue) else "idle"

    def _observe(self, now_ns: int, delay: int) -> None:
        if self._sink.underruns != self._underruns:
            self._counters.count("sink_underruns", self._sink.underruns - self._underruns)
            self._underruns = self._sink.underruns
            self._device.restart()
        self._device.observe(now_ns, self._ledger.written - delay - self._latency_frames)
        heard = self._device.frame_at(now_ns)
        self._position = max(self._position, min(heard, self._ledger.written))

    def _report_heard(self) -> None:
        for segment, frames in self._ledger.heard(self._position):
            turn = segment.turn
            if turn is None or not segment.audible:
                continue
            turn.heard_frames = max(turn.heard_frames, segment.turn_start + frames)
            if not turn.started:
                turn.started = True
                latency_ms = ns_to_ms(self._device.time_of_ns(segment.start) - turn.first_audio_ns)
                self._send(turn.owner, wire.Started(turn=turn.name, latency_ms=round(latency_ms, 3)))

    def _schedule(self) -> None:
        """Give media places to the turns whose predecessors' lengths are known.

        A place that the face was told of belongs to that turn, also when the turn was dropped: the face would take
        other speech at the same place for a replay.
        """
        cursor = self._media_written
        if self._open is not None and not self._open.interrupted:
            if not self._open.ended:
                return
            cursor += len(self._open.pcm)
        for turn in self._desk.queue:
            if turn.interrupted or turn is self._open or turn.taken_frames:
                continue
            if not turn.published_frames or turn.start_frame is None:
                turn.start_frame = max(cursor, self._media_spoiled)
            cursor = turn.start_frame
            if not turn.ended:
                return
            cursor += turn.sink_frames

    def _fill(self, room: int, now_ns: int) -> None:
        while room > 0:
            turn = self._next_turn(now_ns)
            taken = 0
            if turn is not None and (turn.interrupted or not self.paused):  # a fade-out is heard in a pause, too
                taken = self._write_speech(turn, min(room, len(self._block)))
            if not taken:
                taken = self._write_filler(min(room, len(self._block)))
            if not taken:
                return
            room -= taken

    def _next_turn(self, now_ns: int) -> Turn | None:
        """The turn to take speech from now, opened if its time has come."""
        if self._open is not None and not self._open.drained:
            return self._open
        head = next((turn for turn in self._desk.queue if not turn.drained), None)
        if head is not self._head:
            self._head, self._head_since_ns = head, now_ns
        if head is None or not self._gate.may_open(head, self.epoch, self._head_since_ns, now_ns):
            return None
        self._open = head
        return head

    def _write_speech(self, turn: Turn, room: int) -> int:
        block = self._block[:room]
        block = block[: turn.pcm.take_into(block)]
        if not len(block):
            self._note_stall(turn)
            return 0
        joins = turn.taken_frames > 0 and bool(self._ledger.segments) and self._ledger.segments[-1].turn is not turn
        self._mixer.speech(block, joins=joins)
        self.meter.add(block)
        turn.stalled = False
        if not turn.taken_frames and not turn.interrupted:
            self._media_written = max(self._media_written, turn.start_frame or 0)
        self._write_all(block)
        epoch = self.epoch - 1 if turn.interrupted else self.epoch
        self._ledger.add(len(block), epoch=epoch, media_start=self._media_written, turn=turn,
                         turn_start=turn.taken_frames, audible=self._audible)
        turn.taken_frames += len(block)
        if not turn.interrupted:
            self._media_written += len(block)
        return len(block)

    def _write_filler(self, room: int) -> int:
        block = self._block[:room]
        self._mixer.filler(block)
        self._write_all(block)
        self._ledger.add(len(block), epoch=self.epoch, media_start=self._media_written, turn=None)
        return len(block)

    def _write_all(self, block: Pcm) -> None:
        taken = self._sink.write(block)
        if taken < len(block):  # a device whose free room moves in periods: what it left goes first at the next step
            self._leftover = block[taken:].copy()

    def _flush_leftover(self) -> int:
        if len(self._leftover):
            self._leftover = self._leftover[self._sink.write(self._leftover) :]
        return len(self._leftover)

    def _note_stall(self, turn: Turn) -> None:
        if not turn.stalled and not turn.ended and turn.taken_frames:
            turn.stalled = True
            self._counters.count("turns_stalled")
            self._send(turn.owner, wire.Stalled(turn=turn.name, played_ms=round(turn.played_ms, 3)))

    def _finish_turns(self) -> None:
        for turn in self._desk.queue:
            if not turn.drained or any(segment.turn is turn for segment in self._ledger.segments):
                continue
            in_order = turn.interrupted or turn is self._desk.queue[0]
            if in_order:
                self._finish(turn)

    def _finish(self, turn: Turn) -> None:
        reason = turn.end_reason
        if reason == "played" and turn.heard_frames < turn.sink_frames:
            reason = "sink_lost"
        self._desk.finish(turn)
        if turn is self._open:
            self._open = None
        self._counters.count(f"turns_{reason}")
        count, word = turn.words_heard()
        self._send(turn.owner, wire.Finished(
            turn=turn.name, played_ms=round(turn.played_ms, 3), interrupted=turn.interrupted, reason=reason,
            words_heard=count, last_word=word))

    def _report_progress(self) -> None:
        for turn in self._desk.turns:
            self._send(turn.owner, wire.Progress(
                turn=turn.name, played_ms=round(turn.played_ms, 3), buffered_ms=round(turn.buffered_ms, 3),
                credit_ms=round(self._desk.credit_ms(turn.owner), 3)))
