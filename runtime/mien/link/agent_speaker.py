"""Speaks what an agent says through a client of the voice: does what AgentSpeech decides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Final

from mien.client import AsyncClient, AsyncTurn
from mien.errors import ClientError
from mien.link.agent_speech import Action, AgentSpeech
from mien.units import NS_PER_MS

log = logging.getLogger("mien.link")

STEP_S: Final = 0.005
GUESS_MS: Final = 300  # the voice reports five times a second; a turn that stands still for longer has stalled


class AgentSpeaker:
    """run() until it is cancelled. client(): opened with encoding="opus" and packets=True; None without a session."""

    def __init__(self, speech: AgentSpeech, *, client: Callable[[], AsyncClient | None]) -> None:
        self._speech = speech
        self._client = client
        self._woken = asyncio.Event()
        self._actions: list[Action] = []
        self._turn: AsyncTurn | None = None
        self._played_ms = self._told_ms = 0.0

    @property
    def turn(self) -> str:
        """The name of the turn that is spoken, for its caption; "" for none."""
        return self._turn.name if self._turn is not None else ""

    def floor(self, user: str) -> None:
        """This user holds the floor from now on; "" nobody."""
        if actions := self._speech.floor(user):
            self._actions += actions
            self._woken.set()

    def take(self, user: str, payload: bytes, now_ns: int) -> None:
        """A message on speech/USER. now_ns: CLOCK_MONOTONIC."""
        self._actions += self._speech.take(user, payload, now_ns / NS_PER_MS)
        self._woken.set()

    async def run(self) -> None:
        """Speak. While nobody does it only waits."""
        while True:
            self._woken.clear()
            now_ms = _now_ms()
            self._actions += self._speech.step(now_ms, self._ahead_ms(now_ms))
            actions, self._actions = self._actions, []
            for action in actions:
                await self._do(action)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STEP_S if self._speech.busy else None):
                    await self._woken.wait()

    def _ahead_ms(self, now_ms: float) -> float:
        """How much of the turn is unheard now, from the last report."""
        turn = self._turn
        if turn is None:
            return 0.0
        if turn.played_ms != self._played_ms:
            self._played_ms, self._told_ms = turn.played_ms, now_ms
        since_ms = now_ms - self._told_ms
        guess_ms = since_ms if turn.played_ms and since_ms < GUESS_MS else 0.0
        return max(0.0, turn.sent_ms - turn.played_ms - guess_ms)

    async def _do(self, action: Action) -> None:
        """An agent who was interrupted, or a voice that is gone, costs the rest of this turn and no more."""
        if action.what == "begin":
            client = self._client()
            self._turn = None if client is None else client.turn()
        turn = self._turn
        if turn is None:
            return
        try:
            match action.what:
                case "packet":
                    await turn.write_packet(action.packet)
                case "end":
                    await turn.end()
                    self._turn = None
                case "cancel":
                    await turn.cancel()
                    self._turn = None
        except ClientError as error:
            self._turn = None
            if error.code != "turn_closed":
                log.warning("an agent's speech was lost: %s", error)


def _now_ms() -> float:
    return time.monotonic_ns() / NS_PER_MS
