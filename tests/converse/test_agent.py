"""mien converse against a real voice, with all three engines behind a URL: a visit, and servers that fail in it."""

import asyncio
import contextlib
import shutil

import numpy as np
import pytest

from converse.url_server import DONE, UrlServer, event
from mien.client import connect_async
from mien.config import ConverseConfig
from mien.converse import orders
from mien.converse.phrases import phrases
from mien.converse.start import RATE_HZ, engines, make_agent
from mien.host.stack import Stack
from rigs.fake_ear import FakeEar
from rigs.speaking_customer import SpeakingCustomer

pytestmark = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="apt-get install espeak-ng")
PATIENCE_S = 60
SPEECH = np.random.default_rng(1).integers(-6000, 6000, 9600).astype(np.int16)
SAY = phrases("en")


def sound(seconds):
    return (np.random.default_rng(2).integers(-6000, 6000, int(24000 * seconds))).astype("<i2").tobytes()


class Visit:
    """hear, think, speak: the servers. said, done: what mien said and did."""

    def __init__(self, ear, servers, agent):
        self.hear, self.think, self.speak = servers
        self.agent = agent
        self.notes = []
        self._customer = SpeakingCustomer(ear)

    async def says(self, text, answer=(), *, spoken_s=0.5):
        """The customer says something that the recogniser hears as `text` whenever it is asked."""
        self.hear.answers = [b'{"text": "%s"}' % text.encode() for _ in range(6)]
        self.think.answers = [list(answer) for _ in range(6)] if answer else []
        self.speak.answers = [sound(spoken_s) for _ in range(12)]
        await self.speaks()

    async def speaks(self):
        """The customer makes sound; the servers have their answers."""
        await asyncio.to_thread(self._customer.say, SPEECH)

    async def until(self, condition, what):
        for _ in range(PATIENCE_S * 50):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what} did not come: {self.notes}")

    def said(self, who="mien"):
        return [note.text for note in self.notes if isinstance(note, orders.Note) and note.who == who]

    def done(self):
        return [order.action for order in self.notes if isinstance(order, orders.Perform)]


@pytest.fixture
def servers():
    made = UrlServer(), UrlServer(), UrlServer()
    yield made
    for server in made:
        server.close()


@pytest.fixture
def visiting(tmp_path, servers):
    """Runs a coroutine function with a Visit; the cache is empty."""
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o700)
    stack = Stack(
        run_dir, settings={"playback.sink": "null", "voice.listen": "[]", "barge_in.mode": "pause"}, quiet=True
    )
    stack.start_voice()
    urls = {
        f"{stage}{key}": value
        for stage, server in zip(("hear", "think", "speak"), servers, strict=True)
        for key, value in (("", "url"), ("_url", server.url))
    }

    def run(test, **settings):
        async def visit(ear):
            config = ConverseConfig(**{**urls, "cache": str(tmp_path / "cache"), **settings})
            where = f"ipc://{run_dir}/voice.sock"
            async with connect_async(where, rate_hz=RATE_HZ, timeout_s=PATIENCE_S) as voice, engines(config) as loaded:
                notes = []
                agent = make_agent(voice, config, loaded, notes.append)
                made = Visit(ear, servers, agent)
                made.notes = notes
                running = asyncio.ensure_future(agent.run())
                try:
                    await made.until(lambda: agent.ear == "ok", "the ear")
                    await test(made)
                finally:
                    running.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await running

        with FakeEar(run_dir) as ear:
            asyncio.run(asyncio.wait_for(visit(ear), 110))

    try:
        yield run
    finally:
        stack.stop()


SLOW = {"filler_ms": 10_000, "deadline_ms": 30_000}
"""A busy machine must not make the kiosk apologise."""


def test_a_question_is_answered_with_captions_and_remembered(visiting):
    async def test(visit):
        await visit.says("When are you open?", [event("We are open. "), event("Until six."), DONE])
        await visit.until(lambda: visit.said(), "the answer")
        assert visit.said("customer") == ["When are you open?"]
        assert visit.said() == ["We are open. Until six."], "the words come from the caption's times"
        await visit.says("Thanks, and how much is it?", [event("Twelve euros."), DONE])
        await visit.until(lambda: len(visit.said()) == 2, "the second answer")
        body = visit.think.requests[-1][2].decode()
        assert "We are open. Until six." in body
        assert visit.agent.latencies.table()[0][0] == "endpoint"

    visiting(test, **SLOW)


def test_an_interruption_is_answered_and_the_rest_is_forgotten(visiting):
    async def test(visit):
        await visit.says("Tell me everything", [event("One two three four five six seven eight."), DONE], spoken_s=8.0)
        await visit.until(lambda: visit.agent.speaking, "the answer")
        await asyncio.sleep(1.6)
        await visit.says("Wait, where is the toilet?", [event("Behind the stairs."), DONE])
        await visit.until(lambda: len(visit.said()) == 2, "both answers")
        first, second = visit.said()
        assert first.endswith("--")
        assert "eight" not in first
        assert second == "Behind the stairs."

    visiting(test, **SLOW)


def test_an_mm_hm_costs_nothing(visiting):
    async def test(visit):
        await visit.says("Tell me everything", [event("One two three four five six seven eight."), DONE], spoken_s=6.0)
        await visit.until(lambda: visit.agent.speaking, "the answer")
        await asyncio.sleep(0.8)
        await visit.says("Mm-hm.")
        await visit.until(lambda: visit.said() and not visit.agent.busy, "the end")
        everything = " ".join(visit.said()).replace(" --", "")
        # A busy machine may have let the voice drop the answer meanwhile; then the sentence is said once more.
        assert everything.endswith("One two three four five six seven eight.")

    visiting(test, **SLOW)


def test_a_chat_that_hangs_in_mid_sentence_is_excused(visiting):
    async def test(visit):
        await visit.says("Tell me everything", [event("First of all. And then"), UrlServer.HANG])
        await visit.until(lambda: any(SAY.lost in text for text in visit.said()), "the apology")
        assert visit.said()[-1].startswith("First of all.")

    visiting(test, **SLOW)


def test_a_chat_that_is_down_is_replaced_by_the_knowledge_file(visiting):
    async def test(visit):
        visit.hear.answers = [b'{"text": "Where is the toilet?"}'] * 6
        visit.speak.answers = [sound(0.3) for _ in range(12)]
        visit.think.answers = [(503, b"down")] * 6
        await visit.speaks()
        await visit.until(lambda: visit.said(), "the answer")
        assert visit.said()[0].startswith("The toilets are on the ground floor")
        assert visit.done() == ["show_map"]

    visiting(test, **SLOW)


def test_a_voice_that_is_down_is_replaced_by_another(visiting):
    async def test(visit):
        visit.hear.answers = [b'{"text": "When are you open?"}'] * 6
        visit.think.answers = [[event("Until six."), DONE]] * 6
        visit.speak.answers = [(500, b"no voice")] * 20
        await visit.speaks()
        await visit.until(lambda: visit.said(), "the answer")
        assert visit.said() == ["Until six."]

    visiting(test, **SLOW)


def test_a_recogniser_that_answers_rubbish_makes_the_kiosk_ask_again(visiting):
    async def test(visit):
        visit.hear.answers = [b"<html>"] * 6
        visit.speak.answers = [sound(0.3) for _ in range(12)]
        await visit.speaks()
        await visit.until(lambda: visit.said(), "the request")
        assert visit.said() == [SAY.again]

    visiting(test, **SLOW)
