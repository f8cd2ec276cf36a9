"""Speaks the script through LiveKit Agents: a real AgentSession's output, with MienAvatar attached to it."""

import asyncio
from collections import Counter
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from mien.adapters.livekit import MienAvatar
from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict


class Driver:
    """Frames with timed transcripts in, as LiveKit's TTS plugins send them; playback_finished out."""

    name = "livekit"
    rate_hz = 24000
    can_pause = True

    def __init__(self) -> None:
        self._session: AgentSession[Any] | None = None
        self._avatar: MienAvatar | None = None
        self._finishes: Counter[int] = Counter()
        self._number = -1

    async def open(self, endpoint: str) -> None:
        """Attach the avatar to a session that had an output of its own."""
        self._session = AgentSession()
        self._session.output.audio = _NobodyHears()
        self._avatar = MienAvatar(endpoint, rate_hz=self.rate_hz)
        await self._avatar.start(self._session)
        self._count_finishes(self._avatar.output)

    async def speak(self, segment: Segment) -> Verdict:
        """Speak one segment as AgentSession does: frames, flush, wait_for_playout."""
        assert self._session is not None
        output = self._session.output.audio
        assert output is not None
        self._number = segment.number
        words = list(segment.words)

        async def push(chunk: Pcm) -> None:
            frame = rtc.AudioFrame(chunk.tobytes(), self.rate_hz, 1, len(chunk))
            frame.userdata[USERDATA_TIMED_TRANSCRIPT] = [
                TimedString(word.text + " ", word.start_ms / 1000, word.end_ms / 1000) for word in words
            ]
            words.clear()
            await output.capture_frame(frame)

        async def end() -> None:
            output.flush()
            ended.set()

        async def interrupt() -> None:
            output.flush()
            output.clear_buffer()
            ended.set()

        async def told() -> None:
            await ended.wait()
            await output.wait_for_playout()

        ended = asyncio.Event()
        actor = Actor(
            segment,
            self.rate_hz,
            push=push,
            end=end,
            interrupt=interrupt,
            pause=_coroutine(output.pause),
            resume=_coroutine(output.resume),
        )
        await actor.perform(told())
        event = await output.wait_for_playout()
        return Verdict(
            pushed_ns=actor.pushed_ns,
            interrupted_ns=actor.interrupted_ns if event.interrupted else None,
            position_ms=event.playback_position * 1000,
            interrupted=event.interrupted,
            words=tuple((event.synchronized_transcript or "").split()),
        )

    def finishes(self, number: int) -> int:
        """How often the adapter said that this segment is finished, those included that LiveKit would refuse."""
        return self._finishes[number]

    async def close(self) -> None:
        """Close the avatar, which restores the session's output."""
        if self._avatar is not None:
            await self._avatar.aclose()

    def _count_finishes(self, output: AudioOutput) -> None:
        """LiveKit drops a second finish of a segment with a warning; here it counts."""
        report = output.on_playback_finished

        def counted(**event: Any) -> None:
            self._finishes[self._number] += 1
            report(**event)

        output.on_playback_finished = counted  # type: ignore[method-assign, unused-ignore]


class _NobodyHears(AudioOutput):
    """The session's own output, which must never get audio while the voice is there."""

    def __init__(self) -> None:
        super().__init__(label="nobody", capabilities=AudioOutputCapabilities(pause=True), sample_rate=24000)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        raise AssertionError("the session's own output got audio although the voice is there")

    def flush(self) -> None:
        super().flush()

    def clear_buffer(self) -> None:
        """Nothing to clear."""


def _coroutine(call: Any) -> Any:
    async def called() -> None:
        call()

    return called
