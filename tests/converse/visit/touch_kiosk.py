"""A real voice with an agent that makes visits; a finger on its buttons; engines that answer at once."""

import asyncio
import contextlib
from types import SimpleNamespace

import msgspec
import zmq

from mien.client import connect_async
from mien.config import Config, ConverseConfig
from mien.converse import orders
from mien.converse.speak.base import Sound
from mien.converse.start import RATE_HZ, make_agent
from mien.converse.think.base import Part
from mien.core import bus
from mien.transport import BUS_SOCKET, REPORT_SOCKET

PATIENCE_S = 30


class Panel:
    """Reads the bus as a face does, and reports as one. shown: the buttons, id -> text."""

    def __init__(self, run_dir):
        self._context = zmq.Context()
        self._bus = self._context.socket(zmq.SUB)
        self._bus.setsockopt(zmq.SUBSCRIBE, b"")
        self._bus.connect(f"ipc://{run_dir}/{BUS_SOCKET}")
        self._reports = self._context.socket(zmq.PUSH)
        self._reports.connect(f"ipc://{run_dir}/{REPORT_SOCKET}")
        self.offer = bus.Choices(epoch=0, number=0)
        self.captions = []
        self.draws_qr = True

    def look(self):
        while self._bus.poll(0):
            message = bus.decode_from_voice(self._bus.recv_multipart()[0])
            if isinstance(message, bus.Choices):
                if message.number != self.offer.number:
                    qr = bool(message.qr) and self.draws_qr
                    self._report(bus.ChoicesShown(epoch=0, number=message.number, qr=qr))
                self.offer = message
            elif isinstance(message, bus.CaptionCue):
                self.captions.append(message.text)
        return dict(self.offer.items)

    def touch(self, text=""):
        """A button, or the screen."""
        if not text:
            self._report(bus.Touched(epoch=0))
            return
        name = next(name for name, shown in self.look().items() if shown == text)
        self._report(bus.ChoiceMade(epoch=0, number=self.offer.number, id=name, by="touch", at_ns=1))

    def close(self):
        self._bus.close(0)
        self._reports.close(0)
        self._context.term()

    def _report(self, message):
        self._reports.send(bus.encode(message))


class Knows:
    """Thinks by a table. asked: the questions. whispers: what came with the newest."""

    def __init__(self, answers):
        self.answers, self.asked, self.whispers = answers, [], ()

    async def think(self, question):
        self.asked.append(question.text)
        self.whispers = question.whispers
        yield Part(text=self.answers[question.text])


class Speaks:
    """0.2 s of sound a sentence."""

    async def speak(self, text, language, speed):
        yield Sound(bytes(2 * RATE_HZ // 5), RATE_HZ, ((text, 0, 200),))

    async def prepare(self, text, language, speed=1.0):
        return True


class Kiosk:
    """What a test does with it."""

    def __init__(self, panel, agent, notes, records):
        self.panel, self.agent, self.notes, self.records = panel, agent, notes, records

    async def until(self, condition, what):
        for _ in range(PATIENCE_S * 50):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what} did not come: {self.notes}, {self.panel.look()}")

    async def shows(self, text):
        await self.until(lambda: text in self.panel.look().values(), f"the button {text!r}")

    def said(self):
        return [note.text for note in self.notes if isinstance(note, orders.Note) and note.who == "mien"]


async def with_kiosk(run_dir, test, *, answers, config=None, **visit):
    """Run a coroutine function with a Kiosk."""
    whole = msgspec.convert({"visit": {"enabled": True, **visit}}, Config) if config is None else config
    engines = SimpleNamespace(hearing=None, thinking=Knows(answers), speaking=Speaks(), recognising_s=0.0)
    notes, records = [], []
    panel = Panel(run_dir)
    try:
        async with connect_async(
            f"ipc://{run_dir}/voice.sock", rate_hz=RATE_HZ, timeout_s=PATIENCE_S, capabilities=("relay",)
        ) as voice:
            settings = whole.converse if config is not None else ConverseConfig(filler_ms=10_000, deadline_ms=30_000)
            agent = make_agent(voice, settings, engines, notes.append, whole, records.append)
            running = asyncio.ensure_future(agent.run())
            try:
                kiosk = Kiosk(panel, agent, notes, records)
                await asyncio.wait_for(test(kiosk), 100)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
    finally:
        panel.close()
