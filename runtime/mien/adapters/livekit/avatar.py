"""LiveKit's AvatarSession: mien as the avatar of an agent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from livekit import rtc
from livekit.agents import AgentSession, AgentStateChangedEvent, UserStateChangedEvent
from livekit.agents.metrics.base import AvatarMetrics, Metadata
from livekit.agents.voice.avatar import AvatarSession
from livekit.agents.voice.io import AudioOutput, TextOutput

from mien.adapters.guide import LANGUAGE
from mien.adapters.livekit.captions import MienCaptions
from mien.adapters.livekit.output import MienAudioOutput
from mien.client import Event, Relayed, Welcome
from mien.core import wire

log = logging.getLogger("mien.adapters.livekit")

LOOK_S: Final = 0.02
FACE_STATES: Final[dict[str, wire.AgentState]] = {
    "initializing": "idle",
    "idle": "idle",
    "listening": "listening",
    "thinking": "thinking",
    "speaking": "listening",  # the turn itself shows speaking; the agent listens afterwards
}


class MienAvatar(AvatarSession[str]):
    """The face and voice of an agent, on this machine or on a kiosk.

    endpoint, key, voice_key: of mien's voice, as connect_async() takes them. rate_hz: the framework resamples to it.
    fallback: what speaks while the voice is lost; None: the session's own output, as it is when this starts.
    captions: whether the agent's text becomes captions. relayed: gets what a supervisor relays (mien.client.Relayed);
    answer it with relay_done(). None: this agent takes no such texts. language: of the agent's speech, for lips that
    its text guides (with `captions`); None leaves them to the sound.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        key: str | Path | None = None,
        voice_key: str | Path | None = None,
        rate_hz: int | None = None,
        name: str = "livekit-agent",
        fallback: AudioOutput | None = None,
        captions: bool = True,
        relayed: Callable[[Relayed], None] | None = None,
        language: str | None = LANGUAGE,
    ) -> None:
        super().__init__()
        self._endpoint, self._key, self._voice_key = endpoint, key, voice_key
        self._rate_hz, self._name = rate_hz, name
        self._fallback, self._with_captions = fallback, captions
        self._relayed = relayed
        self._language = language
        self._output: MienAudioOutput | None = None
        self._previous: AudioOutput | None = None
        self._captions: MienCaptions | None = None
        self._previous_text: TextOutput | None = None
        self._session: AgentSession[Any] | None = None
        self._away = False

    @property
    def avatar_identity(self) -> str:
        """mien takes part in no room: this names it in logs only."""
        return self._name

    @property
    def provider(self) -> str:
        """For metrics."""
        return "mien"

    @property
    def output(self) -> MienAudioOutput:
        """What the session's audio goes to, after start()."""
        if self._output is None:
            raise RuntimeError("the avatar was not started: await avatar.start(session, room)")
        return self._output

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room | None = None) -> None:
        """Take the place of the session's audio output: at once, or when session.start() has made one.

        A voice that cannot be reached is no error: the session's own output speaks until it is there. Raises
        ClientError or ConfigError when trying again cannot help, RuntimeError when this was started before.
        """
        if self._output is not None:
            raise RuntimeError("this avatar was started before; create another one")
        started_at = time.time()
        output = MienAudioOutput(
            self._endpoint,
            rate_hz=self._rate_hz or _rate_of(self._fallback or tail_of(agent_session)),
            name=self._name,
            key=self._key,
            voice_key=self._voice_key,
            fallback=self._fallback,
            cut_by_voice=self._interrupt_session,
            capabilities=() if self._relayed is None else ("relay",),
            language=self._language,
        )
        output.link.listen(self._on_event)
        try:
            reached = await output.start()
        except BaseException:
            await output.aclose()
            raise
        self._output = output
        await self._join(agent_session, room)
        if reached:
            self._report_join(started_at)
        else:
            log.warning("mien is not there yet, the session's own output speaks: %s", output.link.trouble)

    async def wait_for_join(self, *, timeout: float | None = 30.0) -> None:
        """Wait until mien's voice answers. Raises TimeoutError after `timeout` seconds; None waits forever."""
        if not await self.output.link.reached(timeout):
            raise TimeoutError(f"mien did not answer within {timeout} s: {self.output.link.trouble}")

    def relay_done(self, relayed: Relayed, outcome: wire.RelayOutcome, why: str = "") -> None:
        """Tell the supervisor what became of a text: said, cut, kept, or unused for a reason."""
        self.output.link.tell(lambda client: client.relay_done(relayed, outcome, why))

    async def aclose(self) -> None:
        """Finish what is spoken, put the session's own outputs back, and disconnect. May be called again."""
        session, self._session = self._session, None
        if session is not None and self._output is not None:
            session.off("agent_state_changed", self._on_agent_state)
            session.off("user_state_changed", self._on_user_state)
            await self._output.aclose()
            self._put_back(session)
        self._room = None  # mien is no participant that would have to leave
        await super().aclose()

    async def _join(self, session: AgentSession[Any], room: rtc.Room | None) -> None:
        """Attach to the session, as LiveKit's base class does for an avatar; but no participant has to join a room."""
        self._session = session
        if room is None:
            self._agent_session = session
            session.on("conversation_item_added", self._on_conversation_item_added)
        else:
            await super().start(session, room)
            room.off("connection_state_changed", self._on_connection_state_changed)
            if self._wait_avatar_join_task is not None:
                self._wait_avatar_join_task.cancel()
        if _has_outputs(session):
            self._attach(session)
        else:
            self.output.link.spawn(self._attach_later(session))
        session.on("agent_state_changed", self._on_agent_state)
        session.on("user_state_changed", self._on_user_state)
        self._show_state()

    async def _attach_later(self, session: AgentSession[Any]) -> None:
        """An output that is there before session.start() would keep LiveKit from making its own, our fallback."""
        while not _has_outputs(session):
            await asyncio.sleep(LOOK_S)
        self._attach(session)

    def _attach(self, session: AgentSession[Any]) -> None:
        self._previous = tail_of(session)
        own = self._fallback or self._previous
        if own is None:
            log.warning(
                "nothing can speak while mien is lost: the session has no audio output, and fallback= is not set"
            )
        self.output.set_fallback(own)
        session.output.replace_audio_tail(self.output)
        if self._with_captions:
            self._previous_text = session.output.transcription
            self._captions = MienCaptions(self.output, self._previous_text)
            session.output.transcription = self._captions

    def _report_join(self, started_at: float) -> None:
        now = time.time()
        self._emit_metrics(
            AvatarMetrics(
                timestamp=now,
                session_started_time=started_at,
                avatar_joined_time=now,
                metadata=Metadata(model_provider=self.provider),
            )
        )

    def _put_back(self, session: AgentSession[Any]) -> None:
        """Restore the outputs, unless somebody else replaced them since."""
        if tail_of(session) is self._output:
            if self._previous is not None:
                session.output.replace_audio_tail(self._previous)
            elif session.output.audio is self._output:
                session.output.audio = None
        if self._captions is not None and session.output.transcription is self._captions:
            session.output.transcription = self._previous_text

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self._show_state()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self._away = event.new_state == "away"
        self._show_state()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Welcome):
            self._show_state()
        elif isinstance(event, Relayed) and self._relayed is not None:
            self._relayed(event)

    def _show_state(self) -> None:
        """The agent's state becomes the face's; it rests while the user is away."""
        if self._session is not None and self._output is not None:
            state = "idle" if self._away else FACE_STATES.get(self._session.agent_state, "idle")
            self._output.link.tell(lambda client: client.state(state))

    def _interrupt_session(self) -> None:
        """The voice cut the speech by itself: the session must know, or its transcript holds what nobody heard."""
        if self._session is not None:
            with contextlib.suppress(RuntimeError):  # speech that may not be interrupted, or a session that closes
                self._session.interrupt()


def tail_of(session: AgentSession[Any]) -> AudioOutput | None:
    """The output at the end of the session's chain, where the sound leaves it."""
    output = session.output.audio
    while output is not None and output.next_in_chain is not None:
        output = output.next_in_chain
    return output


def _has_outputs(session: AgentSession[Any]) -> bool:
    """Whether the session has an audio output, or has started without one."""
    return session.output.audio is not None or session.agent_state != "initializing"


def _rate_of(output: AudioOutput | None) -> int:
    """The rate of an output where mien takes it: the framework then resamples for both alike."""
    rate_hz = 24000 if output is None else output.sample_rate
    return rate_hz if rate_hz in wire.RATES_HZ else 24000
