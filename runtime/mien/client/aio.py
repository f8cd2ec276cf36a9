"""The client for asyncio.

    async with connect_async() as agent:
        async with agent.turn() as turn:
            async for chunk in tts:
                await turn.write(chunk)
        heard = await turn.wait()

A barge-in ends the block early: the first write() after it leaves the block, and wait() says what was heard.

All calls must come from the event loop that opened the client; tasks may share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import zmq.asyncio

from mien.client.aioturn import AsyncTurn
from mien.client.core import Event, Session
from mien.client.endpoint import default_endpoint, unreachable
from mien.client.keys import ClientKeys, load_keys
from mien.client.link import Link
from mien.client.pcm import Pcm, pcm_chunks
from mien.client.wav import WavSource, wav_chunks
from mien.core import wire
from mien.errors import ClientError

STEP_S = 0.1
RECONNECT_S = 0.1
REFUSED_PAUSE_S = 1.0
BYE_S = 0.3


def connect_async(
    endpoint: str | None = None,
    *,
    rate_hz: int = 16000,
    timeout_s: float = 5.0,
    name: str = "client",
    role: wire.Role = "speaker",
    encoding: str = "s16le",
    key: str | Path | None = None,
    voice_key: str | Path | None = None,
) -> Connecting:
    """A client for asyncio: `await` it, or use it in `async with`. The arguments are those of `connect`."""
    hello = wire.Hello(protocol=wire.PROTOCOL_MAJOR, client=name, role=role, rate_hz=rate_hz, encoding=encoding)
    return Connecting(AsyncClient(endpoint or default_endpoint(), hello, timeout_s, load_keys(key, voice_key)))


class Connecting:
    """What connect_async returns."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def __await__(self) -> Generator[Any, None, AsyncClient]:
        return self._client.open().__await__()

    async def __aenter__(self) -> AsyncClient:
        return await self._client.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._client.close()


