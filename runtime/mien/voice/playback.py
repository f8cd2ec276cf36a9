"""Playback: the master clock of mien. It writes speech to the sink; it tracks what was heard.

Stepped by hand: step() reads the device, reports what was heard since, and tops the device up. It never blocks. Time is
media time inside an epoch (see mien.core.bus). Filler between turns is played and does not advance media time.
"""

from dataclasses import dataclass

import numpy as np

from mien.audio.base import Pcm, Sink
from mien.config import PlaybackConfig
from mien.core import wire
from mien.core.bus import Anchor, Phase
from mien.core.clock import Clock
from mien.core.media import extrapolate
from mien.core.stats import Counters
from mien.core.wire import FinishReason
from mien.units import NS_PER_MS, frames_to_ms, frames_to_ns, ms_to_frames, ns_to_ms
from mien.voice.device_stream import DeviceStream
from mien.voice.level_meter import LevelMeter
from mien.voice.mixer import Mixer
from mien.voice.pauses import Pauses
from mien.voice.playout_log import Segment
from mien.voice.preroll import Preroll
from mien.voice.rebuffer import Rebuffer
from mien.voice.sessions import Send
from mien.voice.turn import Turn
from mien.voice.turn_queue import TurnQueue

BUSY_NS = 5 * NS_PER_MS  # between steps while there is speech
RELEASED_NS = 100 * NS_PER_MS
LAST_DROP = 0.4  # of the device's target level: with less speech left, playback does not wait for a late chunk


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was heard at some time. played_ms: of the turn, up to then. since_ns: when that speech opened."""

    turn: Turn
    played_ms: float
    since_ns: int


class Playback:
    """Owns the sink, the epoch and the media clock.

    use_sink() swaps the sink when a card is lost. held_back: no speech is written, as in a pause, because another
    device is about to play it. send(owner, message) sends an event to a client. max_cushion_ms: the
    most speech to wait for after a stall, because no client may have more in flight.
    """

    def __init__(
        self,
        *,
        config: PlaybackConfig,
        progress_ms: int,
        queue: TurnQueue,
        preroll: Preroll,
        sink: Sink,
        clock: Clock,
        counters: Counters,
        send: Send,
        pauses: Pauses,
        max_cushion_ms: int,
    ) -> None:
        self._config = config
        self._progress_ns = progress_ms * NS_PER_MS
        self._queue = queue
        self._preroll = preroll
        self._clock = clock
        self._send = send
        self._counters = counters
        self._rate_hz = config.rate_hz
        self._stream = DeviceStream(config, sink, counters)
        self._playout_log = self._stream.playout_log
        self._rebuffer = Rebuffer(config.rebuffer_ms, min(config.rebuffer_max_ms, max_cushion_ms), self._rate_hz)
        self._mixer = Mixer(ms_to_frames(config.fade_ms, self._rate_hz), self._rate_hz)
        self._gain, self._volume = 1.0, config.volume
        self.set_volume(1.0, 0)
        # A restarted voice must use newer epochs than it used before, so they start from the clock.
        self.epoch = clock.now_ns() // NS_PER_MS
        preroll.renew(self.epoch)
        self.pauses = pauses
        self.held_back = False
        self.level_meter = LevelMeter()
        self._media_written = 0
        self._media_spoiled = 0
        self._open: Turn | None = None
        self._head: Turn | None = None
        self._head_since_ns = 0
        self._progress_due_ns = 0

    def use_sink(self, sink: Sink, *, audible: bool, wake_ms: int = 0) -> None:
        """Continue with another device. What the old one still held counts as not heard. No turn opens for wake_ms."""
        self._stream.use(sink, audible=audible, wake_ms=wake_ms)

    def release(self) -> None:
        """The device was closed: nothing is played until use_sink(). Only for an idle voice."""
        self._stream.release()

    @property
    def released(self) -> bool:
        """Whether release() was called and use_sink() was not."""
        return self._stream.released

    @property
    def audible(self) -> bool:
        """Whether a real device plays."""
        return self._stream.audible

    @property
    def device(self) -> DeviceStream:
        """What is written to, and its clock."""
        return self._stream

    @property
    def paused(self) -> bool:
        """Whether a client or a barge-in has paused the playhead."""
        return bool(self.pauses)

    @property
    def _still(self) -> bool:
        return self.paused or self.held_back

    @property
    def idle(self) -> bool:
        """Whether no turn is unfinished."""
        return not self._queue.playable

    @property
    def heard_turn(self) -> Turn | None:
        """The turn that is heard now or comes next."""
        return next((s.turn for s in self._playout_log.segments if s.turn is not None), self._open)

    def set_volume(self, gain: float, fade_ms: int) -> None:
        """Reach a gain of 0..1, relative to the configured volume, over fade_ms."""
        self._gain = gain
        self._mixer.set_volume(gain * self._volume, ms_to_frames(fade_ms, self._rate_hz))

    def use_volume(self, volume: float) -> None:
        """What has the sound now has a configured volume of its own, 0..1; faded to where speech is being heard."""
        self._volume = volume
        self.set_volume(self._gain, self._config.fade_ms if self._playout_log.holds_speech else 0)

    def duck(self, gain: float) -> None:
        """Multiply the volume by a gain of 0..1 from now on."""
        self._mixer.duck(gain, self._mixer.fade_frames)

    def unduck(self, *, at_once: bool) -> None:
        """End duck(). at_once: nothing is being heard, so that no fade is needed."""
        self._mixer.duck(1.0, 0 if at_once else self._mixer.fade_frames)

    def spoken_at(self, at_ns: int, gap_ms: int) -> Spoken | None:
        """The speech that was heard at a time of the last seconds; None if none was. Shorter gaps do not end speech."""
        clock = self._stream.clock
        frame = clock.frame_at(at_ns)
        found = self._playout_log.speech_at(frame, ms_to_frames(gap_ms, self._rate_hz))
        if found is None:
            return None
        segment, begun = found
        assert segment.turn is not None
        played_ms = frames_to_ms(segment.turn_start + frame - segment.start, self._rate_hz)
        return Spoken(segment.turn, played_ms, clock.time_of_ns(begun))

    def step(self) -> None:
        """Report what was heard and top the device up. Raises SinkError when the device is lost."""
        now_ns = self._clock.now_ns()
        self._stream.read(now_ns)
        self._report_heard()
        self._queue.expire(now_ns)
        self._schedule()
        self._fill(now_ns)
        self._finish_turns()
        if now_ns >= self._progress_due_ns:
            self._report_progress()
            self._progress_due_ns = now_ns + self._progress_ns

    def top_up(self) -> None:
        """step() when no turn is unfinished: only writes filler. Raises SinkError."""
        self._stream.read(self._clock.now_ns())
        self._playout_log.heard(self._stream.position)
        while (room := self._stream.room) > 0:
            self._write_filler(room)

    def next_step_ns(self, now_ns: int) -> int:
        """When step() is due if nothing else happens: the device must not run dry before."""
        if self._stream.released:
            return now_ns + RELEASED_NS
        if self._queue.turns and ((self._queue.playable and not self.paused) or self._playout_log.holds_speech):
            return now_ns + BUSY_NS
        return max(now_ns + BUSY_NS, self._stream.due_ns)

    def interrupt(self, turns: list[Turn], reason: FinishReason = "interrupted") -> None:
        """Drop these turns. The one that is heard fades out. A new epoch begins if one of them is open."""
        renewed = any(turn is self._open for turn in turns)
        if renewed:
            self.begin_epoch()
        for turn in turns:
            start_frame = turn.playout.start_frame
            if not renewed and turn.feed.published_frames and start_frame is not None:
                self._media_spoiled = max(self._media_spoiled, start_frame + turn.sink_frames)
            turn.cut(self._fade_of(turn), reason)

    def hold(self, turns: list[Turn]) -> None:
        """Hold these turns, of which nothing was played, until the queue releases them."""
        if not turns:
            return
        self.begin_epoch()
        for turn in turns:
            turn.hold()
            if turn is self._open:
                self._open = None

    def finish_all(self) -> None:
        """The voice stops: finish every turn now."""
        for turn in list(self._queue.turns):
            self._finish(turn, shutdown=True)

    def begin_epoch(self) -> None:
        """Restart media time at 0. Whatever the face holds of the old epoch is void."""
        self.epoch += 1
        self._preroll.renew(self.epoch)
        self._media_written = self._media_spoiled = 0

    def _fade_of(self, turn: Turn) -> Pcm:
        """The fade-out of a turn that is being written to the device. Empty for a turn that is not."""
        audible = self._playout_log.ends_with(turn)
        fade = np.zeros(self._mixer.fade_frames if audible else 0, dtype=np.int16)
        fade = fade[: turn.pcm.take_into(fade)]
        self._mixer.fade_out(fade)
        return fade

    def anchor(self) -> Anchor:
        """The current anchor for the bus."""
        now_ns = self._clock.now_ns()
        for segment in self._playout_log.segments:
            if segment.turn is None or segment.epoch != self.epoch:
                continue
            ahead = max(0, self._stream.position - segment.start)
            at_ns = self._stream.clock.time_of_ns(segment.start + ahead)
            return self._make_anchor(segment.media_start + ahead, at_ns, self._until(segment), "speaking", segment.turn)
        return self._make_anchor(self._media_written, now_ns, self._media_written, self._still_phase(), self._open)

    @property
    def media_ns(self) -> int:
        """The media time that is heard now, from the last step's reading."""
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
        """The end of contiguous media from this segment on: what is written and, if no filler follows, queued."""
        for later in self._playout_log.segments:
            distance = later.start - segment.start
            follows = later.epoch == segment.epoch and later.media_start == segment.media_start + distance
            if distance > 0 and (later.turn is None or not follows):
                return segment.media_start + distance
        turn = self._open
        if turn is None or self._still or turn.interrupted or (turn.playout.stalled and not turn.ended):
            return self._media_written
        return self._media_written + len(turn.pcm)

    def _still_phase(self) -> Phase:
        if self.paused:
            return "paused"
        if self._open is not None and not self._open.drained:
            return "stalled"
        return "preroll" if any(len(turn.pcm) and not turn.interrupted for turn in self._queue.playable) else "idle"

    def _report_heard(self) -> None:
        for segment, frames in self._playout_log.heard(self._stream.position):
            turn = segment.turn
            if turn is None or not segment.audible:
                continue
            playout = turn.playout
            playout.heard_frames = max(playout.heard_frames, segment.turn_start + frames)
            if not playout.started:
                playout.started = True
                latency_ms = ns_to_ms(self._stream.clock.time_of_ns(segment.start) - turn.received.first_audio_ns)
                playout.latency_ms = round(latency_ms, 3)
                self._send(turn.owner, wire.Started(turn=turn.name, latency_ms=playout.latency_ms))
        for owner, message in self._rebuffer.heard(self._stream.position):
            self._send(owner, message)

    def _schedule(self) -> None:
        """Assign start frames to the turns whose predecessors' lengths are known.

        A published position stays reserved even when its turn was dropped: the face would take other speech at the same
        position for a replay.
        """
        cursor = self._media_written
        if self._open is not None and not self._open.interrupted:
            if not self._open.ended:
                return
            cursor += len(self._open.pcm)
        for turn in self._queue.playable:
            if turn.interrupted or turn is self._open or turn.playout.taken_frames:
                continue
            if not turn.feed.published_frames or turn.playout.start_frame is None:
                turn.playout.start_frame = max(cursor, self._media_spoiled)
            cursor = turn.playout.start_frame
            if not turn.ended:
                return
            cursor += turn.sink_frames

    def _fill(self, now_ns: int) -> None:
        while (room := self._stream.room) > 0:
            turn = self._next_turn(now_ns)
            taken = 0
            if turn is not None and (turn.interrupted or not self._still):  # a fade-out plays during a pause too
                taken = self._write_speech(turn, room, now_ns)
                if not taken and self._may_still_come(turn):
                    return
            if not taken:
                self._write_filler(room)

    def _next_turn(self, now_ns: int) -> Turn | None:
        """The turn to play now. Opens the next one when the preroll allows it."""
        if self._open is not None and not self._open.drained:
            return self._open
        head = next((turn for turn in self._queue.playable if not turn.drained), None)
        if head is not self._head:
            self._head, self._head_since_ns = head, now_ns
        if head is None or not self._stream.awake or not self._preroll.may_open(head, self._head_since_ns, now_ns):
            return None
        self._open = head
        self._rebuffer.begin()
        return head

    def _may_still_come(self, turn: Turn) -> bool:
        """Whether a late chunk could still follow without a gap, because the device is playing the last one."""
        return not turn.playout.stalled and not turn.ended and self._stream.held > LAST_DROP * self._stream.target

    def _write_speech(self, turn: Turn, room: int, now_ns: int) -> int:
        playout = turn.playout
        if playout.stalled and self._rebuffer.waits(turn, now_ns):
            return 0
        block = self._stream.block[:room]
        block = block[: turn.pcm.take_into(block)]
        if not len(block):
            self._note_stall(turn, now_ns)
            return 0
        if playout.stalled:
            playout.stalled = False
            self._rebuffer.resumed(turn, self._playout_log.written, len(block) + len(turn.pcm), now_ns)
        joins = playout.taken_frames > 0 and self._mixer.after_filler
        self._mixer.speech(block, joins=joins)
        self.level_meter.add(block)
        if not turn.interrupted:  # a fade-out belongs to the epoch in which its turn was heard
            playout.epoch = self.epoch
            if not playout.taken_frames:
                self._media_written = max(self._media_written, playout.start_frame or 0)
        self._stream.write(block)
        self._playout_log.add(
            len(block),
            epoch=playout.epoch,
            media_start=self._media_written,
            turn=turn,
            turn_start=playout.taken_frames,
            audible=self._stream.audible,
        )
        playout.taken_frames += len(block)
        playout.last_taken_ns = now_ns
        if not turn.interrupted:
            self._media_written += len(block)
        return len(block)

    def _write_filler(self, room: int) -> None:
        block = self._stream.block[:room]
        self._mixer.filler(block)
        self._stream.write(block)
        self._playout_log.add(len(block), epoch=self.epoch, media_start=self._media_written, turn=None)

    def _note_stall(self, turn: Turn, now_ns: int) -> None:
        playout = turn.playout
        if not playout.stalled and not turn.ended and playout.taken_frames and not self._may_still_come(turn):
            playout.stalled = True
            playout.stalls += 1
            self._rebuffer.ran_dry(turn, self._playout_log.written, now_ns)
            self._counters.count("turns_stalled")

    def _finish_turns(self) -> None:
        for turn in self._queue.playable:
            if not turn.drained or any(segment.turn is turn for segment in self._playout_log.segments):
                continue
            in_order = turn.interrupted or turn is self._queue.playable[0]
            if in_order:
                self._finish(turn)

    def _finish(self, turn: Turn, *, shutdown: bool = False) -> None:
        reason: FinishReason = "shutdown" if shutdown else turn.end_reason
        if reason == "played" and turn.playout.heard_frames < turn.sink_frames:
            reason = "sink_lost"
        self._queue.finish(turn)
        if turn is self._open:
            self._open = None
        self._counters.count(f"turns_{reason}")
        count, word = turn.words_heard()
        self._send(
            turn.owner,
            wire.Finished(
                turn=turn.name,
                played_ms=round(turn.played_ms, 3),
                interrupted=turn.interrupted or shutdown,
                reason=reason,
                words_heard=count,
                last_word=word,
                barge_in_ms=None if turn.barge_in_ms is None else round(turn.barge_in_ms, 3),
                latency_ms=turn.playout.latency_ms,
                stalls=turn.playout.stalls,
            ),
        )

    def _report_progress(self) -> None:
        for turn in self._queue.turns:
            self._send(
                turn.owner,
                wire.Progress(
                    turn=turn.name,
                    played_ms=round(turn.played_ms, 3),
                    buffered_ms=round(turn.buffered_ms, 3),
                    credit_ms=round(self._queue.credit_ms(turn.owner), 3),
                ),
            )
