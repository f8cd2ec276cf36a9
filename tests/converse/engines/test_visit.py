"""A whole visit: a voice, real engines, a customer whose speech arrives as mien-ear sends it."""

import asyncio
import contextlib
import os

import pytest

from converse.engines.spoken import spoken
from mien.client import connect_async
from mien.config import ConverseConfig
from mien.converse import orders
from mien.converse.start import RATE_HZ, engines, make_agent
from mien.host.stack import Stack
from rigs.fake_ear import FakeEar
from rigs.speaking_customer import SpeakingCustomer

PATIENCE_S = 90
CACHE = os.environ.get("MIEN_TEST_CACHE", "")  # of vectors, which take seconds to make


@pytest.fixture
def run_dir(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    stack = Stack(
        folder, settings={"playback.sink": "null", "voice.listen": "[]", "barge_in.mode": "pause"}, quiet=True
    )
    stack.start_voice()
    try:
        yield folder
    finally:
        stack.stop()


class Visit:
    """told: everything that was said or done."""

    def __init__(self, customer, told):
        self._customer = customer
        self.told = told

    async def say(self, text):
        await asyncio.to_thread(self._customer.say, spoken(text))

    async def until(self, condition, what):
        for _ in range(PATIENCE_S * 20):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{what} did not come: {self.told}")

    def mien(self):
        return [note.text for note in self.told if isinstance(note, orders.Note) and note.who == "mien"]

    def actions(self):
        return [order.action for order in self.told if isinstance(order, orders.Perform)]


def test_a_visit(run_dir, tmp_path):
    async def visit(ear):
        told = []
        config = ConverseConfig(
            speak="flite", cache=CACHE or str(tmp_path / "cache"), deadline_ms=20_000, filler_ms=10_000
        )
        where = f"ipc://{run_dir}/voice.sock"
        async with connect_async(where, rate_hz=RATE_HZ, timeout_s=PATIENCE_S) as voice, engines(config) as loaded:
            for process in (loaded.hearing.process, loaded.thinking.process, loaded.speaking.process):
                process.allow(60)  # a busy machine takes its time
            agent = make_agent(voice, config, loaded, told.append)
            running = asyncio.ensure_future(agent.run())
            made = Visit(SpeakingCustomer(ear), told)
            await made.until(lambda: agent.ear == "ok", "the ear")

            await made.say("Where can I find the restroom?")
            await made.until(lambda: len(made.mien()) == 1, "the answer")
            assert made.mien()[0].startswith("The toilets are on the ground floor")
            assert made.actions() == ["show_map"]

            await made.say("Who is the president of France?")
            await made.until(lambda: len(made.mien()) == 2, "the refusal")
            await made.say("Yes, please.")
            await made.until(lambda: "hand_over" in made.actions(), "the call")
            await made.until(lambda: len(made.mien()) == 3, "its confirmation")

            await made.say("How much is a ticket?")
            await made.until(lambda: agent.speaking, "the price")
            await made.say("Stop, where is the toilet?")
            await made.until(lambda: len(made.mien()) >= 5, "the answer after the interruption")
            assert made.mien()[3].endswith("--")
            assert made.mien()[4].startswith("The toilets are on the ground floor")

            assert agent.latencies.table()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    with FakeEar(run_dir) as ear:
        asyncio.run(asyncio.wait_for(visit(ear), 400))
