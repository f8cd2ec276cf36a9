"""Pipecat's output transport on mien-voice."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from loguru import logger
from pipecat.frames.frames import (
    AggregatedTextFrame,
    CancelFrame,
    Frame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportReadyFrame,
    PipelineFlushFrame,
    SpeechOutputAudioRawFrame,
    StartFrame,
    TextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameCallback, FrameDirection
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams

from mien.adapters.heard.segment import Ended, Segment, Utterance
from mien.adapters.heard.speaker import Speaker
from mien.adapters.pipecat.contexts import Context, Contexts
from mien.adapters.pipecat.frames import MienRelayedFrame, MienSegmentFinishedFrame
from mien.adapters.pipecat.items import Between, Chunk, Item, SpeechBegins, Timed
from mien.adapters.pipecat.params import MienParams, spoken_rate
from mien.adapters.pipecat.sender import HeardSender
from mien.client import Relayed
from mien.core.wire import AgentState, RelayOutcome
from mien.errors import ClientError

ROOM_S: Final = 1.0  # the longest that one write waits for what is ahead to be heard
PAUSED_ROOM_S: Final = 0.25  # in a pause, for sound that is not speech: a mixer makes it without end
DELIVERY_S: Final = 0.1  # for the words that were heard to reach the end of the pipeline, ahead of an interruption
_WORD_MS: Final = 400  # assumed of a segment's last word, for the caption


class MienOutputTransport(BaseOutputTransport):
    """Speaks through mien-voice. Every frame leaves when it was heard; an interruption lets only those through.

    params: MienParams, or Pipecat's own with the voice of this machine.
    """

    def __init__(self, params: TransportParams | None = None, **kwargs: Any) -> None:
        self._mien = MienParams(**(params.model_dump(exclude_unset=True) if params is not None else {}))
        if self._mien.audio_out_channels != 1:
            logger.warning("mien's voice is mono: {} channels are mixed down", self._mien.audio_out_channels)
            self._mien.audio_out_channels = 1
        super().__init__(self._mien, **kwargs)
        self._speaker: Speaker[Item] | None = None
        self._sender: HeardSender | None = None
        self._contexts = Contexts()
        self._open: Segment[Item] | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._paused = False
        self._closed = False

    # for programs

    async def pause(self) -> None:
        """Hold the speech. No sample is lost. Raises ClientError when the voice is unreachable."""
        self._paused = True
        if self._speaker is not None:
            await self._speaker.pause()

    async def resume(self) -> None:
        """Continue after pause(). Raises ClientError when the voice is unreachable."""
        if self._speaker is not None:
            await self._speaker.resume()
        self._paused = False

    async def relay_done(self, frame: MienRelayedFrame, outcome: RelayOutcome, why: str = "") -> None:
        """Tell the supervisor what became of a text: said, cut, kept, or unused for a reason, at most 200 letters.

        Raises ClientError when the voice is unreachable.
        """
        if frame.relayed is not None and self._speaker is not None and self._speaker.client is not None:
            await self._speaker.client.relay_done(frame.relayed, outcome, why)

    # Pipecat's life cycle

    async def setup(self, setup: Any) -> None:
        """Choose a rate that the voice accepts."""
        wanted = self._mien.audio_out_sample_rate or setup.audio_out_sample_rate
        self._mien.audio_out_sample_rate = spoken_rate(wanted)
        await super().setup(setup)

    async def start(self, frame: StartFrame) -> None:
        """Connect to the voice. One that is not there yet is tried again; the pipeline starts without it."""
        await super().start(frame)
        if self._speaker is not None:
            return
        self._speaker = Speaker(
            self,
            rate_hz=self.sample_rate,
            ahead_ms=self._mien.ahead_ms,
            language=self._mien.language,
            relayed=self._relayed,
        )
        capabilities = ("relay",) if self._mien.relay else ()
        await self._speaker.start(lambda: self._mien.connect(self.sample_rate, capabilities=capabilities))
        await self.set_transport_ready(frame)

    async def set_transport_ready(self, frame: StartFrame) -> None:
        """Start the sender, for the one destination there is."""
        options = {"sample_rate": self.sample_rate, "audio_chunk_size": self.audio_chunk_size, "params": self._mien}
        self._sender = HeardSender(self, self, **options)
        self._media_senders[None] = self._sender
        await self._sender.start(frame)
        await self.push_frame(OutputTransportReadyFrame(), FrameDirection.UPSTREAM)

    async def cleanup(self) -> None:
        """Close the session; what is still spoken is interrupted."""
        self._closed = True
        self._passing.set()
        if self._speaker is not None:
            await self._speaker.close()
            self._speaker = None
        await super().cleanup()

    async def queue_frame(
        self,
        frame: Frame,
        direction: FrameDirection = FrameDirection.DOWNSTREAM,
        callback: FrameCallback | None = None,
    ) -> None:
        """Note when audio comes: the times of words count from there."""
        if direction == FrameDirection.DOWNSTREAM and isinstance(
            frame, TTSStartedFrame | TTSAudioRawFrame | TTSTextFrame
        ):
            self._contexts.arrive(frame, self.get_clock().get_time())
        await super().queue_frame(frame, direction, callback)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """On an interruption the voice is silenced and the heard words are delivered, before anybody else acts."""
        match frame:
            case InterruptionFrame() | CancelFrame():
                await self._interrupted(frame, direction)
                return
            case UserStartedSpeakingFrame():
                self._show("listening")
            case UserStoppedSpeakingFrame():
                self._show("thinking")
            case _ if self._is_stale(frame, direction):
                return
        await super().process_frame(frame, direction)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Speak a frame. Waits for what is ahead of it, a second at most, and in a pause no longer than it lasts."""
        if frame.transport_destination or not await self._may_pass(frame):
            return False
        if self._speaker is None or (self._sender is not None and self._sender.is_overtaken(frame)):
            return False
        segment = self._segment_for(frame)
        if segment is None:
            return False
        start_ms = segment.written_ms
        self._speaker.write(segment, frame.audio)
        segment.line.put(SpeechBegins(frame), start_ms)
        segment.line.put(Chunk(frame, start_ms, segment.written_ms), segment.written_ms)
        wait_s = ROOM_S
        if self._paused:
            speech = isinstance(frame, TTSAudioRawFrame | SpeechOutputAudioRawFrame)
            wait_s = (segment.written_ms - start_ms) / 1000 if speech else PAUSED_ROOM_S
        return await self._speaker.room(segment, wait_s)

    # what the sender holds back

    @property
    def speaking(self) -> bool:
        """Whether anything waits to be heard."""
        return self._speaker is not None and self._speaker.last is not None

    async def hold(self, frame: Frame) -> None:
        """Keep a frame until the audio before it was heard."""
        if self._speaker is None or not await self._may_pass(frame):
            return
        match frame:
            case TTSStartedFrame(context_id=name):
                self._begin(name, frame)
            case TTSStoppedFrame(context_id=name):
                await self._end(name, frame)
                return
            case AggregatedTextFrame(context_id=str(name)) if not isinstance(frame, TTSTextFrame):
                context = self._contexts.open(name)
                context.announced.append(frame.text)
                self._caption(context)
        segment = self._speaker.last
        if segment is None:
            await self._speaker.pass_on(Between(frame))
        elif segment.ended or (isinstance(frame, TTSTextFrame) and not segment.written_ms):
            segment.line.put_last(Between(frame))  # a text that came before its audio is heard with the last of it
        else:
            segment.line.put(Between(frame), segment.written_ms if segment.written_ms else -1.0)

    def hold_timed(self, frame: Frame) -> bool:
        """Keep a frame until its own time was heard; False for one that belongs to no speech."""
        context = self._contexts.of(frame)
        if context is None or frame.pts is None:
            return False
        at_ms = self._contexts.words.position_ms(context.utterance.name, frame.pts) or 0.0
        context.place(Timed(frame), at_ms, word=isinstance(frame, TTSTextFrame))
        if isinstance(frame, TTSTextFrame):
            context.add_word(frame.text, at_ms)
            self._caption(context)
        return True

    async def drain(self) -> None:
        """Wait until all was heard."""
        if self._speaker is not None:
            if self._open is not None:
                self._speaker.end(self._open)
            await self._speaker.idle()

    # what the speaker tells

    async def heard(self, item: Item) -> None:
        """A frame's position was heard."""
        if self._sender is None:
            return
        match item:
            case SpeechBegins(frame):
                await self._sender.begin_speech(frame)
            case Between(frame):
                await self._sender.act(frame)
            case Chunk(frame) | Timed(frame):
                await self.push_frame(frame)

    async def unheard(self, item: Item, ended: Ended) -> None:
        """A frame was cut off: only what must not be lost goes on, and the heard part of a chunk."""
        match item:
            case Chunk(frame, start_ms, end_ms) if start_ms < ended.played_ms < end_ms:
                frames = int((ended.played_ms - start_ms) * frame.sample_rate / 1000)
                frame.audio, frame.num_frames = frame.audio[: frames * 2], frames
                await self.push_frame(frame)
            case Between(frame) | Timed(frame) if not frame.interruptible:
                await self.heard(item)
            case Between(frame) if ended.reason != "interrupted" and not isinstance(frame, TextFrame):
                await self.heard(item)

    async def ended(self, ended: Ended) -> None:
        """A segment ended."""
        self._contexts.end(ended.name, cut=ended.interrupted)
        if not self._contexts_busy():
            self._show("idle")
        if ended.name is None:
            if self._sender is not None:
                await self._sender.stop_speech()
            return
        await self.broadcast_frame(
            MienSegmentFinishedFrame,
            context_id=ended.name,
            played_ms=ended.played_ms,
            interrupted=ended.interrupted,
            reason=ended.reason,
        )

    async def stopped_by_voice(self) -> None:
        """A barge-in on the kiosk, or a supervisor: the pipeline is interrupted too."""
        self._passing.clear()
        try:
            await self._delivered()
            self._contexts.words.interrupted()
            await self._report_unbegun()
            await self.broadcast_interruption()
            if self._sender is not None:
                await self._sender.handle_interruptions(InterruptionFrame())
            self._open = None
        finally:
            self._passing.set()

    async def _relayed(self, relayed: Relayed) -> None:
        await self.broadcast_frame(MienRelayedFrame, relayed=relayed)

    async def lost(self, error: ClientError) -> None:
        """The voice is gone, or refused the speech: the bot is silent, the conversation goes on."""
        if self._sender is not None:
            await self._sender.stop_speech()
        await self.push_error(f"mien: {error}", exception=error)

    # internals

    async def _interrupted(self, frame: Frame, direction: FrameDirection) -> None:
        self._passing.clear()
        try:
            everything = isinstance(frame, CancelFrame)
            if self._open is not None and (self._open.interruptible or everything):
                self._open = None
            cut = self._speaker is not None and await self._speaker.cut(everything=everything)
            self._paused = False
            self._contexts.words.interrupted()
            await self._report_unbegun()
            if cut:
                await self._delivered()
            await super().process_frame(frame, direction)
        finally:
            self._passing.set()

    def _is_stale(self, frame: Frame, direction: FrameDirection) -> bool:
        """Whether a frame waited in a queue that an interruption overtook: its context was cut off meanwhile."""
        return direction == FrameDirection.DOWNSTREAM and frame.interruptible and self._contexts.was_cut(frame)

    async def _delivered(self) -> None:
        """Wait until what was pushed has reached the end of the pipeline: an interruption overtakes it otherwise."""
        arrived = asyncio.Event()
        await self.push_frame(PipelineFlushFrame(event=arrived, returning=True))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DELIVERY_S):
                await arrived.wait()

    async def _may_pass(self, frame: Frame) -> bool:
        """Whether a frame still counts. During an interruption those that survive it wait."""
        if self._passing.is_set():
            return True
        if frame.interruptible:
            return False
        await self._passing.wait()
        return not self._closed

    async def _report_unbegun(self) -> None:
        """Contexts that were dropped before any of their audio was written."""
        if self._speaker is not None:
            for context in self._contexts.unreported():
                name = context.utterance.name
                await self._speaker.report(context.utterance, Ended(name, 0.0, True, "interrupted"))

    def _contexts_busy(self) -> bool:
        return self._speaker is not None and self._speaker.last is not None

    def _begin(self, name: str | None, frame: Frame) -> None:
        assert self._speaker is not None
        if self._open is not None:
            self._speaker.end(self._open)
        context = self._contexts.named(name)
        utterance = context.utterance if context is not None else Utterance(name)
        self._open = self._speaker.begin(utterance, interruptible=frame.interruptible)
        if context is not None:
            context.attach(self._open)
            self._caption(context)

    async def _end(self, name: str | None, frame: Frame) -> None:
        assert self._speaker is not None
        segment, self._open = self._open, None
        if segment is None or segment.over:
            await self._speaker.pass_on(Between(frame))
            if segment is not None:
                await self._speaker.report(segment.utterance, Ended(segment.utterance.name, 0.0, False, "played"))
            return
        context = self._contexts.named(name)
        if context is not None and context.segment is None:  # its audio came without a TTSStartedFrame
            context.attach(segment)
            segment.utterance.name = name
        if context is not None:
            self._caption(context, _WORD_MS)
        segment.line.put_last(Between(frame))
        self._speaker.end(segment)

    def _segment_for(self, frame: OutputAudioRawFrame) -> Segment[Item] | None:
        """The segment that this audio continues, or a new one; None when its context was cut off or lost."""
        assert self._speaker is not None
        segment = self._open
        if segment is None:
            segment = self._open = self._speaker.begin(Utterance(None), interruptible=frame.interruptible)
        elif segment.over or segment.cut or segment.ended:
            outcome = segment.outcome()
            named = segment.utterance.name is not None
            if named and (segment.cut or (outcome is not None and outcome.interrupted)):
                return None
            segment = self._continue(segment, Utterance(None) if segment.utterance.reported else segment.utterance)
        elif self._speaker.full(segment):
            self._speaker.end(segment)
            segment = self._continue(segment, segment.utterance)
        return segment

    def _continue(self, before: Segment[Item], utterance: Utterance) -> Segment[Item]:
        assert self._speaker is not None
        segment = self._open = self._speaker.begin(utterance, interruptible=before.interruptible)
        for item, at_ms, word in before.line.later(before.written_ms):
            segment.line.put_timed(item, at_ms - before.written_ms, word=word)
        context = self._contexts.named(utterance.name)
        if context is not None:
            context.segment = segment
        return segment

    def _caption(self, context: Context, last_word_ms: float | None = None) -> None:
        """Send what is known of a context's caption."""
        if context.segment is None or self._speaker is None:
            return
        for text in context.announced:
            self._speaker.caption(context.segment, text)
        context.announced = []
        for word in context.take_words(last_word_ms):
            self._speaker.caption(context.segment, f" {word[0]}", [word])

    def _show(self, state: AgentState) -> None:
        if self._speaker is not None:
            self._speaker.tell(lambda client: client.state(state))
