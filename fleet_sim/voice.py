"""A kiosk's voice that follows the public protocol and its timing, without sound: what mien-link talks to.

It serves one ROUTER socket as mien-voice does: welcome, pong every two seconds, health every second to subscribers,
turns as status and outcome while a visit goes on, calls, the floor with an agent's speech. What happens is `life`, by
seed.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import zmq
import zmq.asyncio

from fleet_sim.life import Moment, life
from fleet_sim.streams import BATCH_S, HEADER_BYTES, KEY_EVERY, PoseStream, opus_packet
from mien.core import wire
from mien.errors import ProtocolError
from mien.fleet import event
from mien.transport import voice_endpoint

PONG_S: Final = 2.0
HEALTH_S: Final = 1.0
SILENT_AFTER_S: Final = 0.3
"""An agent's turn without a chunk for so long was heard to its end."""
_CAPABILITIES: Final = ("call", "poses", "heard")
_LIMITS: Final = wire.Limits(
    max_chunk_bytes=64_000,
    max_header_bytes=16_384,
    max_buffer_ms=10_000,
    max_turn_ms=600_000,
    max_turns=16,
    turn_idle_timeout_ms=30_000,
)


class SimulatedVoice:
    """heard: times (CLOCK_MONOTONIC, s) at which an agent's first sound of a turn came."""

    def __init__(self, context: zmq.asyncio.Context, run_dir: Path, seed: int, speed: float) -> None:
        self.heard: list[float] = []
        self._socket = context.socket(zmq.ROUTER)
        self._socket.set(zmq.LINGER, 0)
        self._socket.bind(voice_endpoint(run_dir))
        self._life, self._speed = life(seed), speed
        self._topics: dict[bytes, tuple[str, ...]] = {}
        self._holder: bytes | None = None
        self._turns: dict[str, tuple[bytes, float]] = {}
        self._number = 0
        self._poses, self._chance = PoseStream(seed), random.Random(seed)
        self._streams = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._serve(), self._live(), self._beat(), self._stream()):
                    group.create_task(work)
        finally:
            self._socket.close()

    async def _serve(self) -> None:
        while True:
            peer, *frames = await self._socket.recv_multipart()
            with contextlib.suppress(ProtocolError):
                for answer in self._answers(peer, wire.decode_client(frames[0])):
                    await self._send(peer, answer)

    def _answers(self, peer: bytes, message: wire.ClientMessage) -> Iterable[wire.Message]:
        match message:
            case wire.Hello():
                self._topics[peer] = ()
                self._number += 1
                yield wire.Welcome(session=f"s{self._number}", protocol=1, version="simulated",
                                   capabilities=_CAPABILITIES, rates_hz=wire.RATES_HZ, limits=_LIMITS,
                                   encodings=("s16le", "opus"))  # fmt: skip
            case wire.Subscribe(topics=topics):
                self._topics[peer] = topics
                if self._streamed():
                    self._streams.set()
            case wire.Ping(nonce=nonce):
                yield wire.Pong(nonce=nonce, now_ns=time.monotonic_ns())
            case wire.TakeFloor():
                self._holder = peer
                yield wire.Floor(holder="mien-link", why="taken", yours=True)
            case wire.ReleaseFloor():
                self._holder = None
                yield wire.Floor(holder="", why="released")
            case wire.Audio(turn=turn):
                yield from self._hear(peer, turn)
            case wire.Bye():
                self._topics.pop(peer, None)
                yield wire.Bye()

    def _hear(self, peer: bytes, turn: str) -> Iterable[wire.Message]:
        now_s = time.monotonic()
        new = turn not in self._turns
        self._turns[turn] = (peer, now_s)
        if new:
            self.heard.append(now_s)
            yield wire.Started(turn=turn, latency_ms=40.0)
        yield wire.Progress(turn=turn, played_ms=20.0, buffered_ms=40.0, credit_ms=9_000.0)

    async def _live(self) -> None:
        began_s = time.monotonic()
        for moment in self._life:
            await asyncio.sleep(max(0.0, began_s + moment.at_s / self._speed - time.monotonic()))
            for topic, message in _told(moment):
                await self._tell(topic, message)

    async def _beat(self) -> None:
        beat = 0
        while True:
            await asyncio.sleep(HEALTH_S)
            beat += 1
            await self._tell("health", wire.HealthReport(
                level="full", clients=len(self._topics), voice_pss_mb=34.0, counters={"turns": beat}, face_fps=30.0,
                face_missed=0, face_offset_median_ms=4.0, face_offset_p95_ms=9.0))  # fmt: skip
            if beat % round(PONG_S / HEALTH_S) == 0:
                for peer in list(self._topics):
                    await self._send(peer, wire.Pong(nonce=0, now_ns=time.monotonic_ns()))
            await self._end_turns()

    async def _stream(self) -> None:
        """Poses and speech, a batch of 100 ms at a time, while somebody asks for them.

        Their headers are made by hand: a voice of this version need not know them to tell a newer link.
        """
        number = 0
        while True:
            await self._streams.wait()
            if not self._streamed():
                self._streams.clear()
                continue
            frames, now_ns = self._poses.batch(time.time())[HEADER_BYTES:], time.monotonic_ns()
            key = number % KEY_EVERY == 0
            await self._tell_raw("poses", {"type": "poses", "seq": number, "at_ns": now_ns, "key": key}, frames)
            for block in range(5):
                heard = {"type": "heard", "seq": 5 * number + block, "at_ns": now_ns + block * 20_000_000,
                         "first": number + block == 0}  # fmt: skip
                await self._tell_raw("heard", heard, opus_packet(self._chance))
            number += 1
            await asyncio.sleep(BATCH_S)

    def _streamed(self) -> bool:
        return any({"poses", "heard"} & set(topics) for topics in self._topics.values())

    async def _tell_raw(self, topic: str, header: dict[str, Any], payload: bytes) -> None:
        for peer, topics in list(self._topics.items()):
            if topic in topics:
                with contextlib.suppress(zmq.ZMQError):  # the peer is gone
                    await self._socket.send_multipart([peer, msgspec.msgpack.encode(header), payload])

    async def _end_turns(self) -> None:
        now_s = time.monotonic()
        for turn, (peer, at_s) in list(self._turns.items()):
            if now_s - at_s > SILENT_AFTER_S:
                del self._turns[turn]
                await self._send(peer, wire.Finished(turn=turn, played_ms=1000.0, interrupted=False, reason="played"))

    async def _tell(self, topic: str, message: wire.Message) -> None:
        for peer, topics in list(self._topics.items()):
            if topic in topics:
                await self._send(peer, message)

    async def _send(self, peer: bytes, message: wire.Message) -> None:
        with contextlib.suppress(zmq.ZMQError):  # the peer is gone
            await self._socket.send_multipart([peer, wire.encode(message)])


def _told(moment: Moment) -> Iterable[tuple[str, wire.Message]]:
    """What a voice tells of a moment: its turns and calls."""
    happening = moment.happening
    if isinstance(happening, event.Turn):
        about: dict[str, Any] = {"client": happening.client, "turn": happening.turn, "played_ms": happening.heard_ms}
        yield "state", wire.Status(phase="speaking", state="talking", emotion="neutral", floor="", **about)
        yield "state", wire.Outcome(interrupted=False, reason="played", words_heard=0, last_word="", **about)
        yield "state", wire.Status(phase="idle", state="idle", emotion="neutral", floor="", **about)
    elif isinstance(happening, event.Call):
        opened = happening.state == "open"
        yield "calls", wire.Call(open=opened, language=happening.language, client="agent")
