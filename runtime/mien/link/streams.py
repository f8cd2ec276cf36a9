"""The streams of mien-link, to watchers, from agents: a part that its service joins.

It has the shape of such a part: watch, speech, hear, step, close.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from mien.client import AsyncClient, Event
from mien.core import wire
from mien.errors import FleetError
from mien.fleet.command import Watch
from mien.fleet.topics import Stream
from mien.link.agent_speaker import AgentSpeaker
from mien.link.agent_speech import AgentSpeech
from mien.link.config import AllowConfig
from mien.link.live import LiveStreams
from mien.link.live_task import LiveTask
from mien.link.parts import Idle

log = logging.getLogger("mien.link")


class Holds(Protocol):
    """Who holds the floor. turn: the name of the turn as which the holder's speech is heard."""

    holder: str
    turn: str


class Attends(Protocol):
    """What the face shows of listeners elsewhere. hearing: the users who hear the microphone."""

    hearing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamsSeams:
    """What the streams need of the link.

    client(): the one whose session with the voice is open; opened with encoding="opus" and packets=True. publish():
    at QoS 0. may_listen(user): its role permits the microphone. always(): topics to which the client subscribes anyway.
    told(watchers, listeners): users to whom something is streamed, and those of them who hear the microphone, on every
    change.
    """

    client: Callable[[], AsyncClient | None]
    publish: Callable[[str, bytes], object]
    may_listen: Callable[[str], bool]
    floor: Holds
    attendance: Attends
    always: Callable[[], Iterable[wire.Topic]] = tuple
    told: Callable[[tuple[str, ...], tuple[str, ...]], object] = lambda *_: None


def allowed_streams(allow: AllowConfig) -> frozenset[Stream]:
    """The streams that link.toml permits."""
    streams: set[Stream] = {"pose", "heard"} if allow.watch else set()
    if allow.captions:
        streams.add("caption")
    if allow.ear:
        streams.add("ear")
    return frozenset(streams)


def utc_ms(monotonic_ns: int) -> int:
    """UTC in ms of a time on CLOCK_MONOTONIC, by the wall clock as it is set now."""
    return max(0, (time.time_ns() - time.monotonic_ns() + monotonic_ns) // 1_000_000)


class Streams(Idle):
    """Make it inside the event loop."""

    def __init__(self, allow: AllowConfig, seams: StreamsSeams) -> None:
        self._seams = seams
        self.live = LiveStreams(allowed=allowed_streams(allow), utc_ms=utc_ms)
        self.said = AgentSpeech()
        self._task = LiveTask(self.live, client=seams.client, publish=seams.publish, always=seams.always)
        self._speaker = AgentSpeaker(self.said, client=seams.client)
        self._told: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._running = [asyncio.create_task(work) for work in (self._task.run(), self._speaker.run())]

    def watch(self, user: str, watch: Watch, now_ns: int) -> None:
        """A user asks for streams, or for none."""
        try:
            may_listen = self._seams.may_listen(user)
            answer = self.live.watch(user, watch, may_listen=may_listen, now_s=now_ns / 1e9)
        except FleetError as error:
            log.warning("%s may not watch: %s", user, error)
            return
        if answer.refused:
            log.info("%s may not watch %s", user, ", ".join(answer.refused))
        self._task.wake()
        self._tell()

    def speech(self, user: str, payload: bytes, now_ns: int) -> None:
        """Sound of a user; spoken if that user holds the floor."""
        self._follow_floor()
        self._speaker.take(user, payload, now_ns)

    def hear(self, event: Event) -> None:
        """A message of the voice."""
        self._task.take(event)

    def step(self, now_ns: int) -> None:
        """About ten times a second while `hurried`."""
        self._task.step(now_ns)
        self._follow_floor()
        self._tell()
        for task in self._running:
            if task.done():
                task.result()  # a bug: it ends the service, which is started again

    @property
    def hurried(self) -> bool:
        """While somebody watches, and while an agent may speak."""
        return self.live.watched or bool(self._seams.floor.holder)

    async def close(self) -> None:
        """The link stops."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _tell(self) -> None:
        """The face shows at once who hears the customer; who watches is told in `status`."""
        told = self.live.watchers, self.live.listeners
        if told != self._told:
            self._told = told
            self._seams.attendance.hearing = self.live.listeners
            self._seams.told(*told)

    def _follow_floor(self) -> None:
        floor = self._seams.floor
        self._speaker.floor(floor.holder)
        floor.turn = self._speaker.turn
