"""The command `mien realtime` and the example, as processes, against the stand-in server."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from adapters.realtime.rig import check_client, run, speech
from mien.bench.adapters.realtime_server import RealtimeServer
from rigs.services import running_voice

PATIENCE_S = 60  # a process needs many seconds to start on a busy machine
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@contextlib.asynccontextmanager
async def started(run_dir, *arguments, **environ):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *map(str, arguments),
        env={**os.environ, "RUNTIME_DIRECTORY": str(run_dir), "OPENAI_API_KEY": "sk-env", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def say(server, ms):
    async with asyncio.timeout(PATIENCE_S):
        while not server.ready:
            await asyncio.sleep(0.01)
    await server.begin()
    item = await server.begin_item()
    await server.speak(item, speech(ms))
    await server.end_item(item)
    await server.finish()
    return item


def test_the_command_speaks_and_prints_what_was_heard(tmp_path):
    tools, key, role = tmp_path / "desk.py", tmp_path / "key", tmp_path / "role.txt"
    tools.write_text("def hours(day: str) -> str:\n    'When it is open.'\n    return day\n")
    key.write_text("sk-file\n")
    role.write_text("You are a desk.")

    async def talk():
        async with RealtimeServer(check_in=check_client, key="sk-file") as server:
            options = ("--json", "--tools", tools, "--key-file", key, "--instructions", f"@{role}", "--no-ear")
            command = ("-m", "mien", "realtime", "--url", server.url, "--model", "m", *options)
            async with started(tmp_path, *command) as process:
                item = await say(server, 200)
                heard = json.loads(await process.stdout.readline())
                assert (heard["item"], heard["played_ms"], heard["cut"]) == (item, 200, False)
                session = server.of("session.update")[0]["session"]
                assert (session["instructions"], session["tools"][0]["name"]) == ("You are a desk.", "hours")
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
            assert server.wrong == []

    with running_voice(tmp_path):
        run(talk())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--url", "http://x"), 2, "wss://"),
        (("--tools", "none.py"), 2, "no such Python file"),
        (("--key-file", "none"), 2, "cannot be read"),
        (("--endpoint", "ipc:///nowhere/voice.sock", "--timeout", "0.2"), 3, "nothing answers"),
    ],
)
def test_bad_usage_says_what_to_do(tmp_path, arguments, code, words):
    async def talk():
        async with started(tmp_path, "-m", "mien", "realtime", "--model", "m", *arguments) as process:
            _, said = await process.communicate()
            assert (process.returncode, words in said.decode()) == (code, True), said

    run(talk())


def test_a_wrong_key_ends_the_command_with_1(tmp_path):
    async def talk():
        async with RealtimeServer(key="sk-right") as server:
            arguments = ("-m", "mien", "realtime", "--model", "m", "--no-ear", "--url", server.url)
            async with started(tmp_path, *arguments) as process:
                _, said = await process.communicate()
                assert process.returncode == 1
                assert b"HTTP 401" in said
                assert b"sk-env" not in said

    with running_voice(tmp_path):
        run(talk())


def test_the_example_answers_with_its_tool(tmp_path):
    async def talk():
        async with RealtimeServer(check_in=check_client, key="sk-env") as server:
            async with started(tmp_path, EXAMPLES / "realtime_desk.py", server.url) as process:
                item = await say(server, 200)
                assert (await process.stdout.readline()).startswith(b"the microphone is absent")
                assert (await process.stdout.readline()).decode().startswith(f"{item}: 200 of 200 ms, heard whole")
                await server.begin()
                await server.call_tool("opening_hours", '{"day": "Monday"}')
                await server.finish()
                async with asyncio.timeout(PATIENCE_S):
                    await server.until(lambda: bool(server.of("response.create")))
                assert server.of("conversation.item.create")[0]["item"]["output"] == '"closed"'
                process.send_signal(signal.SIGINT)
                assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
            assert server.wrong == []

    with running_voice(tmp_path):
        run(talk())
