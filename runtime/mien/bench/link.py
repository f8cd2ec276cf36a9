"""Benchmark of the live streams: what watching a board costs, how late a watcher sees it, how late an agent is heard.

Real mosquitto with TLS, real voice, face and mien-link.
"""

import asyncio
import json
import secrets
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import aiomqtt
import numpy as np

from mien.bench.link_broker import BrokerAddress, running_broker
from mien.bench.link_mqtt import NO_DELAY, PLACE, USER
from mien.bench.link_speech import Message, latencies_ms, onsets_ns, stretch
from mien.bench.link_wire import Traffic, port_of, processor_s, traffic_of
from mien.bench.pipeline import SETTINGS
from mien.bench.rows import Report, Row, machine, percentile_row
from mien.bench.session import Session, running_session
from mien.bench.speech import utterances
from mien.client import AsyncClient, HeardSpeech, connect_async
from mien.errors import MienError
from mien.fleet.packets import PoseReader, decode_pose_batch
from mien.host.memory import pss_mb
from mien.host.stack import service_environment
from mien.motion.base import Pcm
from mien.transport import voice_endpoint

IDLE_S: Final = 10.0
SETTLE_S: Final = 1.5
START_S: Final = 20.0
STRETCHES: Final = 12
MESSAGES: Final = 34  # of a stretch: two seconds
Progress = Callable[[str], None]


class Span(NamedTuple):
    """Figures of some seconds. processor: of link, voice and face, in seconds."""

    seconds: float
    traffic: Traffic
    processor: tuple[float, float, float]


class Watched(NamedTuple):
    """lateness_ms: of each frame, from when it was visible until its message came. lost: gaps in the batches."""

    span: Span
    lateness_ms: list[float]
    frames: int
    lost: int


