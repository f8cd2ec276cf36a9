"""Sends the customer's sound to a service, block by block."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from mien.client import AsyncClient, Ear, Heard, NearEnd
from mien.client.audio import MonoConverter, SampleFormat

EAR_RATE_HZ: Final = 16000
_KEPT_BLOCKS: Final = 100  # 2 s: what a stalled connection may hold back


class Microphone:
    """The ear's sound at the service's rate. ready: called when there is a block to take.

    on_heard: called with everything else that the ear says. Blocks that are not taken within 2 s are dropped, the
    oldest first: a service must hear the customer, not the past.
    """

    def __init__(
        self, agent: AsyncClient, rate_hz: int, ready: Callable[[], None], on_heard: Callable[[Heard], None]
    ) -> None:
        self._agent = agent
        self._ready = ready
        self._on_heard = on_heard
        self._converter = MonoConverter(SampleFormat(EAR_RATE_HZ, 1, 16, False), rate_hz)
        self._blocks: deque[bytes] = deque(maxlen=_KEPT_BLOCKS)

    def take(self) -> bytes | None:
        """The oldest block, mono s16le; None when there is none."""
        return self._blocks.popleft() if self._blocks else None

    def forget(self) -> None:
        """Drop what was not taken: it belongs to a connection that is gone."""
        self._blocks.clear()

    async def run(self) -> None:
        """Listen until the client is closed: all sound, because the service must hear the silence after a word too."""
        async for heard in self._agent.listen("always"):
            if isinstance(heard, NearEnd):
                if pcm := self._converter.convert(heard.data):
                    self._blocks.append(pcm)
                    self._ready()
            else:
                self._on_heard(heard)


def complaint(ear: Ear) -> str:
    """What an operator should know about the ear; empty when it hears."""
    return "" if ear.state == "ok" else f"the microphone is {ear.state.replace('_', ' ')}: {ear.why}"
