"""What the real service does on a bad day: limits, lost connections, refusals, malformed messages."""

import asyncio
import json
from http import HTTPStatus

import pytest

from adapters.realtime.rig import PATIENCE_S, run, talking
from mien.adapters.realtime import Bridge, OpenAiRealtime, ServiceError, Settings
from mien.bench.adapters.realtime_server import RATE_HZ, RealtimeServer
from mien.client import connect_async
from mien.errors import ConfigError
from rigs.services import running_voice


class Slept:
    """Sleeps as short as can be, and keeps how long it was asked to."""

    def __init__(self):
        self.asked = []

    async def __call__(self, wait_s):
        self.asked.append(wait_s)
        await asyncio.sleep(0.01)


def test_a_dropped_connection_is_made_again_and_no_item_is_reported_twice(tmp_path):
    async def talk():
        sleep = Slept()
        async with talking(tmp_path, sleep=sleep) as talk:
            item = await talk.speak(500, end=False)
            await talk.playing(100)
            await talk.server.drop()
            await talk.until(lambda: talk.server.connections == 2 and talk.server.ready)
            await talk.until(lambda: talk.heard)
            assert (talk.heard[0].item, talk.heard[0].cut) == (item, False)
            assert talk.heard[0].played_ms == pytest.approx(500, abs=1)
            after = await talk.speak(100)
            await talk.until(lambda: talk.heard_of(after))
            assert len(talk.heard) == 2
            assert not talk.server.of("conversation.item.truncate")
            assert sleep.asked == [0.5]
            assert any("not connected" in line for line in talk.said)

    run(talk())


def test_an_item_of_a_lost_connection_is_not_truncated_in_the_next(tmp_path):
    async def talk():
        async with talking(tmp_path, sleep=Slept()) as talk:
            item = await talk.speak(10_000, end=False)
            await talk.playing(100)
            await talk.server.drop()
            await talk.until(lambda: talk.server.connections == 2 and talk.server.ready)
            await talk.server.user_started()
            await talk.until(lambda: talk.heard)
            assert (talk.heard[0].item, talk.heard[0].cut) == (item, True)
            await talk.speak(50)
            await talk.until(lambda: len(talk.heard) == 2)
            assert not talk.server.of("conversation.item.truncate")

    run(talk())


def test_a_rate_limit_at_the_handshake_is_waited_for(tmp_path):
    async def talk():
        sleep = Slept()
        async with talking(tmp_path, sleep=sleep) as talk:
            talk.server.refuse_with = (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "7"})
            await talk.server.drop()
            await talk.until(lambda: talk.server.connections == 2 and talk.server.ready)
            assert sleep.asked == [0.5, 7.0]

    run(talk())


def test_attempts_come_further_and_further_apart(tmp_path):
    async def talk():
        sleep = Slept()
        async with talking(tmp_path, sleep=sleep) as talk:
            for _ in range(4):
                before = talk.server.connections
                talk.server.refuse_with = (HTTPStatus.SERVICE_UNAVAILABLE, {})
                await talk.server.drop()
                await talk.until(lambda before=before: talk.server.connections > before and talk.server.ready)
            assert sleep.asked == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]

    run(talk())


def test_an_answer_that_fails_by_a_rate_limit_is_asked_for_again(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.server.begin()
            await talk.server.fail("rate_limit_exceeded", "Rate limit reached. Please try again in 20ms.")
            await talk.until(lambda: talk.server.of("response.create"))
            assert any("Rate limit reached" in line for line in talk.said)
            item = await talk.speak(100)
            await talk.until(lambda: talk.heard_of(item))
            assert len(talk.server.of("response.create")) == 1

    run(talk())


def test_an_answer_that_fails_for_good_is_not_asked_for_again(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            await talk.server.begin()
            await talk.server.fail("insufficient_quota", "You exceeded your current quota.")
            await talk.until(lambda: talk.said)
            await talk.speak(300)
            await talk.until(lambda: talk.heard)
            assert not talk.server.of("response.create")

    run(talk())


def test_messages_that_cannot_be_read_are_said_and_skipped(tmp_path):
    async def talk():
        async with talking(tmp_path) as talk:
            for data in ("no json", "[]", '{"type": "response.output_audio.delta"}', b"\xff", '{"type": "error"}'):
                await talk.server._socket.send(data)
            await talk.server._socket.send(json.dumps({"type": "response.done", "response": None}))
            await talk.server._socket.send(json.dumps({"type": "a.type.of.the.future", "x": 1}))
            item = await talk.speak(100)
            await talk.until(lambda: talk.heard_of(item))
            assert len(talk.said) == 6

    run(talk())


def test_an_expired_session_is_opened_again(tmp_path):
    async def talk():
        async with talking(tmp_path, sleep=Slept()) as talk:
            error = {"type": "invalid_request_error", "code": "session_expired", "message": "60 minutes are over."}
            await talk.server.send("error", error=error)
            await talk.until(lambda: talk.server.connections == 2 and talk.server.ready)
            assert "60 minutes are over" in talk.said[0]

    run(talk())


async def fail_to_talk(run_dir, server=None, **settings):
    """What a bridge raises that cannot hold a conversation."""
    with running_voice(run_dir):
        async with (
            RealtimeServer(**(server or {})) as served,
            connect_async(f"ipc://{run_dir}/voice.sock", rate_hz=RATE_HZ) as agent,
            asyncio.timeout(PATIENCE_S),
        ):
            served.refuse_session = settings.pop("refuse_session", "")
            asked = Settings(model="gpt-realtime", **{"url": served.url, **settings})
            with pytest.raises(ServiceError) as raised:
                await Bridge(agent, OpenAiRealtime(), asked, listen=False).run()
    return str(raised.value)


def test_a_wrong_key_says_so_and_is_not_tried_again(tmp_path):
    said = run(fail_to_talk(tmp_path, {"key": "right"}, key="wrong"))
    assert "HTTP 401" in said
    assert "Incorrect API key" in said
    assert "wrong" not in said.replace("the key is wrong", "")


def test_a_session_that_is_refused_says_why(tmp_path):
    said = run(fail_to_talk(tmp_path, refuse_session="Invalid value: 'zoe'. Supported values are: 'alloy'."))
    assert said == "the service refused the session: Invalid value: 'zoe'. Supported values are: 'alloy'."


def test_a_url_that_is_none_says_so(tmp_path):
    assert "wss://" in run(fail_to_talk(tmp_path, url="http://example.org"))


def test_a_client_of_another_rate_is_refused(tmp_path):
    async def talk():
        async with connect_async(f"ipc://{tmp_path}/voice.sock", rate_hz=16000) as agent:
            Bridge(agent, OpenAiRealtime(), Settings(model="m"))

    with running_voice(tmp_path), pytest.raises(ConfigError, match="24000 Hz"):
        run(talk())