def run_link(quick: bool, progress: Progress) -> Report:
    """Run the benchmark; quick: a third of it. Raises MienError when something that it needs is missing."""
    share = 3 if quick else 1
    said = np.concatenate(utterances(12 // share))
    with (
        tempfile.TemporaryDirectory(prefix="mien-link-") as folder,
        running_broker(Path(folder)) as broker,
        running_session(SETTINGS) as session,
        running_link(session, broker, Path(folder)) as board,
    ):
        return asyncio.run(_Bench(session, broker, board, progress).run(said, STRETCHES // share))


@contextmanager
def running_link(session: Session, broker: BrokerAddress, folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """mien-link, connected to the broker. folder: for its files."""
    lines = f"""
[board]
site = "{PLACE.site}"
name = "{PLACE.name}"
[broker]
host = "127.0.0.1"
port = {broker.port}
ca = "{broker.ca}"
[events]
folder = "{folder}"
"""
    path = folder / "link.toml"
    path.write_text(lines)
    arguments = ["--config", str(path), "--run-dir", str(session.stack.run_dir)]
    process = subprocess.Popen([sys.executable, "-m", "mien.link", *arguments], env=service_environment())
    try:
        _await_connection(process, broker.port)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _await_connection(process: "subprocess.Popen[bytes]", port: int) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        with suppress(MienError):
            port_of(process.pid, port)
            return
        time.sleep(0.1)
    raise MienError("mien-link did not connect to the broker")


class _Bench:
    def __init__(
        self,
        session: Session,
        broker: BrokerAddress,
        board: "subprocess.Popen[bytes]",
        progress: Progress,
    ) -> None:
        self._session = session
        self._broker = broker
        self._board = board
        self._port = port_of(board.pid, broker.port)
        self._progress = progress
        voice, face = session.stack.voice, session.stack.face
        assert voice is not None
        assert face is not None
        self._pids = (board.pid, voice.pid, face.pid)

    async def run(self, said: Pcm, stretches: int) -> Report:
        tls = ssl.create_default_context(cafile=self._broker.ca)
        await asyncio.sleep(SETTLE_S)
        self._progress("nobody watches, nobody speaks")
        idle = await self._span(asyncio.sleep(IDLE_S))
        idle_mb = pss_mb(self._board.pid)
        self._progress("nobody watches a sentence")
        unseen = await self._span(asyncio.to_thread(self._session.client.say, said))
        async with aiomqtt.Client("127.0.0.1", self._broker.port, tls_context=tls, socket_options=NO_DELAY) as mqtt:
            await mqtt.subscribe(PLACE.topic("live", "#"))
            self._progress("a sentence is watched")
            watched = await self._watch(mqtt, said, "pose")
            watched_mb = pss_mb(self._board.pid)
            self._progress("and heard")
            heard = await self._watch(mqtt, said, "pose", "heard")
            self._progress("a resting face is watched")
            resting = await self._watch(mqtt, None, "pose")
            latencies = await self._agent(mqtt, stretches)
        rows = [
            *_wire_rows(watched, heard, resting),
            percentile_row("pose, frame visible to its message, median", watched.lateness_ms, 50),
            percentile_row("pose, frame visible to its message, p95", watched.lateness_ms, 95, bar=120.0),
            Row(name="pose batches lost", value=watched.lost, unit="gaps", bar=0),
            percentile_row("agent's speech, sent to the broker until heard, median", latencies, 50),
            percentile_row("agent's speech, sent to the broker until heard, p95", latencies, 95, bar=200.0),
            *self._cost_rows(idle, unseen, watched.span),
            Row(name="mien-link, nobody watches", value=round(idle_mb, 1), unit="MB", bar=45.0),
            Row(name="mien-link, watched", value=round(watched_mb, 1), unit="MB"),
        ]
        return Report(benchmark="link", rows=tuple(rows), machine=machine())

    async def _span(self, work: Awaitable[object]) -> Span:
        """What it costs while an awaitable runs."""
        began_s, before, used = time.monotonic(), traffic_of(self._port), [processor_s(pid) for pid in self._pids]
        await work
        seconds = time.monotonic() - began_s
        link, voice, face = (processor_s(pid) - then for pid, then in zip(self._pids, used, strict=True))
        return Span(seconds, traffic_of(self._port).since(before), (link, voice, face))

    async def _watch(self, mqtt: aiomqtt.Client, said: Pcm | None, *streams: str) -> Watched:
        """Watch a sentence, or IDLE_S of a resting face."""
        came: list[tuple[float, bytes]] = []
        reading = asyncio.create_task(_collect(mqtt, came))
        await mqtt.publish(PLACE.topic("watch", USER), json.dumps({"streams": streams, "for_s": 60}), qos=1)
        await asyncio.sleep(SETTLE_S)
        began_ms = time.time_ns() / 1e6
        say = asyncio.to_thread(self._session.client.say, said) if said is not None else asyncio.sleep(IDLE_S)
        span = await self._span(say)
        ended_ms = time.time_ns() / 1e6
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await mqtt.publish(PLACE.topic("watch", USER), json.dumps({"streams": []}), qos=1)
        await asyncio.sleep(SETTLE_S)
        reader, lateness, frames = PoseReader(), [], 0
        for at_ms, payload in came:
            batch = decode_pose_batch(payload)
            reader.take(batch)
            if not began_ms <= at_ms < ended_ms:
                continue
            shown_ms = float(batch.shown_ms)
            for frame in batch.frames:
                shown_ms += frame.dt_ms
                lateness.append(at_ms - shown_ms)
            frames += len(batch.frames)
        return Watched(span, lateness, frames, reader.lost)

    async def _agent(self, mqtt: aiomqtt.Client, stretches: int) -> list[float]:
        take = {"id": secrets.token_hex(8), "at": time.time(), "command": "take_floor"}
        await mqtt.publish(PLACE.topic("command", "agent", USER), json.dumps(take), qos=1)
        await asyncio.sleep(SETTLE_S)
        blocks: list[tuple[int, Pcm]] = []
        sent_ns: list[int] = []
        async with connect_async(voice_endpoint(self._session.stack.run_dir), role="observer") as ear:
            await ear.subscribe("heard")
            hearing = asyncio.create_task(_hear(ear, blocks))
            for number in range(stretches):
                self._progress(f"an agent speaks, {number + 1}/{stretches}")
                messages = stretch(MESSAGES, seq=number * MESSAGES, begin_ms=time.time_ns() // 1_000_000)
                await self._speak(mqtt, messages, sent_ns)
                await asyncio.sleep(1.0)
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        return latencies_ms(sent_ns, onsets_ns(blocks))

    async def _speak(self, mqtt: aiomqtt.Client, messages: list[Message], sent_ns: list[int]) -> None:
        """Publish a stretch in real time."""
        began_s = time.monotonic()
        for message in messages:
            await asyncio.sleep(max(0.0, began_s + message.at_ms / 1000 - time.monotonic()))
            if message.beep:
                sent_ns.append(time.monotonic_ns())
            await mqtt.publish(PLACE.topic("speech", USER), message.payload)

    def _cost_rows(self, idle: Span, unseen: Span, watched: Span) -> list[Row]:
        rows = [_load("mien-link, nobody watches, nobody speaks", idle, 0, bar=2.0)]
        for who, index in (("mien-link", 0), ("voice", 1), ("face", 2)):
            rows.append(_load(f"{who} while it speaks, nobody watches", unseen, index))
            rows.append(_load(f"{who} while it speaks, watched", watched, index))
        return rows


def _load(name: str, span: Span, index: int, bar: float | None = None) -> Row:
    return Row(name=name, value=round(100 * span.processor[index] / span.seconds, 2), unit="% of a core", bar=bar)


def _wire_rows(watched: Watched, heard: Watched, resting: Watched) -> list[Row]:
    span = watched.span
    return [
        Row(name="pose, frames a second", value=round(watched.frames / span.seconds, 1), unit="/s"),
        _rate("pose on the wire, TCP payload with TLS", span.traffic.sent, span),
        _rate("pose on the wire, with headers of IP and TCP", span.traffic.outbound_bytes, span, bar=3000),
        _rate("pose on the wire, both directions", span.traffic.both_bytes, span),
        _rate("pose and speech on the wire, with headers", heard.span.traffic.outbound_bytes, heard.span),
        _rate("pose of a resting face, with headers", resting.span.traffic.outbound_bytes, resting.span),
    ]


def _rate(name: str, size: int, span: Span, bar: float | None = None) -> Row:
    return Row(name=name, value=round(size / span.seconds), unit="bytes/s", bar=bar)


async def _collect(mqtt: aiomqtt.Client, came: list[tuple[float, bytes]]) -> None:
    """Pose batches with the UTC in ms at which each came."""
    topic = PLACE.topic("live", "pose")
    async for message in mqtt.messages:
        if str(message.topic) == topic:
            came.append((time.time_ns() / 1e6, bytes(message.payload)))


async def _hear(ear: AsyncClient, blocks: list[tuple[int, Pcm]]) -> None:
    async for item in ear.live():
        if isinstance(item, HeardSpeech):
            blocks.append((item.at_ns, np.frombuffer(item.data, "<i2")))
