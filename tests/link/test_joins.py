"""The parts that join the link: streams, an agent's speech, metrics, updates; with a real voice and broker."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from link.link_rig import link_config, listening, running, until
from mien.audio.opus import OpusEncoder
from mien.client import connect_async
from mien.fleet.packets import Sound, decode_sound, encode_sound
from mien.link.config import AllowConfig, MetricsConfig, UpdateConfig
from mien.link.update_part import UpdatePart
from rigs.mosquitto import Mosquitto, free_port
from rigs.services import running_voice
from rigs.update_rig import DdiServer, IdealBoard


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def status_of(listener: Any) -> Any:
    return (listener.payloads("status") or [{}])[-1]


async def watch(listener: Any, *streams: str) -> None:
    await listener.publish("watch/ann", json.dumps({"streams": streams, "for_s": 20}).encode())


def packets_of(listener: Any, topic: str) -> list[bytes]:
    return [payload for at, payload, _ in listener.heard if at.endswith(topic)]


def test_what_is_heard_reaches_a_watcher_and_nobody_else(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        config = link_config(broker.port, allow=AllowConfig(captions=True))
        async with listening(broker.port) as listener, running(config, tmp_path):
            await until(lambda: status_of(listener).get("session"))
            async with connect_async(f"ipc://{tmp_path}/voice.sock", name="bot") as bot:
                await bot.say(bytes(6400))
                assert not packets_of(listener, "live/heard"), "nobody watches"
                await watch(listener, "heard", "caption")
                await asyncio.sleep(0.5)
                async with bot.turn("t1") as turn:
                    await bot.caption("t1", "Good morning")
                    await turn.write(bytes([0, 1]) * 4800)
                await turn.wait()
            await until(lambda: packets_of(listener, "live/heard"))
            sounds = [decode_sound(payload) for payload in packets_of(listener, "live/heard")]
            assert sounds[0].first
            assert 10 <= sum(len(sound.packets) for sound in sounds) <= 25
            assert any(line["text"] == "Good morning" for line in listener.payloads("live/caption"))

    with running_voice(tmp_path):
        asyncio.run(play())


def test_an_agent_speaks_through_the_kiosk_once_it_holds_the_floor(tmp_path: Path, broker: Mosquitto) -> None:
    encoder = OpusEncoder(48_000)
    tone = (np.sin(np.arange(960) * 2 * np.pi * 300 / 48_000) * 8000).astype(np.int16)
    sound = [bytes(encoder.encode(tone)) for _ in range(20)]

    async def speak(listener: Any) -> None:
        for number in range(20):
            packet = Sound(
                seq=number,
                at_ms=time.time_ns() // 1_000_000,
                packets=(sound[number],),
                first=number == 0,
                last=number == 19,
            )
            await listener.publish("speech/ann", encode_sound(packet), qos=0)
            await asyncio.sleep(0.02)

    def turns(listener: Any) -> list[Any]:
        return [each for each in listener.payloads("event") if each["type"] == "turn"]

    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: status_of(listener).get("session"))
            await speak(listener)
            answer = await listener.order("take_floor", "ann", "agent")
            assert answer["state"] == "done"
            assert turns(listener) == [], "without the floor nothing is spoken"
            await until(lambda: (status_of(listener)["floor"] or {}).get("holder") == "ann")
            await speak(listener)
            await until(lambda: turns(listener))
            assert turns(listener)[0]["reason"] == "played"
            assert 300 <= turns(listener)[0]["heard_ms"] <= 500

    with running_voice(tmp_path):
        asyncio.run(play())


def test_metrics_are_served_and_count_what_happens(tmp_path: Path, broker: Mosquitto) -> None:
    port = free_port()

    def scrape() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read(), "utf-8")

    async def play() -> None:
        config = link_config(broker.port, metrics=MetricsConfig(listen=f"127.0.0.1:{port}"))
        async with listening(broker.port) as listener, running(config, tmp_path):
            await until(lambda: status_of(listener).get("session"))
            async with connect_async(f"ipc://{tmp_path}/voice.sock", name="bot") as bot:
                await bot.say(bytes(3200))
            await until(lambda: any(each["type"] == "turn" for each in listener.payloads("event")))
            text = await asyncio.to_thread(scrape)
            assert 'mien_turns_total{board="lobby",reason="played",site="museum"} 1.0' in text

    with running_voice(tmp_path):
        asyncio.run(play())


def test_an_update_is_installed_once_nobody_is_there_and_is_told(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, board = DdiServer(base="/DEFAULT/controller/v1/museum.lobby"), IdealBoard()
    server.action = "7"
    monkeypatch.setattr("mien.link.update_part.UpdatePart", lambda parts: UpdatePart(parts, board))
    monkeypatch.setattr("mien.link.drain.QUIET_NS", 1)

    async def play() -> None:
        config = link_config(broker.port, update=UpdateConfig(url=server.url))
        async with listening(broker.port) as listener, running(config, tmp_path) as service:
            await until(lambda: status_of(listener).get("session"))

            def stages() -> list[str]:
                return [each["stage"] for each in listener.payloads("event") if each["type"] == "update"]

            await until(lambda: "installing" in stages(), 30)
            await until(lambda: status_of(listener)["draining"])
            assert stages()[:2] == ["downloading", "installing"]
            await until(lambda: status_of(listener)["update"] in ("installing", "restarting", "trial"))
            assert service.parts.drain.draining

    try:
        with running_voice(tmp_path):
            asyncio.run(play())
    finally:
        server.close()


def test_a_rehearsal_is_a_turn_that_is_heard(tmp_path: Path, broker: Mosquitto) -> None:
    server = DdiServer()

    async def play() -> None:
        config = link_config(broker.port)
        async with listening(broker.port) as listener, running(config, tmp_path) as service:
            await until(lambda: status_of(listener).get("session"))
            parts = service.parts
            update = UpdatePart(
                type(parts)(
                    **{
                        **{name: getattr(parts, name) for name in parts.__dataclass_fields__},
                        "config": link_config(broker.port, update=UpdateConfig(url=server.url)),
                    }
                ),
                IdealBoard(),
            )
            await update._rehearse()
            await until(lambda: any(each["type"] == "turn" for each in listener.payloads("event")))
            (turn,) = (each for each in listener.payloads("event") if each["type"] == "turn")
            assert turn["reason"] == "played"
            assert turn["heard_ms"] >= 900
            await update.close()

    try:
        with running_voice(tmp_path):
            asyncio.run(play())
    finally:
        server.close()


def test_an_update_that_failed_is_told_until_the_next(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In `status`, also by a link that was started since: an alert stands on it."""
    server, board = DdiServer(base="/DEFAULT/controller/v1/museum.lobby"), IdealBoard()
    server.action, board.fails_with = "7", "no space"
    monkeypatch.setattr("mien.link.update_part.UpdatePart", lambda parts: UpdatePart(parts, board))
    monkeypatch.setattr("mien.link.drain.QUIET_NS", 1)
    config = link_config(broker.port, update=UpdateConfig(url=server.url))

    async def play() -> None:
        async with listening(broker.port) as listener:
            async with running(config, tmp_path):
                await until(lambda: server.closed_as() == ["failure"], 40)
                await until(lambda: status_of(listener).get("update") == "failed")
            async with running(config, tmp_path):
                await until(lambda: status_of(listener).get("online") and status_of(listener)["update"] == "failed")

    try:
        with running_voice(tmp_path):
            asyncio.run(play())
    finally:
        server.close()
