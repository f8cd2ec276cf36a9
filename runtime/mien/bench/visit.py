"""The benchmark of a visit: from a touch on a button until its answer is heard.

The real drawing loop takes the touch, mien-voice and mien-face run as they do on a kiosk, mien converse answers from
its knowledge file in speech that was prepared. What a touch screen, its driver and the sound card add is not in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import zmq
from msgspec import structs

from mien.bench.face_touch import BUTTONS, TimedRenderer, drawing_loop, press
from mien.bench.rows import Report, machine, percentile_row
from mien.bench.session import SMALL_KIOSK, Session, running_session
from mien.client import AsyncClient, connect_async
from mien.config import ConverseConfig, ScreenConfig, VisitConfig
from mien.converse import orders
from mien.converse import start as converse
from mien.converse.agent import Agent
from mien.converse.conversation import Conversation
from mien.converse.spoken_turn import SpokenTurn
from mien.converse.stages import Hearing, Speaking, Thinking
from mien.converse.visit.visiting import Visiting
from mien.core import bus
from mien.errors import MienError
from mien.transport import REPORT_SOCKET, voice_endpoint
from mien.transport.bus import subscribe
from mien.units import NS_PER_MS

Progress = Callable[[str], None]

TOUCHES, QUICK_TOUCHES = 60, 20
BAR_MS: Final = 150.0
PATIENCE_S: Final = 20.0
TOUCH_S: Final = 0.08  # that a finger rests
STAGES: Final = ("finger to choice", "choice to agent", "thought", "first sound sent", "heard")


@dataclass(slots=True)
class Touch:
    """When what happened after one touch, in ns of CLOCK_MONOTONIC; 0: not yet. lifted: the finger left the button."""

    lifted: int = 0
    chosen: int = 0
    asked: int = 0
    thought: int = 0
    sent: int = 0
    heard: int = 0

    def stages_ms(self) -> list[float]:
        """How long each of STAGES took."""
        times = (self.lifted, self.chosen, self.asked, self.thought, self.sent, self.heard)
        return [(later - earlier) / NS_PER_MS for earlier, later in pairwise(times)]


class TimedAgent(Agent):
    """Notes when it thought and was heard in `touch`."""

    touch: Touch | None = None

    @property
    def heard(self) -> bool:
        """Whether the answer to the touch is heard."""
        return self.touch is not None and bool(self.touch.heard)

    def _carry_out(self, order: orders.Order) -> None:
        if (touch := self.touch) is not None:
            if isinstance(order, orders.Think):
                touch.asked = touch.asked or time.monotonic_ns()
            elif isinstance(order, orders.Say) and touch.asked:
                touch.thought = touch.thought or time.monotonic_ns()
        super()._carry_out(order)

    def _opened(self, turn: SpokenTurn, at_ns: int) -> None:
        if (touch := self.touch) is not None and touch.thought and not touch.heard:
            touch.sent, touch.heard = turn.sent_ns, at_ns
        super()._opened(turn, at_ns)


def run_visit(quick: bool, progress: Progress) -> Report:
    """Run the benchmark. Raises MienError: an engine, a package or a tool is missing, and says which."""
    config = ConverseConfig(speak_python=os.environ.get("MIEN_PIPER_PYTHON", ""))
    progress("preparing the fixed answers")
    asyncio.run(converse.prepare(config, progress))
    with running_session(SMALL_KIOSK) as session:
        touches = asyncio.run(_visit(session, config, QUICK_TOUCHES if quick else TOUCHES, progress))
    rows = [
        percentile_row("from a touch to its answer's first sound, median", _all_ms(touches), 50),
        percentile_row("from a touch to its answer's first sound, p95", _all_ms(touches), 95, bar=BAR_MS),
    ]
    for number, stage in enumerate(STAGES):
        values_ms = [touch.stages_ms()[number] for touch in touches]
        rows += [
            percentile_row(f"of that: {stage}, {name}", values_ms, at) for name, at in (("median", 50), ("p95", 95))
        ]
    return Report(benchmark="visit", rows=tuple(rows), machine=machine())


def _all_ms(touches: list[Touch]) -> list[float]:
    return [(touch.heard - touch.lifted) / NS_PER_MS for touch in touches]


async def _visit(session: Session, config: ConverseConfig, count: int, progress: Progress) -> list[Touch]:
    questions = tuple(entry.questions[0] for entry in converse.knowledge(config).entries)[: len(BUTTONS)]
    folder = converse.cache_folder(config)
    thinking, speaking = Thinking(config, folder), Speaking(config, folder)
    await asyncio.gather(thinking.start(), speaking.process.start())
    try:
        async with connect_async(voice_endpoint(session.stack.run_dir), rate_hz=converse.RATE_HZ) as client:
            conversation = Conversation(language=config.language)
            visiting = Visiting(
                client,
                conversation,
                VisitConfig(enabled=True, buttons=questions),
                ScreenConfig(),
                speak_keys=False,
                ended=lambda _: None,
            )
            agent = TimedAgent(
                client, conversation, Hearing(config, folder), thinking, speaking, lambda _: None, visiting
            )
            running = asyncio.ensure_future(agent.run())
            try:
                with _Screen.of(session.stack.run_dir) as screen:
                    return await _touches(screen, client, agent, count, progress)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
    finally:
        await asyncio.gather(thinking.process.close(), speaking.close())


class _Screen:
    """A finger on the buttons of a drawing loop; what is chosen goes to the running voice. chosen_ns: when it was."""

    _renderer: TimedRenderer

    def __init__(self, run_dir: Path) -> None:
        self.chosen_ns = 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._bus = subscribe(self._context, run_dir)
        self._reports = self._context.socket(zmq.PUSH)
        self._reports.connect(f"ipc://{run_dir / REPORT_SOCKET}")
        self._offer = bus.Choices(epoch=0, number=0)

    @classmethod
    @contextmanager
    def of(cls, run_dir: Path) -> Iterator[_Screen]:
        """With its drawing loop."""
        screen = cls(run_dir)
        try:
            with drawing_loop(screen._take) as screen._renderer:
                yield screen
        finally:
            screen._bus.close(0)
            screen._reports.close(0)
            screen._context.term()

    def offer(self) -> bus.Choices:
        """What the voice shows now."""
        while self._bus.poll(0):
            message = bus.decode_from_voice(self._bus.recv_multipart()[0])
            if isinstance(message, bus.Choices):
                self._offer = message
        return self._offer

    def somebody(self) -> None:
        """A touch beside the buttons."""
        self._reports.send(bus.encode(bus.Touched(epoch=0)))

    def touch(self, button: int) -> int:
        """Touch a button. Returns when the finger left it."""
        self.offer()
        press(self._renderer, button, "down")
        time.sleep(TOUCH_S)
        self.chosen_ns = 0
        return press(self._renderer, button, "up")

    def _take(self, frame: bytes) -> None:
        """Called by the drawing loop: its buttons stand for those that the voice shows."""
        report = bus.decode_from_face(frame)
        if isinstance(report, bus.ChoiceMade) and not self.chosen_ns:
            number = [name for name, _ in BUTTONS].index(report.id)
            made = structs.replace(report, number=self._offer.number, id=self._offer.items[number][0])
            self._reports.send(bus.encode(made))
            self.chosen_ns = time.monotonic_ns()


async def _touches(
    screen: _Screen, client: AsyncClient, agent: TimedAgent, count: int, progress: Progress
) -> list[Touch]:
    screen.somebody()
    await _until(lambda: len(screen.offer().items) == len(BUTTONS) and not agent.busy, "the greeting's end")
    source, touches = random.Random(1), []
    for number in range(count):
        progress(f"touch {number + 1}/{count}")
        await asyncio.sleep(source.uniform(0.3, 0.6))
        touch = agent.touch = Touch()
        touch.lifted = await asyncio.to_thread(screen.touch, source.randrange(len(BUTTONS)))
        await _until(lambda: agent.heard, "the answer")
        touch.chosen = screen.chosen_ns
        touches.append(touch)
        agent.touch = None
        await client.interrupt()
        await _until(lambda: not agent.busy, "silence")
    return touches


async def _until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(round(PATIENCE_S / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise MienError(f"within {PATIENCE_S:.0f} s it did not happen: {what}")
