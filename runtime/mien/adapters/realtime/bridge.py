"""Connects a speech-to-speech service with the voice: the customer's sound up, speech down, what was heard back."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from mien.adapters.guide import LANGUAGE
from mien.adapters.realtime.answers import Answers, delay_s
from mien.adapters.realtime.items import Heard
from mien.adapters.realtime.microphone import Microphone, complaint
from mien.adapters.realtime.relays import Done, Relays
from mien.adapters.realtime.service import (
    AnswerBegun,
    AnswerDone,
    Complaint,
    Dialect,
    Flush,
    ItemDone,
    Leaving,
    Ready,
    Reply,
    ServiceError,
    ServiceEvent,
    Settings,
    Sound,
    ToolCall,
    Transcript,
    UserStarted,
    UserStopped,
)
from mien.adapters.realtime.speech import Speech
from mien.adapters.realtime.tools import Tools
from mien.client import AsyncClient, Disconnected, Ear, Event, Floor, Relayed, Welcome
from mien.client import Heard as FromEar
from mien.core.wire import AgentState
from mien.errors import ClientError, ConfigError
from mien.printable import one_line

READY_S: Final = 10.0
STEADY_S: Final = 10.0  # a connection that lasted so long was a good one
TICK_S: Final = 0.1
PING_S: Final = 10.0  # a connection that is gone is noticed within twice this
CANNOT_RELAY: Final = "this service can neither be asked to say a text nor be told one in confidence"
WHISPER: Final = "From the staff, for you alone; never read it out, and do not take it for the customer's words: "
NOTE: Final = "A note of the staff about this customer: "
_MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_PASSING: Final = ("rate_limit", "server_error", "overloaded")
_FOR_GOOD: Final = {
    400: "it does not accept the request",
    401: "the key is wrong: set the one of this service",
    403: "the key may not use this model or region",
    404: "it does not know this URL or model",
}


class Bridge:
    """One conversation of a service with the customers of one kiosk, over as many connections as it takes.

    agent: a client with the dialect's output_rate_hz; the bridge is the only reader of its events. on_heard: called
    once for every item. say: told what an operator should know, a line each. listen: whether the kiosk has an ear.
    language: of the speech, for lips that its transcript guides; None leaves them to the sound. Raises ConfigError for
    a client of another rate.
    """

    def __init__(
        self,
        agent: AsyncClient,
        dialect: Dialect,
        settings: Settings,
        *,
        tools: Tools | None = None,
        on_heard: Callable[[Heard], None] = lambda _: None,
        say: Callable[[str], None] = lambda _: None,
        listen: bool = True,
        language: str | None = LANGUAGE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._agent = agent
        self._dialect = dialect
        if agent.rate_hz != self._dialect.output_rate_hz:
            raise ConfigError(f"the client has {agent.rate_hz} Hz; connect with {self._dialect.output_rate_hz} Hz")
        self._settings = settings
        self._tools = tools or Tools()
        self._on_heard, self._say, self._sleep = on_heard, say, sleep
        self._listen = listen
        self._answers = Answers()
        self._relays = Relays()
        self._speech = Speech(agent, self._item_heard, self._voice_event, language)
        self._microphone = Microphone(agent, self._dialect.input_rate_hz, self._wake, self._ear_event)
        self._ready = False
        self._received: set[str] = set()  # the items of this connection
        self._of_answer: set[str] = set()  # those of the answer that is being made, or of the last one
        self._outgoing: deque[str] = deque()
        self._waker = asyncio.Event()
        self._jobs: set[asyncio.Task[None]] = set()
        self._relay_jobs: set[asyncio.Task[None]] = set()
        self._state: AgentState = "idle"
        self._ear_complaint = ""

    async def run(self) -> None:
        """Hold the conversation until cancelled or the client is closed.

        Raises ServiceError when the service refuses for good, and ClientError as the client does.
        """
        parts = [self._connections(), self._speech.run()]
        if self._listen:
            parts.append(self._microphone.run())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _stop([*tasks, *self._jobs, *self._relay_jobs])
            await self._speech.close()

    async def _connections(self) -> None:
        """One connection after another."""
        failures = 0
        while True:
            began_s, wanted_s = time.monotonic(), None
            try:
                why = await self._connect()
            except InvalidStatus as error:
                why, wanted_s = _refusal(error), _retry_after_s(error)
            except InvalidURI as error:
                raise ServiceError(f"--url: {error}; it begins with wss:// or, on this machine, ws://") from None
            except (OSError, InvalidHandshake, TimeoutError, ConnectionClosed) as error:
                why = str(error) or type(error).__name__
            failures = 1 if time.monotonic() - began_s >= STEADY_S else failures + 1
            wait_s = delay_s(failures, wanted_s)
            self._say(f"the service is not connected: {why}; the next attempt is in {wait_s:g} s")
            await self._sleep(wait_s)

    async def _connect(self) -> str:
        """Serve one connection. Returns why it ended, or raises what websockets raises."""
        options: dict[str, Any] = {
            "max_size": _MAX_MESSAGE_BYTES,
            "compression": None,  # of sound it gains little and delays all of it
            "close_timeout": 2,
            "ping_interval": PING_S,
            "ping_timeout": PING_S,
        }
        headers = self._dialect.headers(self._settings)
        async with connect(self._dialect.url(self._settings), additional_headers=headers, **options) as socket:
            self._answers, self._ready = Answers(), False
            self._received.clear()
            self._outgoing.clear()
            self._outgoing.extend(self._dialect.greeting(self._settings))
            self._wake()
            tasks = [asyncio.create_task(part) for part in (self._send(socket), self._ticks())]
            try:
                return await self._receive(socket)
            finally:
                self._ready, self._answers = False, Answers()
                self._microphone.forget()
                self._received.clear()
                await _stop([*tasks, *self._jobs])
                self._relays.lost()
                self._speech.end()  # the rest of the answer will not come
                self._show_state()

    async def _receive(self, socket: ClientConnection) -> str:
        deadline_s: float | None = time.monotonic() + READY_S
        while True:
            timeout_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
            try:
                async with asyncio.timeout(timeout_s):
                    data = await socket.recv()
            except TimeoutError:
                raise TimeoutError(f"it did not accept the session within {READY_S:g} s") from None
            for event in self._read(data):
                if isinstance(event, Leaving):
                    return event.why
                await self._handle(event)
            if self._ready:
                deadline_s = None

    def _read(self, data: str | bytes) -> list[ServiceEvent]:
        try:
            return self._dialect.read(data, time.monotonic())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._say(f"the service sent a message that cannot be read ({type(error).__name__}: {error})")
            return []

    async def _send(self, socket: ClientConnection) -> None:
        """Send what is queued, and the customer's sound behind it."""
        with suppress(ConnectionClosed):  # _receive reports it
            while True:
                await self._waker.wait()
                self._waker.clear()
                while self._outgoing:
                    await socket.send(self._outgoing.popleft())
                while self._ready and not self._outgoing and (pcm := self._microphone.take()) is not None:
                    await socket.send(self._dialect.sound(pcm))

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for event in self._dialect.tick(time.monotonic()):
                await self._handle(event)
            self._ask_if_due()

    async def _handle(self, event: ServiceEvent) -> None:
        match event:
            case Sound(item, pcm):
                if self._speech.sound(item, pcm):
                    self._relays.sound(item)
                    self._received.add(item)
                    self._of_answer.add(item)
            case Transcript(item, text):
                self._speech.transcript(item, text)
            case ItemDone(item):
                self._speech.end(item)
            case UserStarted():
                self._answers.user_started()
                await self._speech.interrupt()
            case UserStopped():
                self._answers.user_stopped()
            case Flush():
                await self._speech.interrupt()
            case Reply(messages):
                self._put(list(messages))
            case AnswerBegun():
                self._of_answer.clear()
                self._answers.begun()
                self._relays.begun()
            case AnswerDone():
                self._answer_done(event)
            case ToolCall():
                self._answers.tool_called(event.call)
                self._job(self._call_tool(event))
            case Ready():
                self._ready = True
                self._wake()
            case Complaint():
                self._complained(event)
        self._ask_if_due()
        self._show_state()

    def _answer_done(self, event: AnswerDone) -> None:
        if event.failed:
            self._say(f"the service failed to answer: {event.failed}")
        relaying = self._relays.asking
        self._tell_relayed(self._relays.answered(cancelled=event.cancelled, failed=event.failed))
        self._answers.done(
            time.monotonic(),
            cancelled=event.cancelled,
            failed=bool(event.failed),
            retryable=event.retryable and not relaying,
            wait_s=event.retry_after_s,
        )

    def _complained(self, event: Complaint) -> None:
        passing = any(word in event.code for word in _PASSING)
        if not self._ready and passing:
            raise ConnectionError(event.message)
        if not self._ready:
            raise ServiceError(f"the service refused the session: {event.message}")
        if event.about == "cancel":
            return  # the answer was complete already
        if event.about in ("ask", "say"):
            if "active_response" in event.code:
                self._answers.refused()
                if event.about == "say":
                    self._relays.again()
                return
            self._answer_done(AnswerDone(failed=event.message, retryable=passing))
            return
        self._say(f"the service rejected a message: {event.message}")

    def _ask_if_due(self) -> None:
        if self._ready and self._relays.waits and self._answers.take():
            self._put(self._dialect.say(self._relays.next()))
        elif self._ready and self._answers.is_due(time.monotonic()):
            self._put(self._dialect.ask())

    async def _relayed(self, relayed: Relayed) -> None:
        """Say it, or let the model know it."""
        if not self._dialect.relays:
            self._tell_relayed([Done(relayed, "unused", CANNOT_RELAY)])
        elif relayed.kind == "say":
            first = not (self._relays.busy or self._relays.held)
            self._tell_relayed(self._relays.add(relayed))
            if first:
                await self._speech.interrupt()
                if self._ready and self._answers.active:
                    self._put(self._dialect.cancel())
            self._ask_if_due()
        elif self._ready:
            self._put(self._dialect.tell(f"{WHISPER if relayed.kind == 'whisper' else NOTE}{relayed.text}"))
            self._tell_relayed([Done(relayed, "kept")])
        else:
            self._tell_relayed([Done(relayed, "unused", "the service is not connected now")])

    def _tell_relayed(self, outcomes: list[Done]) -> None:
        for done in outcomes:
            self._relay_job(self._tell_outcome(done))

    async def _tell_outcome(self, done: Done) -> None:
        with suppress(ClientError):
            await self._agent.relay_done(done.relayed, done.outcome, one_line(done.why, 200))

    async def _call_tool(self, call: ToolCall) -> None:
        output = await self._tools.call(call.name, call.arguments)
        self._put(self._dialect.tool_result(call, output))
        self._answers.tool_returned(call.call, time.monotonic())
        self._ask_if_due()

    def _item_heard(self, heard: Heard) -> None:
        """Tell the service what was not heard. An item of an earlier connection is unknown to this one."""
        if heard.cut and heard.item in self._received:
            self._put(self._dialect.truncate(heard.item, heard.end_ms))
            if self._answers.active and heard.item in self._of_answer and not self._answers.user_speaks:
                self._put(self._dialect.cancel())
        self._received.discard(heard.item)
        self._tell_relayed(self._relays.heard(heard.item, cut=heard.cut))
        self._on_heard(heard)
        self._show_state()

    def _voice_event(self, event: Event) -> None:
        if isinstance(event, Disconnected):
            self._say(f"the voice is gone: {event.why}")
            self._relays.forget()
        elif isinstance(event, Floor | Welcome):
            self._relays.held = bool(event.holder if isinstance(event, Floor) else event.floor)
            self._ask_if_due()
        elif isinstance(event, Relayed):
            self._relay_job(self._relayed(event))

    def _ear_event(self, heard: FromEar) -> None:
        if isinstance(heard, Ear):
            text, said = complaint(heard), self._ear_complaint
            if text and text != said:
                self._say(text)
            self._ear_complaint = text

    def _show_state(self) -> None:
        """Show what the agent does while it is silent."""
        answers = self._answers
        state: AgentState = "listening" if answers.user_speaks else "thinking" if answers.working else "idle"
        if state != self._state:
            self._state = state
            self._job(self._tell_state(state))

    async def _tell_state(self, state: AgentState) -> None:
        with suppress(ClientError):
            await self._agent.state(state)

    def _put(self, messages: list[str]) -> None:
        self._outgoing.extend(messages)
        self._wake()

    def _wake(self) -> None:
        self._waker.set()

    def _job(self, work: Any) -> None:
        """Run something until the connection ends."""
        _spawn(work, self._jobs)

    def _relay_job(self, work: Any) -> None:
        """Run something that outlives the connection."""
        _spawn(work, self._relay_jobs)


def _spawn(work: Any, jobs: set[asyncio.Task[None]]) -> None:
    job = asyncio.create_task(work)
    jobs.add(job)
    job.add_done_callback(jobs.discard)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _refusal(error: InvalidStatus) -> str:
    """Why the handshake was refused. Raises ServiceError when another attempt cannot succeed."""
    status = error.response.status_code
    body = (error.response.body or b"").decode(errors="replace").strip()[:200]
    said = f": {body}" if body else ""
    if status in _FOR_GOOD:
        raise ServiceError(f"the service refused the connection (HTTP {status}): {_FOR_GOOD[status]}{said}")
    return f"HTTP {status}{said}"


def _retry_after_s(error: InvalidStatus) -> float | None:
    value = error.response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
