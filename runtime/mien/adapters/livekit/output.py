"""LiveKit's AudioOutput over mien's voice."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from livekit.agents.utils import is_given
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from mien.adapters.guide import LANGUAGE
from mien.adapters.livekit.own_output import OwnOutput
from mien.adapters.segments.link import Address, VoiceLink
from mien.adapters.segments.mono import MonoStream
from mien.adapters.segments.segment import Segment
from mien.adapters.segments.speaker import Speaker
from mien.adapters.segments.words import join_words
from mien.adapters.waker import Waker

log = logging.getLogger("mien.adapters.livekit")


class MienAudioOutput(AudioOutput):
    """Speaks an agent's audio with mien, and reports what was heard at the speaker.

    endpoint, key, voice_key: of the voice, as connect_async() takes them. rate_hz: the framework resamples to it.
    fallback: an output that speaks while the voice is lost, in mid-segment from the next sample on. Without one the
    rest of a segment waits two seconds for the voice, then the segment finishes as interrupted. cut_by_voice: called
    when the voice interrupted a segment by itself, because the customer spoke (local barge-in) or a person took over.
    capabilities: of the client, as connect_async() takes them. language: of the speech, for guided lips; None leaves
    them to the sound.

    It connects with the first frame, or with start(). Audio may have any rate and any number of channels.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        rate_hz: int = 24000,
        name: str = "livekit-agent",
        key: str | Path | None = None,
        voice_key: str | Path | None = None,
        fallback: AudioOutput | None = None,
        cut_by_voice: Callable[[], None] | None = None,
        capabilities: tuple[str, ...] = (),
        language: str | None = LANGUAGE,
    ) -> None:
        super().__init__(label="mien", capabilities=AudioOutputCapabilities(pause=True), sample_rate=rate_hz)
        self._waker = Waker()
        self.link = VoiceLink(Address(endpoint, rate_hz, name, key, voice_key, capabilities, language), self._waker)
        self._rate_hz = rate_hz
        self._cut_by_voice = cut_by_voice
        self._own: OwnOutput | None = None
        self._speaker = Speaker(self.link, self._waker, self)
        self.set_fallback(fallback)
        self._open: Segment | None = None
        self._newest: Segment | None = None
        self._mono = MonoStream(rate_hz)
        self._segments = 0
        self._text: list[str] = []  # of a segment that has no audio yet
        self._text_of: Segment | None = None
        self._last_text_of: Segment | None = None
        self._text_ended = False
        self._reported_ms = 0.0
        self._closed = False

    @property
    def fallback(self) -> AudioOutput | None:
        """The output that speaks while the voice is lost."""
        return None if self._own is None else self._own.output

    def set_fallback(self, output: AudioOutput | None) -> None:
        """Choose the output that speaks while the voice is lost."""
        self._own = None if output is None else OwnOutput(output, self._rate_hz)
        self._speaker.spare = self._own

    @property
    def can_pause(self) -> bool:
        """Whether what speaks now can pause."""
        return self.link.up or self._own is None or self._own.output.can_pause

    async def start(self, timeout_s: float = 2.0) -> bool:
        """Connect. Returns whether the voice answered within timeout_s; it is tried again in the background.

        Raises ClientError or ConfigError when that cannot help: a wrong key, an endpoint that is none.
        """
        self.link.start()
        return await self.link.reached(timeout_s)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take audio. Waits while a minute of the segment is unheard. After a clear it is dropped until the flush."""
        await super().capture_frame(frame)
        segment = self._segment()
        segment.capturing += 1
        try:
            if segment.takes_audio:
                self._take_words(segment, frame)
                segment.append(self._mono.convert(bytes(frame.data), frame.sample_rate, frame.num_channels))
                self._waker.wake()
                await self._speaker.room(segment)
        finally:
            # LiveKit's wrappers count the segment after this call, so that its finish must not come before they could
            asyncio.get_running_loop().call_soon(self._captured, segment)

    def flush(self) -> None:
        """The segment is complete. Without one there is nothing to do."""
        super().flush()
        if (segment := self._open) is None:
            return
        self._open = None
        segment.append(self._mono.flush())
        segment.end()
        self._waker.wake()

    def clear_buffer(self) -> None:
        """Stop at once. Every unfinished segment finishes as interrupted, unless all of it was heard already."""
        self._mono = MonoStream(self._rate_hz)
        self._text.clear()
        self._speaker.clear()

    def pause(self) -> None:
        """Hold the playhead; no sample is lost."""
        super().pause()
        self._speaker.pause()
        if self._own is not None:
            self._own.output.pause()

    def resume(self) -> None:
        """Go on after pause()."""
        super().resume()
        self._speaker.resume()
        if self._own is not None:
            self._own.output.resume()

    async def aclose(self) -> None:
        """Interrupt what is spoken, finish every segment, and disconnect. Later audio finishes unheard."""
        if self._closed:
            return
        self._closed = True
        await self._speaker.close()
        await self.link.close()

    def take_text(self, text: str) -> None:
        """What the agent says, ahead of or along with the audio: the caption of the segment, where no words have times.

        Timed text becomes words that are highlighted, and counted, when they are heard.
        """
        if self._text_ended:
            self._text, self._text_of, self._text_ended = [], None, False
        newest = self._newest  # text and audio come in tasks of their own: either may be first
        if self._text_of is None and not self._text and newest and not newest.over and newest is not self._last_text_of:
            self._text_of = self._last_text_of = newest
        if self._text_of is None:
            self._text.append(text)
        elif not (self._text_of.cleared or self._text_of.over):
            _add_text(self._text_of, text)
            self._waker.wake()

    def end_text(self) -> None:
        """The text of this segment is complete; what comes next belongs to the next one."""
        self._text_ended = True

    def started(self, segment: Segment) -> None:
        """The first sample of a segment was heard."""
        self._reported_ms = 0.0
        self.on_playback_started(created_at=time.time())

    def progressed(self, segment: Segment, to_ms: float) -> None:
        """A segment was heard up to here: a stretch that nothing can take back."""
        stretch_s = (to_ms - self._reported_ms) / 1000
        if stretch_s > 0:
            offset_s, self._reported_ms = self._reported_ms / 1000, to_ms
            self.on_playback_progressed(started_at=time.time() - stretch_s, offset=offset_s, duration=stretch_s)

    def finished(self, segment: Segment, *, interrupted: bool, by_voice: bool) -> None:
        """A segment is over."""
        if segment.started:
            self.progressed(segment, segment.position_ms)
        self._reported_ms = 0.0
        if by_voice and self._cut_by_voice is not None:
            self._cut_by_voice()
        self.on_playback_finished(
            playback_position=segment.position_ms / 1000,
            interrupted=interrupted,
            synchronized_transcript=_transcript(segment),
        )

    def _segment(self) -> Segment:
        if self._open is None:
            self._segments += 1
            self._open = self._newest = Segment(self._segments, self._rate_hz)
            if self._text:
                self._text_of = self._last_text_of = self._open
                for text in self._text:
                    _add_text(self._open, text)
                self._text = []
            if not self._closed:
                self.link.start()
            self._speaker.add(self._open)
        return self._open

    def _captured(self, segment: Segment) -> None:
        segment.capturing -= 1
        self._waker.wake()

    def _take_words(self, segment: Segment, frame: rtc.AudioFrame) -> None:
        for text in frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, []):
            if isinstance(text, TimedString):
                _add_text(segment, text)


def _add_text(segment: Segment, text: str) -> None:
    """Add text; a word with times where LiveKit gives them."""
    start = end = None
    if isinstance(text, TimedString):
        start = text.start_time * 1000 if is_given(text.start_time) else None
        end = text.end_time * 1000 if is_given(text.end_time) else None
    if start is None and end is None:
        segment.text += text
    else:
        segment.words.add(str(text), start, end)


def _transcript(segment: Segment) -> str | None:
    """The text of the words that were heard; None where no words have times."""
    return join_words(segment.words.heard(segment.position_ms)) if segment.words else None
