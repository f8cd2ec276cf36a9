"""Carries out the conversation's orders: one client of the voice, three engines, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Final

from mien.client import (
    AsyncClient,
    BargeIn,
    Chosen,
    ClientError,
    Disconnected,
    Ear,
    Finished,
    Floor,
    NearEnd,
    Offered,
    Relayed,
    Started,
    UserStarted,
    UserStopped,
    Welcome,
)
from mien.converse import events, orders
from mien.converse.conversation import Conversation
from mien.converse.latency import Latencies, Measured
from mien.converse.near_sound import NearSound
from mien.converse.relays import New, Relays
from mien.converse.spoken_turn import SpokenTurn
from mien.converse.stages import Hearing, Speaking, Thinking
from mien.converse.think.base import Question
from mien.converse.visit import signals
from mien.converse.visit.visiting import Visiting
from mien.errors import ConverseError
from mien.units import NS_PER_MS

log = logging.getLogger("mien.converse")

TICK_S: Final = 0.02
Told = Callable[[orders.Note | orders.Perform], None]


class Agent:
    """client: connected. told: gets the transcript and the actions. visiting: makes visits of it. relays: what
    agents relay. One run() a client.

    ear: its state, "" until it is known. user_began: how often the customer began to speak.
    """

    def __init__(
        self,
        client: AsyncClient,
        conversation: Conversation,
        hearing: Hearing,
        thinking: Thinking,
        speaking: Speaking,
        told: Told,
        visiting: Visiting | None = None,
        relays: Relays | None = None,
    ) -> None:
        self._visiting = visiting
        self._relays = relays or Relays()
        self._client = client
        self._conversation = conversation
        self._hearing, self._thinking, self._speaking = hearing, thinking, speaking
        self._told = told
        self._sound = NearSound()
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._turns: dict[int, SpokenTurn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._measured: dict[int, Measured] = {}
        self._voice_orders: asyncio.Queue[orders.Order] = asyncio.Queue()
        self.latencies = Latencies()
        self._captions = True
        self.ear = ""
        self.user_began = 0

    def show_captions(self, on: bool) -> None:
        """Whether what is said gets captions, from now on."""
        self._captions = on
        if not on:
            for turn in self._turns.values():
                self._start(turn.clear_caption())

    @property
    def busy(self) -> bool:
        """Whether something is being asked, thought or said."""
        return self._conversation.busy

    @property
    def speaking(self) -> bool:
        """Whether an answer can be heard."""
        return any(turn.opened for turn in self._turns.values())

    async def run(self) -> None:
        """Converse until cancelled, or until the client is closed. Raises ClientError: it may not listen."""
        parts = [
            asyncio.ensure_future(part)
            for part in (self._listen(), self._read_events(), self._tick(), self._order_voice(), self._show())
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for task in (*parts, *self._tasks):
                task.cancel()
            await asyncio.gather(*parts, *self._tasks, return_exceptions=True)

    # In

    async def _listen(self) -> None:
        while True:
            try:
                async for heard in self._client.listen():
                    self._hear(heard)
                return  # the client was closed
            except ClientError as error:
                if error.code != "unreachable":
                    raise
                await asyncio.sleep(1.0)

    def _hear(self, heard: object) -> None:
        if self._visiting is not None and self._visiting.host.with_person and not isinstance(heard, Ear | Disconnected):
            return  # the visitor talks with somebody else
        match heard:
            case NearEnd():
                if (changed := self._sound.add(heard.at_ns, heard.data)) is not None:
                    self._take(changed)
            case UserStarted():
                self.user_began += 1
                self._sound.begin()
                self._take(events.UserBegan(heard.at_ns))
                self._visit(signals.Sound(True))
            case UserStopped():
                self._take(events.UserEnded(heard.at_ns))
                self._visit(signals.Sound(False))
            case BargeIn():
                self._take(events.BargedIn(heard.action))
            case Ear():
                if heard.state != self.ear:
                    self._told(orders.Note("note", f"ear: {heard.state} {heard.why}".rstrip()))
                self.ear = heard.state
                if heard.state in ("absent", "muted", "no_card"):
                    self._lose_sound()
            case Disconnected():
                self._lose_sound()

    def _lose_sound(self) -> None:
        self._take(events.SoundLost())
        self._visit(signals.Sound(False))

    async def _read_events(self) -> None:
        async for event in self._client.events():
            if isinstance(event, Started):
                turn = next((turn for turn in self._turns.values() if turn.name == event.turn), None)
                if turn is not None:
                    at_ns = turn.sent_ns + round(event.latency_ms * NS_PER_MS)
                    self._opened(turn, at_ns)
            elif isinstance(event, Finished) and event.interrupted:
                for turn in self._turns.values():
                    if turn.name == event.turn:
                        turn.stop()
            elif isinstance(event, Chosen):
                if self._visiting is not None:
                    self._tell(self._visiting.host.choose(event.id, event.by, time.monotonic_ns()))
            elif isinstance(event, Offered):
                if self._visiting is not None:
                    self._tell(self._visiting.offered(event))
            elif isinstance(event, Relayed):
                self._told(orders.Note("note", f"{event.sender} relays a {event.kind}"))
                self._relay(self._relays.take(event, self._conversation.history))
            elif self._visiting is not None and (signal := self._visiting.event(event)) is not None:
                self._visit(signal)
                if self._visiting.host.with_person:
                    self._lose_sound()
            if isinstance(event, Floor | Welcome):
                self._relay(self._relays.floor(bool(event.holder if isinstance(event, Floor) else event.floor)))

    def _opened(self, turn: SpokenTurn, at_ns: int) -> None:
        if (measured := self._measured.pop(turn.answer, None)) is not None:
            measured.sent_ns, measured.heard_ns = turn.sent_ns, at_ns
            self.latencies.answers.append(measured)
        turn.opened = True
        self._take(events.Opened(turn.answer, at_ns))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._conversation.busy:
                self._take(events.Tick())
            if self._visiting is not None:
                self._visit(signals.Tick(self._visiting.quiet_hours()))

    def _take(self, event: events.Event) -> None:
        now_ns = time.monotonic_ns()
        for order in self._conversation.take(event, now_ns):
            self._carry_out(order)
            if self._visiting is not None:
                self._tell(self._visiting.host.after(order, now_ns))
        if self._visiting is not None:
            self._tell(self._visiting.host.follow(now_ns))

    def _visit(self, signal: signals.Signal) -> None:
        if self._visiting is not None:
            self._tell(self._visiting.host.take(signal, time.monotonic_ns()))

    def _tell(self, new: list[events.Event]) -> None:
        for event in new:
            self._take(event)

    def _relay(self, new: list[New]) -> None:
        for one in new:
            if isinstance(one, events.Announce):
                self._take(one)
            else:
                self._start(quietly(self._client.send(one)))

    # Out

    def _carry_out(self, order: orders.Order) -> None:
        match order:
            case orders.Recognise():
                self._jobs[order.job] = self._start(self._recognise(order))
            case orders.Think():
                self._jobs[order.job] = self._start(self._think(order))
            case orders.Cancel():
                if (task := self._jobs.pop(order.job, None)) is not None:
                    task.cancel()
            case orders.Prepare():
                self._start(self._prepare(order))
            case orders.Say():
                turn = self._turns.get(order.answer)
                if turn is None:
                    turn = self._turns[order.answer] = SpokenTurn(
                        self._client, self._speaking, order.answer, self._take, lambda: self._captions
                    )
                    self._start(self._speak(turn))
                if (waiting := self._measured.get(order.answer)) is not None and not waiting.thought_ns:
                    waiting.thought_ns = time.monotonic_ns()
                turn.say(order.text, order.language, order.speed)
            case orders.EndSay():
                if (open_turn := self._turns.get(order.answer)) is not None:
                    open_turn.finish()
            case orders.Interrupt():
                for turn in self._turns.values():
                    turn.stop()
                self._voice_orders.put_nowait(order)
            case orders.Decided():
                self._measured[order.answer] = Measured(
                    order.last_sound_ns,
                    order.silence_ns,
                    order.recognised_ns,
                    order.thought_ns,
                    time.monotonic_ns(),
                )
            case orders.Note() | orders.Perform():
                self._told(order)
            case orders.Announced():
                self._relay(self._relays.over(order.label, order.heard))
            case orders.Understood() | orders.Answered():
                pass  # news for the visit
            case _:
                self._voice_orders.put_nowait(order)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _recognise(self, order: orders.Recognise) -> None:
        pcm = self._sound.between(order.from_ns, order.until_ns)
        try:
            transcript = await self._hearing.recognise(pcm, order.language)
        except ConverseError as error:
            self._take(events.Failed(order.job, "hear", str(error)))
        else:
            self._take(events.Recognised(order.job, transcript))

    async def _think(self, order: orders.Think) -> None:
        question = Question(order.question, order.language, order.history, order.whispers)
        try:
            async with contextlib.aclosing(self._thinking.think(question)) as parts:
                async for part in parts:
                    if part.text:
                        self._take(events.Thought(order.job, part.text, part.offer))
                    if part.action:
                        self._take(events.Acted(order.job, part.action))
        except ConverseError as error:
            self._take(events.Failed(order.job, "think", str(error)))
        else:
            self._take(events.ThoughtAll(order.job))

    async def _prepare(self, order: orders.Prepare) -> None:
        try:
            await self._speaking.prepare(order.text, order.language, order.speed)
        except asyncio.CancelledError:  # something else is said first
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
        except ConverseError as error:
            log.warning("%s", error)

    async def _speak(self, turn: SpokenTurn) -> None:
        over = await turn.run()
        del self._turns[turn.answer]
        self._measured.pop(turn.answer, None)
        self._take(over)

    async def _show(self) -> None:
        if self._visiting is None:
            await asyncio.Event().wait()
        else:
            await self._visiting.serve()

    async def _order_voice(self) -> None:
        """What changes the voice's state, one by one. A voice that is away loses nothing: it is silent."""
        while True:
            order = await self._voice_orders.get()
            try:
                match order:
                    case orders.Interrupt():
                        await self._client.interrupt()
                    case orders.Pause():
                        await self._client.pause()
                    case orders.Resume():
                        await self._client.resume()
                    case orders.Volume():
                        await self._client.volume(order.gain, fade_ms=100)
                    case orders.Show():
                        await self._client.state(order.state)
            except ClientError as error:
                log.warning("%s", error)


async def quietly(order: Coroutine[None, None, None]) -> None:
    """Await something whose failure changes nothing: the voice is away."""
    try:
        await order
    except ClientError as error:
        log.warning("%s", error)
