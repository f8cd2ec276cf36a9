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
from mien.voice.gate import FaceGate
from mien.voice.ledger import Segment
from mien.voice.meter import Meter
from mien.voice.mixer import Mixer
from mien.voice.outlet import Outlet
from mien.voice.pauses import Pauses
from mien.voice.pcm import Pcm
from mien.voice.rebuffer import Rebuffer
from mien.voice.turn import Turn

BUSY_NS = 5 * NS_PER_MS  # between steps while there is speech
IDLE_RESERVE = 0.28  # of what is kept in the device, 7 of 25 ms: with less filler left it is topped up
RELEASED_NS = 100 * NS_PER_MS
LAST_DROP = 0.4  # of what is kept in the device: with less of the speech left, a late chunk is not waited for

Send = Callable[[bytes, wire.Message], None]


class Playback:
    """Owns the sink, the epoch and the media clock.

    sink may be swapped (a lost card) with use_sink(). send(owner, message) takes the events to the clients.
    most_cushion_ms: the most that may be waited for after a stall, because no client may have more in hand.
    """

    def __init__(
        self,
        *,
        config: PlaybackConfig,
        progress_ms: int,
        desk: Desk,
        gate: FaceGate,
        sink: Sink,
        clock: Clock,
        counters: Counters,
        send: Send,
        pauses: Pauses,
        most_cushion_ms: int = 10_000,
    ) -> None:
        self._config = config
        self._progress_ns = progress_ms * NS_PER_MS
        self._desk = desk
        self._gate = gate
        self._clock = clock
        self._send = send
        self._counters = counters
        self._rate_hz = config.rate_hz
        self._outlet = Outlet(config, sink, counters)
        self._ledger = self._outlet.ledger
        self._rebuffer = Rebuffer(config.rebuffer_ms, min(config.rebuffer_max_ms, most_cushion_ms), self._rate_hz)
        self._mixer = Mixer(ms_to_frames(config.fade_ms, self._rate_hz), self._rate_hz)
        # Epochs of a voice that restarts must be newer than those it gave out before, so they start from the clock.
        self.epoch = clock.now_ns() // NS_PER_MS
        gate.renew(self.epoch)
        self.pauses = pauses
        self.meter = Meter()
        self._media_written = 0
        self._media_spoiled = 0
        self._open: Turn | None = None
        self._head: Turn | None = None
        self._head_since_ns = 0
        self._progress_due_ns = 0

    def use_sink(self, sink: Sink, *, audible: bool, wake_ms: int = 0) -> None:
        """Go on with another device. What the old one still held was not heard; no turn opens for wake_ms."""
        self._outlet.use(sink, audible=audible, wake_ms=wake_ms)

    def release(self) -> None:
        """The device was let go: nothing is played until use_sink(). Only for an idle voice."""
        self._outlet.release()

    @property
    def released(self) -> bool:
        """Whether the device was let go."""
        return self._outlet.released

    @property
    def audible(self) -> bool:
        """Whether a real device plays."""
        return self._outlet.audible

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
        self._outlet.read(now_ns)
        self._report_heard()
        self._desk.expire(now_ns)
        self._schedule()
        self._fill(now_ns)
        self._finish_turns()
        if now_ns >= self._progress_due_ns:
            self._report_progress()
            self._progress_due_ns = now_ns + self._progress_ns

    def top_up(self) -> None:
        """step() for a voice in which no turn is unfinished: the device needs its filler. Raises SinkError."""
        self._outlet.read(self._clock.now_ns())
        self._ledger.heard(self._outlet.position)
        while (room := self._outlet.room) > 0:
            self._write_filler(room)

    def next_step_ns(self, now_ns: int) -> int:
        """When step() is to be called again, if nothing happens before: the device must not run dry meanwhile."""
        if self._outlet.released:
            return now_ns + RELEASED_NS
        if self._desk.turns and ((self._desk.queue and not self.paused) or self._ledger.holds_speech):
            return now_ns + BUSY_NS
        reserve_ns = frames_to_ns(round(IDLE_RESERVE * self._outlet.target), self._rate_hz)
        return max(now_ns + BUSY_NS, self._outlet.runs_dry_ns - reserve_ns)

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
        self._gate.renew(self.epoch)
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
            ahead = max(0, self._outlet.position - segment.start)
            at_ns = self._outlet.clock.time_of_ns(segment.start + ahead)
            return self._make_anchor(segment.media_start + ahead, at_ns, self._until(segment), "speaking", segment.turn)
        return self._make_anchor(self._media_written, now_ns, self._media_written, self._still_phase(), self._open)

    @property
    def media_ns(self) -> int:
        """Media time that is heard now, by the last step's reading."""
        return extrapolate(self.anchor(), self._clock.now_ns())

    def _make_anchor(self, media: int, at_ns: int, until: int, phase: Phase, turn: Turn | None) -> Anchor:
        return Anchor(
            epoch=self.epoch,
            media_ns=frames_to_ns(media, self._rate_hz),
            at_ns=at_ns,
            until_ns=frames_to_ns(until, self._rate_hz),
            phase=phase,
            turn=turn.name if turn else "",
        )

    def _until(self, segment: Segment) -> int:
        """Media frames without a gap from this segment on: what is written, and what waits if nothing lies between."""
        for later in self._ledger.segments:
            distance = later.start - segment.start
            follows = later.epoch == segment.epoch and later.media_start == segment.media_start + distance
            if distance > 0 and (later.turn is None or not follows):
                return segment.media_start + distance
        turn = self._open
        if turn is None or self.paused or turn.interrupted or (turn.stalled and not turn.ended):
            return self._media_written
        return self._media_written + len(turn.pcm)

    def _still_phase(self) -> Phase:
        if self.paused:
            return "paused"
        if self._open is not None and not self._open.drained:
            return "stalled"
        return "preroll" if any(len(turn.pcm) and not turn.interrupted for turn in self._desk.queue) else "idle"

    def _report_heard(self) -> None:
        for segment, frames in self._ledger.heard(self._outlet.position):
            turn = segment.turn
            if turn is None or not segment.audible:
                continue
            turn.heard_frames = max(turn.heard_frames, segment.turn_start + frames)
            if not turn.started:
                turn.started = True
                latency_ms = ns_to_ms(self._outlet.clock.time_of_ns(segment.start) - turn.first_audio_ns)
                self._send(turn.owner, wire.Started(turn=turn.name, latency_ms=round(latency_ms, 3)))
        for owner, message in self._rebuffer.heard(self._outlet.position):
            self._send(owner, message)

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

    def _fill(self, now_ns: int) -> None:
        while (room := self._outlet.room) > 0:
            turn = self._next_turn(now_ns)
            taken = 0
            if turn is not None and (turn.interrupted or not self.paused):  # a fade-out is heard in a pause, too
                taken = self._write_speech(turn, room, now_ns)
                if not taken and self._may_still_come(turn):
                    return
            if not taken:
                self._write_filler(room)

    def _next_turn(self, now_ns: int) -> Turn | None:
        """The turn to take speech from now, opened if its time has come."""
        if self._open is not None and not self._open.drained:
            return self._open
        head = next((turn for turn in self._desk.queue if not turn.drained), None)
        if head is not self._head:
            self._head, self._head_since_ns = head, now_ns
        if head is None or not self._outlet.awake or not self._gate.may_open(head, self._head_since_ns, now_ns):
            return None
        self._open = head
        self._rebuffer.begin()
        return head

    def _may_still_come(self, turn: Turn) -> bool:
        """Whether a chunk that is late would still follow without a gap: the device has not played the last one yet."""
        return not turn.stalled and not turn.ended and self._outlet.held > LAST_DROP * self._outlet.target

    def _write_speech(self, turn: Turn, room: int, now_ns: int) -> int:
        if turn.stalled and self._rebuffer.waits(turn, now_ns):
            return 0
        block = self._outlet.block[:room]
        block = block[: turn.pcm.take_into(block)]
        if not len(block):
            self._note_stall(turn, now_ns)
            return 0
        if turn.stalled:
            self._rebuffer.goes_on(turn, self._ledger.written, len(block) + len(turn.pcm), now_ns)
        joins = turn.taken_frames > 0 and bool(self._ledger.segments) and self._ledger.segments[-1].turn is not turn
        self._mixer.speech(block, joins=joins)
        self.meter.add(block)
        if not turn.taken_frames and not turn.interrupted:
            self._media_written = max(self._media_written, turn.start_frame or 0)
        self._outlet.write(block)
        epoch = self.epoch - 1 if turn.interrupted else self.epoch
        self._ledger.add(
            len(block),
            epoch=epoch,
            media_start=self._media_written,
            turn=turn,
            turn_start=turn.taken_frames,
            audible=self._outlet.audible,
        )
        turn.taken_frames += len(block)
        turn.last_taken_ns = now_ns
        if not turn.interrupted:
            self._media_written += len(block)
        return len(block)

    def _write_filler(self, room: int) -> None:
        block = self._outlet.block[:room]
        self._mixer.filler(block)
        self._outlet.write(block)
        self._ledger.add(len(block), epoch=self.epoch, media_start=self._media_written, turn=None)

    def _note_stall(self, turn: Turn, now_ns: int) -> None:
        if not turn.stalled and not turn.ended and turn.taken_frames and not self._may_still_come(turn):
            self._rebuffer.ran_dry(turn, self._ledger.written, now_ns)
            self._counters.count("turns_stalled")

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
        self._send(
            turn.owner,
            wire.Finished(
                turn=turn.name,
                played_ms=round(turn.played_ms, 3),
                interrupted=turn.interrupted,
                reason=reason,
                words_heard=count,
                last_word=word,
            ),
        )

    def _report_progress(self) -> None:
        for turn in self._desk.turns:
            self._send(
                turn.owner,
                wire.Progress(
                    turn=turn.name,
                    played_ms=round(turn.played_ms, 3),
                    buffered_ms=round(turn.buffered_ms, 3),
                    credit_ms=round(self._desk.credit_ms(turn.owner), 3),
                ),
            )
