"""A kiosk in a LiveKit room, which joins it again when the network was lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from livekit import rtc

from mien.adapters.livekit_room.inbox import Inbox
from mien.adapters.livekit_room.microphone import publish_microphone
from mien.adapters.livekit_room.relays import hand_on
from mien.adapters.livekit_room.reports import Reports
from mien.adapters.segments.link import Address, VoiceLink, log
from mien.adapters.segments.segment import Segment
from mien.adapters.segments.speaker import Speaker
from mien.adapters.waker import Waker
from mien.client import Event, Relayed
from mien.errors import MienError

AUDIO_TOPIC: Final = "lk.audio_stream"
CLEAR: Final = "lk.clear_buffer"
ON_BEHALF: Final = "lk.publish_on_behalf"
FIRST_RETRY_S: Final = 0.5
LAST_RETRY_S: Final = 15.0
REASON = rtc.DisconnectReason
# The room or the token is at an end: joining again would not help, or would put out who came in our place.
OVER: Final = {
    REASON.ROOM_DELETED: "the room was deleted",
    REASON.ROOM_CLOSED: "the room was closed",
    REASON.PARTICIPANT_REMOVED: "this kiosk was removed from the room",
    REASON.DUPLICATE_IDENTITY: "another participant joined with this identity; give each kiosk a token of its own",
}


class RoomError(MienError):
    """The room cannot be joined: a wrong URL or token, or no server."""


class Kiosk:
    """Speaks what an agent sends, tells it what was heard, and publishes the microphone.

    agent: the identity of the agent; empty: the first participant that is one. microphone: whether to publish the ear.
    make_room: makes each room; the tests pass a stand-in.
    """

    def __init__(
        self,
        url: str,
        token: str,
        address: Address,
        *,
        agent: str = "",
        microphone: bool = True,
        make_room: Callable[[], rtc.Room] = rtc.Room,
    ) -> None:
        self._url, self._token, self._wanted, self._microphone = url, token, agent, microphone
        self._make_room = make_room
        self._waker = Waker()
        self.link = VoiceLink(address, self._waker)
        self.link.listen(self._on_event)
        self._speaker = Speaker(self.link, self._waker, self)
        self._reports = Reports(self._waker)
        self._inbox = Inbox(self._speaker, self._waker, address.rate_hz, self._reports.settled)
        self._room: rtc.Room | None = None
        self._agent = ""
        self._agents: dict[Segment, str] = {}
        self._lost: rtc.DisconnectReason.ValueType | None = None
        self._joined_once = False

    async def run(self) -> str:
        """Serve until the room is over; returns why. Raises RoomError when it cannot be joined at all."""
        self.link.start()
        if not await self.link.reached(1.0):
            log.warning("%s", self.link.trouble)
        reporting = asyncio.get_running_loop().create_task(self._reports.run())
        try:
            while (why := await self._serve()) is None:
                pass
            return why
        finally:
            reporting.cancel()
            await self._inbox.close()
            await self._speaker.close()
            await asyncio.gather(reporting, return_exceptions=True)
            await self.link.close()

    @property
    def agent(self) -> str:
        """The identity of the agent that is served; empty while none is there."""
        return self._agent

    def started(self, segment: Segment) -> None:
        """The first sample of a segment was heard."""
        if agent := self._agents.get(segment, ""):
            self._reports.started(agent)

    def progressed(self, segment: Segment, to_ms: float) -> None:
        """The agent is told the end only: the stream's protocol has no progress."""

    def finished(self, segment: Segment, *, interrupted: bool, by_voice: bool) -> None:
        """A segment is over."""
        self._inbox.finished(segment)
        if agent := self._agents.pop(segment, ""):
            self._reports.finished(agent, segment.position_ms / 1000, interrupted)

    async def _serve(self) -> str | None:
        """Join and stay until the room is lost. Returns why there is no next time; None: join again."""
        room = await self._join()
        publishing: asyncio.Task[None] | None = None
        try:
            self._find_agent(room)
            if self._microphone:
                publishing = asyncio.get_running_loop().create_task(publish_microphone(room, self.link))
            self._reports.enter(room)
            await self._waker.until(lambda: self._lost is not None)
        finally:
            self._reports.enter(None)
            if publishing is not None:
                publishing.cancel()
                await asyncio.gather(publishing, return_exceptions=True)
            self._room = None
            with contextlib.suppress(Exception):
                await room.disconnect()
        assert self._lost is not None
        log.warning("the room was left: %s", REASON.Name(self._lost))
        return OVER.get(self._lost)

    async def _join(self) -> rtc.Room:
        delay_s = FIRST_RETRY_S
        while True:
            self._lost = None
            room = self._room = self._make_room()
            self._listen(room)
            try:
                await room.connect(self._url, self._token)
            except rtc.ConnectError as error:
                if not self._joined_once:
                    raise RoomError(
                        f"the room at {self._url} cannot be joined: {error}; check --url, and that --token is valid now"
                    ) from None
                log.warning("the room cannot be joined yet: %s", error)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LAST_RETRY_S)
                continue
            self._joined_once = True
            room.local_participant.register_rpc_method(CLEAR, self._on_clear)
            log.info("in the room %s as %s", room.name, room.local_participant.identity)
            return room

    def _listen(self, room: rtc.Room) -> None:
        """Before it connects, so that no stream and no participant is missed."""
        room.register_byte_stream_handler(AUDIO_TOPIC, self._on_stream)
        room.on("participant_connected", lambda _: self._find_agent(room))
        room.on("participant_disconnected", self._on_left)
        room.on("disconnected", self._on_disconnected)

    def _find_agent(self, room: rtc.Room) -> None:
        """The agent keeps its place while it is there."""
        present = room.remote_participants
        if self._agent in present:
            return
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        agents = [
            name for name, each in present.items() if name == self._wanted or (not self._wanted and each.kind == kind)
        ]
        if self._agent:
            self._drop_agent()
        self._agent = agents[0] if agents else ""
        if self._agent:
            log.info("the agent is %s", self._agent)
            if not self._microphone:
                self.link.spawn(_speak_for(room, self._agent))

    def _drop_agent(self) -> None:
        """Nobody waits for what this agent sent."""
        self._reports.forget(self._agent)
        for segment in [each for each, agent in self._agents.items() if agent == self._agent]:
            self._agents[segment] = ""
        self._inbox.clear()

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._agent and self._room is not None:
            log.info("the agent %s has left", self._agent)
            self._drop_agent()
            self._agent = ""
            self._find_agent(self._room)

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType = REASON.UNKNOWN_REASON) -> None:
        self._lost = reason
        self._waker.wake()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Relayed):
            self.link.spawn(hand_on(self._room, self._agent, event, self.link))

    def _on_stream(self, reader: rtc.ByteStreamReader, identity: str) -> None:
        if identity != self._agent:
            log.warning("audio of %s is not taken: the agent is %s", identity, self._agent or "not there")
            reader.close()
            return
        self._agents[self._inbox.take(reader)] = identity

    def _on_clear(self, call: rtc.RpcInvocationData) -> str:
        if call.caller_identity != self._agent:
            log.warning("%s may not clear: the agent is %s", call.caller_identity, self._agent or "not there")
            return "reject"
        self._inbox.clear()
        return "ok"


async def _speak_for(room: rtc.Room, agent: str) -> None:
    """Without a microphone this kiosk is the agent's avatar only: agents must not take it for a customer."""
    try:
        await room.local_participant.set_attributes({ON_BEHALF: agent})
    except Exception as error:  # a token may forbid it, and the package raises what the server says
        log.warning("the attribute %s could not be set; put it into the token: %s", ON_BEHALF, error)
