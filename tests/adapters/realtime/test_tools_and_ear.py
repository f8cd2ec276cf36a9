"""Tools that the model calls, and the customer whom the service hears."""

import asyncio
import json

import numpy as np

from adapters.realtime.rig import run, talking
from mien.adapters.realtime import Tools
from rigs.fake_ear import FakeEar

TONE = (np.sin(np.arange(320) * 2 * np.pi * 500 / 16000) * 8000).astype("<i2").tobytes()  # 500 Hz: 10 periods a block


def opening_hours(day: str) -> dict:
    """When the desk is open on a day."""
    return {"day": day, "from": 9}


async def slow_print(copies: int = 1) -> str:
    """Print a ticket."""
    await asyncio.sleep(0.05)
    return f"{copies} printed"


def outputs(talk):
    return {
        message["item"]["call_id"]: json.loads(message["item"]["output"])
        for message in talk.server.of("conversation.item.create")
    }


def test_the_model_is_told_the_tools_and_gets_what_they_return(tmp_path):
    tools = Tools([opening_hours, slow_print])

    async def talk():
        async with talking(tmp_path, tools=tools, settings={"tools": tools.schemas()}) as talk:
            (update,) = talk.server.of("session.update")
            assert [tool["name"] for tool in update["session"]["tools"]] == ["opening_hours", "slow_print"]
            await talk.server.begin()
            hours = await talk.server.call_tool("opening_hours", '{"day": "Monday"}')
            tickets = await talk.server.call_tool("slow_print", "{}")
            await talk.server.finish()
            await talk.until(lambda: talk.server.of("response.create"))
            assert outputs(talk) == {hours: {"day": "Monday", "from": 9}, tickets: "1 printed"}
            kinds = [message["type"] for message in talk.server.received[1:]]
            assert kinds == ["conversation.item.create"] * 2 + ["response.create"]

    run(talk())


def test_a_tool_that_fails_is_told_to_the_model(tmp_path):
    async def talk():
        async with talking(tmp_path, tools=Tools([opening_hours])) as talk:
            await talk.server.begin()
            wrong = await talk.server.call_tool("opening_hours", '{"week": 3}')
            unknown = await talk.server.call_tool("open_door", "{}")
            await talk.server.finish()
            await talk.until(lambda: talk.server.of("response.create"))
            told = outputs(talk)
            assert "wrong arguments" in told[wrong]["error"]
            assert "no tool 'open_door'" in told[unknown]["error"]
            assert len(talk.server.of("response.create")) == 1

    run(talk())


def test_a_customer_who_speaks_while_a_tool_runs_is_answered_once(tmp_path):
    async def talk():
        async with talking(tmp_path, tools=Tools([slow_print])) as talk:
            await talk.server.begin()
            await talk.server.call_tool("slow_print", "{}")
            await talk.server.finish()
            await talk.server.user_started()
            await talk.until(lambda: talk.server.of("conversation.item.create"))
            await talk.server.user_stopped()
            item = await talk.speak(300)
            await talk.until(lambda: talk.heard_of(item))
            assert not talk.server.of("response.create")

    run(talk())


def test_the_service_hears_the_customer_at_its_own_rate(tmp_path):
    async def talk():
        async with talking(tmp_path, listen=True) as talk:
            ear = await asyncio.to_thread(FakeEar, tmp_path)
            try:
                await talk.until(lambda: ear.orders.always)
                for _ in range(50):
                    ear.block(TONE, speech=False)
                await talk.until(lambda: len(talk.server.heard) > 0.9 * 50 * 960)
            finally:
                await asyncio.to_thread(ear.close)
            sound = np.frombuffer(bytes(talk.server.heard), "<i2").astype(float)[4800:]
            spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
            assert abs(spectrum.argmax() * 24000 / len(sound) - 500) < 5
            assert abs(np.abs(sound).max() - 8000) < 200

    run(talk())


def test_a_kiosk_without_an_ear_says_so_once_and_speaks(tmp_path):
    async def talk():
        async with talking(tmp_path, listen=True) as talk:
            item = await talk.speak(100)
            await talk.until(lambda: talk.heard_of(item))
            assert len([line for line in talk.said if "microphone is absent" in line]) == 1

    run(talk())


def test_a_local_barge_in_is_truncated_at_the_customers_first_sound(tmp_path):
    barge_in = {"mode": "interrupt", "min_speech_ms": 60, "guard_ms": 0}

    async def talk():
        async with talking(tmp_path, listen=True, voice={"barge_in": barge_in}) as talk:
            ear = await asyncio.to_thread(FakeEar, tmp_path)
            try:
                await talk.until(lambda: ear.orders.always)
                item = await talk.speak(10_000, end=False)
                await talk.playing(400)
                ear.start(ago_ms=100)
                for _ in range(10):
                    ear.block(TONE)
                await talk.until(lambda: talk.server.of("conversation.item.truncate"))
                (truncation,) = talk.server.of("conversation.item.truncate")
                (heard,) = talk.heard_of(item)
                assert truncation["audio_end_ms"] == heard.end_ms < heard.played_ms
                await talk.until(lambda: talk.server.of("response.cancel"))
            finally:
                await asyncio.to_thread(ear.close)

    run(talk())