class AsyncClient:
    """One session with the voice, opened anew whenever the voice comes back.

    Methods that talk to the voice raise ClientError when it is out of reach for timeout_s. A turn that was begun when
    the voice went away raises ClientError (unreachable) from write() and wait(); the next turn is spoken by the voice
    that came back.
    """

    def __init__(self, endpoint: str, hello: wire.Hello, timeout_s: float, keys: ClientKeys | None = None) -> None:
        self.endpoint = endpoint
        self._keys = keys
        self._timeout_s = timeout_s
        self._session = Session(hello, where=f"the voice at {endpoint}", patience_s=max(1.0, timeout_s))
        self._context: zmq.asyncio.Context | None = None
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._asking = asyncio.Lock()

    async def open(self) -> AsyncClient:
        """Connect and say hello. Raises ClientError (unreachable, or why the voice refuses) or ConfigError."""
        self._context = zmq.asyncio.Context()
        try:
            first = Link(self._context, self.endpoint, self._keys)
            self._task = asyncio.create_task(self._run(first), name="mien-client")
            self._task.add_done_callback(lambda _: self._wake())
            await self.ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """Say goodbye. What was sent is still spoken; turns that were not finished can no longer be waited for."""
        await self._say_bye()
        self._session.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._context is not None:
            context, self._context = self._context, None
            await asyncio.to_thread(context.term)

    async def _say_bye(self) -> None:
        """Wait a moment for the answer: then the next client finds this one's place free."""
        if self._task is None or self._task.done() or not self._session.say_bye():
            return
        with contextlib.suppress(TimeoutError, ClientError, zmq.ZMQError):
            async with asyncio.timeout(BYE_S):
                await self.flush()
                await self.until(lambda: self._session.bye_answered or not self.connected)

    @property
    def rate_hz(self) -> int:
        """The sample rate of all speech of this client."""
        return self._session.hello.rate_hz

    @property
    def connected(self) -> bool:
        """Whether there is a session now."""
        return self._session.state == "open"

    @property
    def welcome(self) -> wire.Welcome | None:
        """What the voice said of itself (version, capabilities, limits); None while it is away."""
        return self._session.welcome

    @property
    def credit_ms(self) -> float:
        """How much speech write() would take now without waiting."""
        return self._session.credit_ms()

    @property
    def events_dropped(self) -> int:
        """Events that nobody read in time; the newest 1000 are kept."""
        return self._session.events_dropped

    def turn(self, name: str | None = None) -> AsyncTurn:
        """A new turn. It begins with its first audio; nothing is sent before. name: None picks one."""
        return AsyncTurn(self, self._session, self._session.open_turn(name))

    async def say(self, speech: Pcm | Iterable[Pcm] | AsyncIterable[Pcm], *, name: str | None = None) -> wire.Finished:
        """Speak PCM, or chunks of it as they come, as one turn. Returns when it was heard, or was interrupted."""
        async with self.turn(name) as turn:
            async for chunk in _chunks(speech):
                await turn.write(chunk)
        return await turn.wait()

    async def say_wav(self, wav: WavSource, *, name: str | None = None) -> wire.Finished:
        """Speak a WAV file: a path, its bytes, or an open file or pipe, mixed to mono and converted to rate_hz.

        A pipe is spoken as it fills. Raises ClientError (bad_wav).
        """
        return await self.say(_in_thread(wav_chunks(wav, self.rate_hz)), name=name)

    async def interrupt(self) -> tuple[wire.Finished, ...]:
        """Stop all turns of this client. Returns how each finished: played_ms is what was heard of it."""
        stopped = self._session.interrupt()
        await self.flush()
        await self.until(lambda: all(turn.finished or turn.error for turn in stopped))
        return tuple(turn.finished for turn in stopped if turn.finished)

    async def pause(self) -> None:
        """Hold the speech where it is. No sample is lost."""
        await self.send(wire.Pause())

    async def resume(self) -> None:
        """Go on after pause()."""
        await self.send(wire.Resume())

    async def volume(self, gain: float, *, fade_ms: int = 20) -> None:
        """Set the gain, 0..1, reached over fade_ms."""
        await self.send(wire.Volume(gain=gain, fade_ms=fade_ms))

    async def state(self, state: wire.AgentState) -> None:
        """Tell what the agent does while it does not speak: idle, listening or thinking."""
        await self.send(wire.State(state=state))

    async def emotion(self, name: wire.EmotionName, intensity: float = 1.0) -> None:
        """Set the face's emotion, held until the next. intensity: 0..1."""
        await self.send(wire.Emotion(name=name, intensity=intensity))

    async def gesture(self, name: wire.GestureName) -> None:
        """One movement, now: nod, shake, wink or smile."""
        await self.send(wire.Gesture(name=name))

    async def look_at(self, x: float | None = None, y: float | None = None) -> None:
        """Look there: -1..1 from left to right and from bottom to top. Without arguments the gaze goes free."""
        await self.send(wire.LookAt(x=x, y=y))

    async def caption(self, turn: str, text: str = "", words: Iterable[tuple[str, int, int]] = ()) -> None:
        """What a turn says. words: (text, start_ms, end_ms) on the turn's clock, where the times are known."""
        await self.send(wire.Caption(turn=turn, text=text, words=tuple(wire.Word(*word) for word in words)))

    async def take_floor(self, queue: Literal["hold", "drop"] = "hold") -> None:
        """Speak instead of the speakers, as an agent. What is heard of them finishes as taken_over.

        queue: whether their turns behind it wait until the floor is given back, or are dropped. Returns once the floor
        is this client's; every change comes as a Floor event, too. Raises ClientError: floor_taken, not_allowed.
        """
        await self._order(wire.TakeFloor(queue=queue))

    async def release_floor(self) -> None:
        """Give the floor back as soon as this agent's turns have been heard. Raises ClientError (floor_not_held)."""
        await self._order(wire.ReleaseFloor())

    async def subscribe(self, *topics: wire.Topic) -> None:
        """What to be told of the conversation, as an agent or observer, in place of what was asked before.

        topics: state (Status and Outcome events), captions (Said), levels (Levels), health (Health); none ends it. A
        session that is opened anew has none. Raises ClientError (not_allowed, malformed).
        """
        await self._order(wire.Subscribe(topics=topics))

    async def ping(self) -> float:
        """The round trip to the voice and back, in ms."""
        await self.ready()
        began_s = time.monotonic()
        await self._answer(self._session.ping())
        return (time.monotonic() - began_s) * 1000

    async def poll(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when none came within timeout_s, or the client is closed."""
        events = self._session.events
        try:
            async with asyncio.timeout(timeout_s):
                await self.until(lambda: bool(events) or self._session.state == "closed")
        except TimeoutError:
            return None
        return events.popleft() if events else None

    async def events(self) -> AsyncIterator[Event]:
        """Every event of the session, until the client is closed: the voice's messages, and Disconnected."""
        while (event := await self.poll()) is not None:
            yield event

    async def send(self, message: wire.ClientMessage) -> None:
        """Send a message that has no method here. Raises ClientError when the voice is away or would refuse it."""
        await self.ready()
        self._session.send(message)
        await self.flush()

    async def ready(self) -> None:
        """Wait until there is a session. Raises ClientError after timeout_s, or with the voice's refusal."""
        session = self._session
        session.dormant = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.until(lambda: session.state in ("open", "refused", "closed"))
        except TimeoutError:
            raise ClientError(unreachable(self.endpoint, self._timeout_s)) from None
        if session.refusal is not None:
            raise session.refusal
        if session.state == "closed":
            raise ClientError("the client was closed", code="closed", retryable=False)

    async def flush(self) -> None:
        """Send what the session wants to say, in its order."""
        while self._link is not None and self._session.outgoing:
            await self._link.send(self._session.outgoing.popleft())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true of the session."""
        while not condition():
            if self._task is None or self._task.done():
                raise ClientError("the client is not open", code="closed", retryable=False) from self._failure()
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    async def _order(self, message: wire.ClientMessage) -> None:
        """Send, and wait until the voice took it: answers come in order. Raises ClientError with its refusal."""
        async with self._asking:
            await self.ready()
            self._session.send(message)
            self._session.refused_order = None
            await self._answer(self._session.ping())
            if self._session.refused_order is not None:
                raise self._session.refused_order

    async def _answer(self, nonce: int) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.flush()
                await self.until(lambda: self._session.answered_ping >= nonce or not self.connected)
        except TimeoutError:
            raise ClientError(unreachable(self.endpoint, self._timeout_s)) from None
        if not self.connected:
            raise ClientError(unreachable(self.endpoint, self._timeout_s))

    def _failure(self) -> BaseException | None:
        """What ended the task that serves the link, where that was not close()."""
        ended = self._task is not None and self._task.done() and not self._task.cancelled()
        return self._task.exception() if self._task is not None and ended else None

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _run(self, first: Link) -> None:
        """Hold one link after the other, for as long as the client is open."""
        assert self._context is not None
        link = first
        while True:
            with link:
                self._link = link
                self._session.greet(time.monotonic())
                await self._converse(link)
            self._link = None
            self._wake()
            while self._session.stays_away or self._session.dormant:
                await asyncio.sleep(RECONNECT_S)
            await asyncio.sleep(REFUSED_PAUSE_S if self._session.state == "refused" else RECONNECT_S)
            link = Link(self._context, self.endpoint, self._keys)

    async def _converse(self, link: Link) -> None:
        """Serve one link until it or its session is over."""
        session = self._session
        while session.state in ("greeting", "open"):
            await self.flush()
            frames = await link.receive(STEP_S)
            if frames is None:
                session.lose(f"the connection to the voice at {self.endpoint} was lost; was mien-voice stopped?")
            elif frames:
                session.receive(frames, time.monotonic())
            session.tick(time.monotonic())
            self._wake()


async def _chunks(speech: Pcm | Iterable[Pcm] | AsyncIterable[Pcm]) -> AsyncIterator[Pcm]:
    """One buffer, an iterable or an async iterable, as an async iterable."""
    if isinstance(speech, AsyncIterable):
        async for chunk in speech:
            yield chunk
    else:
        for chunk in pcm_chunks(speech):
            yield chunk


async def _in_thread(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Draw from an iterable that may block, without blocking the loop."""
    iterator = iter(chunks)
    while (chunk := await asyncio.to_thread(next, iterator, None)) is not None:
        yield chunk
