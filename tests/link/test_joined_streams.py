"""The streams in the whole link: a real voice, a real broker, a user who watches and speaks."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from link.link_rig import PLACE, link_config, listening, running, until
from mien.audio.opus import OpusEncoder
from mien.fleet.packets import Sound, decode_sound, encode_sound
from mien.link.config import AllowConfig
from rigs.mosquitto import Mosquitto
from rigs.services import running_voice
from rigs.voice_rig import tone


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def status_of(listener: Any) -> Any:
    return (listener.payloads("status") or [{}])[-1]


def heard(listener: Any) -> list[Sound]:
    return [decode_sound(payload) for topic, payload, _ in listener.heard if topic == PLACE.topic("live/heard")]


def test_who_watches_hears_an_agent_speak_and_status_says_who(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        config = link_config(broker.port, allow=AllowConfig(captions=True))
        async with listening(broker.port) as listener, running(config, tmp_path):
            await until(lambda: status_of(listener).get("session"))
            await listener.publish("watch/bob", b'{"streams": ["heard", "caption"]}')
            await until(lambda: status_of(listener)["watchers"]["watching"] == ["bob"])
            assert (await listener.order("take_floor", "ann", "agent"))["state"] == "done"
            packets = OpusEncoder(16000).encode_all(tone(900))
            for number, packet in enumerate(packets):
                at_ms = 1_000_000 + number * 20
                sound = Sound(number, at_ms, (packet,), number == 0, number == len(packets) - 1)
                await listener.publish("speech/ann", encode_sound(sound), qos=0)
                await listener.publish("speech/eve", encode_sound(sound), qos=0)
                await asyncio.sleep(0.02)
                if number == 20:
                    answer = await listener.order("caption", "ann", "agent", text="Good day")
                    assert answer["state"] == "done"
            await until(lambda: heard(listener) and heard(listener)[-1].last)
            assert sum(len(sound.packets) for sound in heard(listener)) * 20 >= 900
            await until(lambda: any(line["final"] for line in listener.payloads("live/caption")))
            assert {line["who"] for line in listener.payloads("live/caption")} == {"agent"}
            await listener.publish("watch/bob", b'{"streams": []}')
            await until(lambda: not status_of(listener)["watchers"]["watching"])

    with running_voice(tmp_path):
        asyncio.run(play())
