"""The process of an engine: asked, interrupted, killed, replaced."""

import asyncio
import contextlib
import sys
import time

import pytest

from mien.converse.process import EngineProcess
from mien.errors import ConverseError

ENGINE = """
import os, sys, json, time, threading, queue
sys.stdin.buffer.readline()
out = sys.stdout.buffer
def send(header, payload=b""):
    if payload:
        header["bytes"] = len(payload)
    out.write(json.dumps(header).encode() + b"\\n" + payload); out.flush()
if "missing" in sys.argv:
    send({"failed": "the model is missing: pip install it"}); sys.exit(1)
if "crash" in sys.argv:
    sys.exit("Segmentation fault, nearly")
send({"ready": True})
asked, cancelled = queue.Queue(), set()
def read():
    for line in sys.stdin.buffer:
        header = json.loads(line)
        sys.stdin.buffer.read(header.get("bytes", 0))
        cancelled.add(header["cancel"]) if "cancel" in header else asked.put(header)
threading.Thread(target=read, daemon=True).start()
while True:
    header = asked.get()
    number, do = header["id"], header["do"]
    if do == "hang":
        time.sleep(3600)
    if do == "die":
        print("out of memory", file=sys.stderr, flush=True); os._exit(1)
    if do == "rubbish":
        out.write(b"Loading checkpoint...\\n"); out.flush(); time.sleep(3600)
    if do == "environment":
        send({"id": number, "limit": os.environ.get("OMP_THREAD_LIMIT")})
    for count in range(200 if do == "count" else 2):
        if number in cancelled:
            break
        send({"id": number, "count": count}, b"x" * count)
        time.sleep(0.01)
    send({"id": number, "done": True, **({"error": "no such voice"} if do == "fail" else {})})
"""


@contextlib.asynccontextmanager
async def engine(*arguments, timeout_s=5.0):
    made = EngineProcess("the tester", {}, command=(sys.executable, "-c", ENGINE, *arguments), timeout_s=timeout_s)
    try:
        yield made
    finally:
        await made.close()


async def counts(made, do):
    return [(part["count"], len(data)) async for part, data in made.ask({"do": do})]


def run(test):
    asyncio.run(asyncio.wait_for(test(), 60))


def test_parts_come_with_their_payload_from_one_process():
    async def test():
        async with engine() as made:
            await made.start()
            assert await counts(made, "two") == [(0, 0), (1, 1)]
            assert await counts(made, "two") == [(0, 0), (1, 1)]
            assert made.starts == 1

    run(test)


def test_a_cancelled_request_ends_and_the_same_process_serves_the_next():
    async def test():
        async with engine() as made:
            await made.start()
            async with contextlib.aclosing(made.ask({"do": "count"})) as parts:
                async for _ in parts:
                    break
            assert await counts(made, "two") == [(0, 0), (1, 1)]
            assert made.starts == 1

    run(test)


def test_an_engine_that_hangs_is_killed_and_replaced():
    async def test():
        async with engine(timeout_s=0.3) as made:
            await made.start()
            pid = made.pid
            with pytest.raises(ConverseError, match=r"the tester did not answer for 0\.3 s"):
                await counts(made, "hang")
            assert await counts(made, "two") == [(0, 0), (1, 1)]
            assert made.pid != pid

    run(test)


def test_an_engine_that_ignores_a_cancel_is_replaced():
    async def test():
        async with engine(timeout_s=30) as made:
            await made.start()
            pid = made.pid
            asking = asyncio.create_task(counts(made, "hang"))
            await asyncio.sleep(0.1)
            asking.cancel()
            began_s = time.monotonic()
            with contextlib.suppress(asyncio.CancelledError):
                await asking
            assert time.monotonic() - began_s < 20, "an hour is slept there"
            assert await counts(made, "two") == [(0, 0), (1, 1)]
            assert made.pid != pid

    run(test)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("die", "the tester ended with 1: out of memory"),
        ("fail", "the tester: no such voice"),
        ("rubbish", "something that is no message: b'Loading checkpoint"),
    ],
)
def test_a_fault_is_told_and_the_next_request_is_served(do, said):
    async def test():
        async with engine() as made:
            await made.start()
            with pytest.raises(ConverseError) as error:
                await counts(made, do)
            assert said in str(error.value)
            assert await counts(made, "two") == [(0, 0), (1, 1)]

    run(test)


@pytest.mark.parametrize(
    ("argument", "said"),
    [("missing", "the model is missing: pip install it"), ("crash", "ended with 1: Segmentation fault, nearly")],
)
def test_an_engine_that_cannot_load_says_why(argument, said):
    async def test():
        async with engine(argument) as made:
            with pytest.raises(ConverseError, match=said):
                await made.start()

    run(test)


def test_a_program_that_is_not_there():
    async def test():
        made = EngineProcess("Piper", {}, command=("/nonexistent/python",))
        with pytest.raises(ConverseError, match="Piper cannot be started: /nonexistent/python: No such file"):
            await made.start()

    run(test)


def test_an_engine_may_start_the_threads_that_it_asks_for(monkeypatch):
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")

    async def test():
        async with engine() as made:
            first = await anext(made.ask({"do": "environment"}))
            assert first[0]["limit"] is None

    run(test)
