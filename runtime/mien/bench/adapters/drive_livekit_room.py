"""Speaks the script to a kiosk in a room, as LiveKit's DataStreamAudioOutput does.

The room is a stand-in in memory (room_standin.py), because no LiveKit server is to be had here; the kiosk, its voice
and the client are real.
"""

import asyncio
import json
from collections import Counter
from typing import Any

from livekit import rtc

from mien.adapters.livekit_room import Kiosk
from mien.adapters.segments.link import Address
from mien.bench.adapters.acting import Actor
from mien.bench.adapters.driver import Pcm, Segment, Verdict
from mien.bench.adapters.room_standin import KIND, TOKEN, Server


class Driver:
    """The agent's part. Its protocol has no pause, and carries no words."""

    name = "livekit_room"
    rate_hz = 24000
    can_pause = False

    def __init__(self) -> None:
        self._server = Server()
        self._agent = self._server.room("agent", KIND.PARTICIPANT_KIND_AGENT)
        self._serving: asyncio.Task[str] | None = None
        self._finishes: Counter[int] = Counter()
        self._number = -1
        self._told: asyncio.Future[dict[str, Any]] | None = None

    async def open(self, endpoint: str) -> None:
        """Have the agent and the kiosk join."""
        await self._agent.connect("", TOKEN)
        self._agent.local_participant.register_rpc_method("lk.playback_started", lambda _: "ok")
        self._agent.local_participant.register_rpc_method("lk.playback_finished", self._finished)
        kiosk = Kiosk(
            "",
            TOKEN,
            Address(endpoint, self.rate_hz, "bench room"),
            microphone=False,
            make_room=self._make_room,
        )
        self._serving = asyncio.create_task(kiosk.run())
        await kiosk.link.reached(10.0)
        while not kiosk.agent:
            await asyncio.sleep(0.01)

    async def speak(self, segment: Segment) -> Verdict:
        """Speak one segment as one byte stream."""
        local = self._agent.local_participant
        self._number = segment.number
        self._told = asyncio.get_running_loop().create_future()
        attributes = {"sample_rate": str(self.rate_hz), "num_channels": "1"}
        writer = await local.stream_bytes(
            name="AUDIO", topic="lk.audio_stream", destination_identities=["kiosk"], attributes=attributes
        )

        async def push(chunk: Pcm) -> None:
            await writer.write(chunk.tobytes())

        async def interrupt() -> None:
            await writer.aclose()
            await local.perform_rpc(destination_identity="kiosk", method="lk.clear_buffer", payload="")

        actor = Actor(segment, self.rate_hz, push=push, end=writer.aclose, interrupt=interrupt)
        await actor.perform(asyncio.shield(self._told))
        event = self._told.result()
        return Verdict(
            pushed_ns=actor.pushed_ns,
            interrupted_ns=actor.interrupted_ns if event["interrupted"] else None,
            position_ms=event["playback_position"] * 1000,
            interrupted=event["interrupted"],
        )

    def _make_room(self) -> Any:
        return self._server.room("kiosk")

    def finishes(self, number: int) -> int:
        """How many lk.playback_finished calls came for this segment."""
        return self._finishes[number]

    async def close(self) -> None:
        """Close the room."""
        self._server.cut("kiosk", rtc.DisconnectReason.ROOM_CLOSED)
        if self._serving is not None:
            await self._serving

    def _finished(self, call: rtc.RpcInvocationData) -> str:
        self._finishes[self._number] += 1
        if self._told is not None and not self._told.done():
            self._told.set_result(json.loads(call.payload))
        return "ok"
