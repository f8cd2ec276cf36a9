"""Tells the agent what was heard: calls in order, each once."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import Final, NamedTuple

from livekit import rtc

from mien.adapters.segments.link import log
from mien.adapters.waker import Waker

STARTED: Final = "lk.playback_started"
FINISHED: Final = "lk.playback_finished"
AGAIN_S: Final = 0.1
CALL_S: Final = 20.0  # LiveKit's own limit is 15
GIVE_UP_S: Final = 30.0
SETTLE_S: Final = 2.0
_CODE: Final = rtc.RpcError.ErrorCode
# The call did not reach the agent, or found nobody there yet: it may be made again. After any other error the agent may
# have counted it, and a second finish would end a segment that is still spoken.
_UNHEARD: Final = frozenset(
    {_CODE.RECIPIENT_NOT_FOUND, _CODE.UNSUPPORTED_METHOD, _CODE.SEND_FAILED, _CODE.CONNECTION_TIMEOUT}
)


class Report(NamedTuple):
    """One call to the agent. since_s: when it was due, by the monotonic clock."""

    agent: str
    method: str
    payload: str
    since_s: float


class Reports:
    """Calls the agent for as long as a room is there; what is due meanwhile waits."""

    def __init__(self, waker: Waker) -> None:
        self._waker = waker
        self._due: deque[Report] = deque()
        self._room: rtc.Room | None = None
        self._told_at_s = -SETTLE_S

    def settled(self) -> bool:
        """Whether everything that was due reached the agent a while ago."""
        return not self._due and time.monotonic() - self._told_at_s > SETTLE_S

    def enter(self, room: rtc.Room | None) -> None:
        """Call in this room from now on; None: in no room."""
        self._room = room
        self._waker.wake()

    def forget(self, agent: str) -> None:
        """An agent has left: nobody waits for what was due to it."""
        self._due = deque(report for report in self._due if report.agent != agent)

    def started(self, agent: str) -> None:
        """The first sample of a segment was heard."""
        self._add(agent, STARTED, "")

    def finished(self, agent: str, position_s: float, interrupted: bool) -> None:
        """A segment is over."""
        event = {"playback_position": position_s, "interrupted": interrupted, "synchronized_transcript": None}
        self._add(agent, FINISHED, json.dumps(event))

    async def run(self) -> None:
        """Make the calls, until cancelled."""
        while True:
            await self._waker.until(lambda: self._due and self._room is not None)
            report = self._due[0]
            done = await self._call(report)
            if self._due and self._due[0] is report and done:
                self._due.popleft()

    def _add(self, agent: str, method: str, payload: str) -> None:
        self._due.append(Report(agent, method, payload, time.monotonic()))
        self._waker.wake()

    async def _call(self, report: Report) -> bool:
        """Returns whether this report is done with, whatever became of it."""
        assert self._room is not None
        try:
            async with asyncio.timeout(CALL_S):
                await self._room.local_participant.perform_rpc(
                    destination_identity=report.agent, method=report.method, payload=report.payload
                )
        except TimeoutError:
            log.warning("%s: no answer; the room was lost in mid-call, or the agent hangs", report.method)
            return True
        except rtc.RpcError as error:
            if error.code not in _UNHEARD or (report.method == STARTED and error.code == _CODE.UNSUPPORTED_METHOD):
                log.warning("%s: the agent answered %s", report.method, error)
                return True
            if time.monotonic() - report.since_s > GIVE_UP_S:
                log.error("%s: the agent could not be told within %g s: %s", report.method, GIVE_UP_S, error)
                return True
            await asyncio.sleep(AGAIN_S)
            return False
        self._told_at_s = time.monotonic()
        return True
