"""The client for asyncio programs.

    async with connect_async() as agent:
        async with agent.turn() as turn:
            async for chunk in tts:
                await turn.write(chunk)
        heard = await turn.wait()

A barge-in ends the turn's block early: the first write() after it leaves the block, and wait() returns what was heard.

Make all calls from the event loop that opened the client. Tasks may share one client.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from uuid import uuid4

import zmq.asyncio

from mien.client._call import SpokenBy, make_call
from mien.client._link import Link
from mien.client._session import Event, Heard, Live, Session
from mien.client._transmit import TurnState
from mien.client.audio import SAMPLE_BYTES, PcmLike, SampleJoiner, pcm_chunks
from mien.client.endpoint import default_endpoint, unreachable
from mien.client.keys import ClientKeys, load_keys
from mien.client.phones import TimedPhones, phone_messages
from mien.client.wav import WavSource, wav_chunks
from mien.core import wire
from mien.errors import ClientError

STEP_S = 0.1
IDLE_STEP_S = 0.5  # without a turn under way only silence must be noticed
RECONNECT_S = 0.1
REFUSED_PAUSE_S = 1.0
BYE_S = 0.3
PACKETS_A_BATCH = 10  # 200 ms: the first are sent before the last are encoded, and the event loop stays responsive


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
    capabilities: Iterable[str] = (),
    packets: bool = False,
) -> Connecting:
    """Open a client for asyncio: `await` the result, or use it in `async with`. Takes the arguments of connect().

    packets: its turns are written with write_packet(), in Opus that comes from elsewhere.
    """
    hello = wire.Hello(
        protocol=wire.PROTOCOL_MAJOR,
        client=name,
        role=role,
        rate_hz=rate_hz,
        encoding=encoding,
        capabilities=tuple(capabilities),
    )
    return Connecting(AsyncClient(endpoint or default_endpoint(), hello, timeout_s, load_keys(key, voice_key), packets))


class Connecting:
    """What connect_async() returns: awaitable, and an asynchronous context manager."""

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
    """One session with the voice, reopened whenever the voice comes back.

    Methods that send to the voice raise ClientError when it is unreachable for timeout_s. A turn that had begun when
    the voice went away raises ClientError (unreachable) from write() and wait(). A turn begun after that is spoken
    normally once the voice is back.
    """

    def __init__(
        self,
        endpoint: str,
        hello: wire.Hello,
        timeout_s: float,
        keys: ClientKeys | None = None,
        packets: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self._keys = keys
        self._timeout_s = timeout_s
        patience_s = max(1.0, timeout_s)
        self._idle_step_s = min(IDLE_STEP_S, patience_s / 8)
        self._session = Session(hello, where=f"the voice at {endpoint}", patience_s=patience_s, packets=packets)
        self._context: zmq.asyncio.Context | None = None
        self._link: Link | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._ordering = asyncio.Lock()
        self._thumbnailing = asyncio.Lock()

    async def open(self) -> AsyncClient:
        """Connect and send hello. Raises ClientError (unreachable, or the voice's refusal) or ConfigError."""
        self._context = zmq.asyncio.Context()
        try:
            first = Link(self._context, self.endpoint, self._keys)
            self._task = asyncio.create_task(self._run(first), name="mien-client")
            self._task.add_done_callback(lambda _: self._wake())
            await self._ready()
        except BaseException:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """Close the session. Audio already sent is still spoken; wait() no longer works on unfinished turns."""
        await self._bye()
        self._session.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._context is not None:
            context, self._context = self._context, None
            await asyncio.to_thread(context.term)

    async def _bye(self) -> None:
        """Send bye and wait briefly for the answer, so that this client's place is free for the next one."""
        if self._task is None or self._task.done() or not self._session.say_bye():
            return
        with contextlib.suppress(TimeoutError, ClientError, zmq.ZMQError):
            async with asyncio.timeout(BYE_S):
                await self._flush()
                await self._until(lambda: self._session.bye_answered or not self.connected)

    @property
    def rate_hz(self) -> int:
        """The sample rate of all speech of this client."""
        return self._session.hello.rate_hz

    @property
    def connected(self) -> bool:
        """Whether a session is open now."""
        return self._session.state == "open"

    @property
    def welcome(self) -> wire.Welcome | None:
        """The voice's version, capabilities and limits; None while it is unreachable."""
        return self._session.welcome

    @property
    def credit_ms(self) -> float:
        """How much speech write() would accept now without waiting."""
        return self._session.credit_ms()

    @property
    def events_dropped(self) -> int:
        """Events that were dropped unread; the newest 1000 are kept."""
        return self._session.events_dropped

    def turn(self, name: str | None = None) -> AsyncTurn:
        """Create a turn. It begins with its first audio; nothing is sent before. name: None picks one."""
        return AsyncTurn(self, self._session, self._session.open_turn(name))

    async def say(
        self, speech: PcmLike | Iterable[PcmLike] | AsyncIterable[PcmLike], *, name: str | None = None
    ) -> wire.Finished:
        """Speak PCM, or chunks of it as they arrive, as one turn. Returns once it was heard or interrupted."""
        async with self.turn(name) as turn:
            async for chunk in _chunks(speech):
                await turn.write(chunk)
        return await turn.wait()

    async def say_wav(self, wav: WavSource, *, name: str | None = None) -> wire.Finished:
        """Speak a WAV, mixed down to mono and resampled to rate_hz. wav: a path, the bytes, or an open file or pipe.

        A pipe is spoken while it fills. Raises ClientError (bad_wav).
        """
        return await self.say(_in_thread(wav_chunks(wav, self.rate_hz)), name=name)

    async def interrupt(self) -> tuple[wire.Finished, ...]:
        """Stop all turns of this client. Returns how each one finished; played_ms is what was heard of it."""
        stopped = self._session.interrupt()
        await self._flush()
        await self._until(lambda: all(turn.finished or turn.error for turn in stopped))
        return tuple(turn.finished for turn in stopped if turn.finished)

    async def pause(self) -> None:
        """Pause the speech. No sample is lost. The voice resumes by itself after limits.max_pause_ms."""
        await self.send(wire.Pause())

    async def resume(self) -> None:
        """Resume after pause()."""
        await self.send(wire.Resume())

    async def volume(self, gain: float, *, fade_ms: int = 20) -> None:
        """Set the gain, 0..1, fading to it over fade_ms."""
        await self.send(wire.Volume(gain=gain, fade_ms=fade_ms))

    async def listen(
        self, mode: Literal["speech", "always"] = "speech", *, encoding: str = "s16le"
    ) -> AsyncGenerator[Heard, None]:
        """Hear the customer: NearEnd blocks of 20 ms, UserStarted, UserStopped, Ear, BargeIn, Disconnected, in order.

        mode: only utterances with their pre-roll, or all sound. The first item is Ear, which says whether there is an
        ear. A reopened session listens again by itself. Leave the loop to stop. What is not read for 20 s is dropped.
        Raises ClientError: not_allowed, unsupported_encoding, listening when this client listens already.
        """
        session, message = self._session, wire.Listen(mode=mode, encoding=encoding)
        if session.listening is not None:
            raise ClientError("this client listens already; leave that loop first", code="listening", retryable=False)
        session.listen(message)
        try:
            await self._order(message)
            while True:
                await self._until(lambda: bool(session.heard) or session.state == "closed")
                if not session.heard:
                    return
                yield session.heard.popleft()
        finally:
            session.listen(wire.Listen(mode="off"))
            if self.connected:
                session.send(wire.Listen(mode="off"))
                await self._flush()

    async def mute(self) -> None:
        """Mute the microphone for everybody, until unmute() or the end of this client. A reopened session mutes again.

        Raises ClientError (not_allowed) for an observer.
        """
        await self._order(wire.Mute())
        self._session.muted = True

    async def unmute(self) -> None:
        """Withdraw mute(). Raises ClientError (not_allowed) while the configuration mutes the microphone."""
        self._session.muted = False
        await self._order(wire.Unmute())

    async def state(self, state: wire.AgentState) -> None:
        """Set what the agent does while it is not speaking: idle, listening or thinking."""
        await self.send(wire.State(state=state))

    async def emotion(self, name: wire.EmotionName, intensity: float = 1.0) -> None:
        """Set the face's emotion, held until the next. intensity: 0..1."""
        await self.send(wire.Emotion(name=name, intensity=intensity))

    async def gesture(self, name: wire.GestureName) -> None:
        """Play one gesture now: nod, shake, wink or smile."""
        await self.send(wire.Gesture(name=name))

    async def look_at(self, x: float | None = None, y: float | None = None) -> None:
        """Direct the gaze: x and y in -1..1, left to right and bottom to top. Without arguments, release it."""
        await self.send(wire.LookAt(x=x, y=y))

    async def choices(self, items: Mapping[str, str] | None = None, *, again: bool = False, qr: str = "") -> None:
        """Show buttons, at most six: id -> text. None takes them away. again: may be chosen more than once.

        qr: a text, such as a URL, shown beside them as a QR code. `Offered` says when the customer sees them, and
        whether the code can be seen, `Chosen` what was chosen; both are events. Raises ClientError (malformed;
        floor_taken).
        """
        choices = tuple(wire.Choice(name, text) for name, text in (items or {}).items())
        await self._order(wire.Choices(items=choices, again=again, qr=qr))

    async def presence(self, present: bool = True, *, source: str = "sensor") -> None:
        """Tell the other clients that a sensor sees somebody, or nobody any more."""
        await self.send(wire.Presence(present=present, source=source))

    async def caption(
        self, turn: str, text: str = "", words: Iterable[tuple[str, int, int]] = (), *, append: bool = False
    ) -> None:
        """Set what a turn says. words: (text, start_ms, end_ms) on the turn's clock, where the times are known.

        append: add to the turn's previous captions instead of replacing them.
        """
        timed = tuple(wire.Word(*word) for word in words)
        await self.send(wire.Caption(turn=turn, text=text, words=timed, append=append))

    async def phones(self, turn: str, words: Iterable[TimedPhones]) -> None:
        """Say how a turn sounds, which guides its lips. It follows what was sent before for this turn.

        A voice without the capability `phones` is not told. See mien.client.phones for the phones of a text.
        """
        if self.welcome is None or "phones" not in self.welcome.capabilities:
            return
        for message in phone_messages(turn, words):
            await self.send(message)

    async def take_floor(self, queue: Literal["hold", "drop"] = "hold") -> None:
        """Speak in place of the speakers, as an agent. The turn being heard finishes as taken_over.

        queue: whether the speakers' queued turns wait until the floor is given back, or are dropped. Returns once this
        client holds the floor; every change also comes as a Floor event. Raises ClientError: floor_taken, not_allowed.
        """
        await self._order(wire.TakeFloor(queue=queue))

    async def release_floor(self, note: str = "") -> None:
        """Give the floor back once this agent's turns were heard. note: for the speakers. Raises ClientError
        (floor_not_held)."""
        await self._order(wire.ReleaseFloor(note=note))

    async def call(
        self, question: str = "", *, language: str = "", conversation: Iterable[tuple[SpokenBy, str]] = ()
    ) -> None:
        """Call a person for the customer. Agents get a Call event, with these words; CallAnswered and Floor answer it.

        conversation: (who, text), oldest first; the newest are kept, and long texts are cut.
        """
        await self._order(make_call(question, language, conversation))

    async def hang_up(self) -> None:
        """Withdraw call()."""
        await self._order(wire.Call(open=False))

    async def answer_call(self, coming: bool, *, in_s: int = 0) -> None:
        """Tell the customer, as an agent, whether somebody comes. Raises ClientError: no_call, not_allowed."""
        await self._order(wire.AnswerCall(coming=coming, in_s=in_s))

    async def relay(self, kind: wire.RelayKind, text: str) -> str:
        """Hand the voice stack a text, as an agent: to say, to know (whisper), or to keep as a note. At most 2000
        characters.

        Returns its id, with which RelayDone later says what became of it. Raises ClientError: no_speaker (retryable),
        floor_taken, not_allowed, malformed.
        """
        message = wire.Relay(kind=kind, text=text, id=uuid4().hex)
        await self._order(message)
        return message.id

    async def relay_done(self, relayed: wire.Relayed, outcome: wire.RelayOutcome, why: str = "") -> None:
        """Say, as the speaker, what became of a Relayed event: said, cut, kept or unused. why: at most 200
        characters."""
        await self.send(wire.RelayDone(id=relayed.id, outcome=outcome, why=why))

    async def visit(self, visit: wire.Visit) -> None:
        """Tell subscribers of visits, as the speaker, where the visit stands. A voice without the capability `visit`
        is not told."""
        if self.welcome is None or "visit" in self.welcome.capabilities:
            await self.send(visit)

    async def screen(self, power: wire.ScreenPower = "auto", *, brightness: float | None = None) -> None:
        """Switch the kiosk's screen, as an agent, until the next call or the end of the voice.

        brightness: a factor, 0.05..1; None unchanged. HealthReport events tell what the face then shows. Raises
        ClientError (not_allowed, malformed).
        """
        await self._order(wire.Screen(power=power, brightness=brightness))

    async def drain(self, on: bool) -> None:
        """Take no new visitors, as an agent, or take them again, until the next call or the end of the voice.

        Speakers whose capabilities contain "drain" get a Draining event. Raises ClientError (not_allowed).
        """
        await self._order(wire.Drain(on=on))

    async def attend(self, *, listening: bool = False, speaking: bool = False, name: str = "") -> None:
        """Show on the face, as an agent or observer, that a person listens or speaks through it from elsewhere.

        Without arguments, no longer. It ends with the session; a reopened one attends again. name: shown to the
        customer. Raises ClientError (not_allowed, malformed).
        """
        message = wire.Attend(listening=listening, speaking=speaking, name=name)
        await self._order(message)
        self._session.attending = message if listening or speaking else None

    async def subscribe(self, *topics: wire.Topic, encoding: str = "s16le") -> None:
        """Subscribe to events about the conversation, as an agent or observer. Replaces the previous subscription.

        topics: state (Status and Outcome events), captions (Said), levels (Levels), health (HealthReport),
        calls (Call), visits (Visit), poses and heard (see live()); none unsubscribes. encoding: of what is heard, s16le
        or opus. A reopened session has none. Raises ClientError (not_allowed, malformed, unsupported_encoding).
        """
        await self._order(wire.Subscribe(topics=topics, encoding=encoding))

    async def live(self) -> AsyncGenerator[Live, None]:
        """Poses and heard speech, as they were subscribed to, until the client is closed.

        What is not read for some seconds is dropped. One loop at a time.
        """
        session = self._session
        while True:
            await self._until(lambda: bool(session.live) or session.state == "closed")
            if not session.live:
                return
            yield session.live.popleft()

    async def thumbnail(self, width: int = 96, *, timeout_s: float = 5.0) -> wire.Thumbnail:
        """Ask for a small screenshot of the face, as an agent or observer. width: 32..320 pixels.

        Raises ClientError: no_thumbnail when the face does not answer, not_allowed for a speaker, malformed for another
        width, unreachable after timeout_s.
        """
        session = self._session
        async with self._thumbnailing:
            session.thumbnail = None
            await self._order(wire.GetThumbnail(width=width))
            await self._answered(lambda: session.thumbnail is not None, timeout_s)
            answer, session.thumbnail = session.thumbnail, None
        if not isinstance(answer, wire.Thumbnail):
            raise answer or ClientError(unreachable(self.endpoint, timeout_s))
        return answer

    async def ping(self) -> float:
        """Measure the round trip to the voice, in ms."""
        await self._ready()
        began_s = time.monotonic()
        await self._pong(self._session.ping())
        return (time.monotonic() - began_s) * 1000

    async def poll(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when none came within timeout_s or the client is closed."""
        events = self._session.events
        try:
            async with asyncio.timeout(timeout_s):
                await self._until(lambda: bool(events) or self._session.state == "closed")
        except TimeoutError:
            return None
        return events.popleft() if events else None

    async def events(self) -> AsyncIterator[Event]:
        """All events until the client is closed: the voice's messages, and Disconnected."""
        while (event := await self.poll()) is not None:
            yield event

    async def send(self, message: wire.ClientMessage) -> None:
        """Send a message that has no method here. Raises ClientError when the voice is unreachable or the message is
        invalid."""
        await self._ready()
        self._session.send(message)
        await self._flush()

    async def _ready(self) -> None:
        """Wait until a session is open. Raises ClientError after timeout_s, or with the voice's refusal."""
        session = self._session
        session.dormant = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._until(lambda: session.state in ("open", "refused", "closed"))
        except TimeoutError:
            raise ClientError(unreachable(self.endpoint, self._timeout_s)) from None
        if session.refusal is not None:
            raise session.refusal
        if session.state == "closed":
            raise ClientError("the client was closed", code="closed", retryable=False)

    async def _flush(self) -> None:
        """Send the session's outgoing messages in order."""
        while self._link is not None and self._session.outgoing:
            await self._link.send(self._session.outgoing.popleft())

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the session holds."""
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
        """Send, then wait for the pong of a ping sent after it: answers come in order. Raises the voice's refusal."""
        async with self._ordering:
            await self._ready()
            self._session.send(message)
            self._session.refused_order = None
            await self._pong(self._session.ping())
            if self._session.refused_order is not None:
                raise self._session.refused_order

    async def _pong(self, nonce: int) -> None:
        await self._answered(lambda: self._session.answered_ping >= nonce, self._timeout_s)

    async def _answered(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait for an answer. Raises ClientError (unreachable) after timeout_s, or when the connection is lost."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._flush()
                await self._until(lambda: condition() or not self.connected)
        except TimeoutError:
            raise ClientError(unreachable(self.endpoint, timeout_s)) from None
        if not self.connected:
            raise ClientError(unreachable(self.endpoint, timeout_s))

    def _failure(self) -> BaseException | None:
        """The exception that ended the task serving the link; None when close() ended it."""
        ended = self._task is not None and self._task.done() and not self._task.cancelled()
        return self._task.exception() if self._task is not None and ended else None

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _run(self, first: Link) -> None:
        """Open one link after another, as long as the client is open."""
        assert self._context is not None
        link = first
        while True:
            with link:
                self._link = link
                self._session.greet(time.monotonic())
                await self._serve(link)
            self._link = None
            self._wake()
            while self._session.stays_away or self._session.dormant:
                await asyncio.sleep(RECONNECT_S)
            await asyncio.sleep(REFUSED_PAUSE_S if self._session.state == "refused" else RECONNECT_S)
            link = Link(self._context, self.endpoint, self._keys)

    async def _serve(self, link: Link) -> None:
        """Serve one link until the link or its session ends."""
        session = self._session
        while session.state in ("greeting", "open"):
            await self._flush()
            idle = session.state == "open" and not session.turns
            frames = await link.receive(self._idle_step_s if idle else STEP_S)
            if frames is None:
                session.lose(f"the connection to the voice at {self.endpoint} was lost; was mien-voice stopped?")
            elif frames:
                session.receive(frames, time.monotonic())
            session.tick(time.monotonic())
            self._wake()


class AsyncTurn:
    """One turn of speech, from its first audio until it was heard. Made by AsyncClient.turn().

    An `async with` block ends the turn when it completes, and interrupts the turn when it raises. A write() to a turn
    that was interrupted or is finished leaves the block without an error; wait() then says how the turn finished.
    """

    def __init__(self, client: AsyncClient, session: Session, state: TurnState) -> None:
        self._client = client
        self._session = session
        self._state = state
        self._samples = SampleJoiner(session.encoding.packet_frames, session.encoding.tail_frames)
        self._step = session.encoding.packet_frames * SAMPLE_BYTES * PACKETS_A_BATCH
        self._writing = asyncio.Lock()

    @property
    def name(self) -> str:
        """The turn's name in events."""
        return self._state.name

    @property
    def played_ms(self) -> float:
        """How much was heard, according to the last progress."""
        if self._state.finished is not None:
            return self._state.finished.played_ms
        return self._state.heard_frames * 1000 / self._session.hello.rate_hz

    @property
    def sent_ms(self) -> float:
        """How much was sent, including the silence that pads the last packet of a packet encoding such as Opus."""
        return self._state.sent_frames * 1000 / self._session.hello.rate_hz

    @property
    def started(self) -> wire.Started | None:
        """The Started event, with the latency to the first audible sample; None before it."""
        return self._state.started

    @property
    def finished(self) -> wire.Finished | None:
        """How the turn ended; None before."""
        return self._state.finished

    @property
    def over(self) -> bool:
        """Whether the turn was heard to its end, interrupted or lost, so that wait() returns at once."""
        return self._state.finished is not None or self._state.error is not None

    async def write(self, speech: PcmLike) -> None:
        """Send speech of any length: bytes of s16le, or an int16 array. Waits while the voice's buffer is full.

        A sample may be split between two writes. Raises ClientError: turn_closed when the turn was ended, interrupted
        or finished, unreachable, or the voice's refusal; TypeError for other arrays.
        """
        async with self._writing:
            await self._write(self._samples.join(speech))

    async def write_packet(self, packet: bytes) -> None:
        """Send one Opus packet of 20 ms that was encoded elsewhere; for a client opened with `packets`.

        Waits while the voice's buffer is full. Raises ClientError as write().
        """
        async with self._writing:
            await self._begin()
            while not self._session.write_packet(self._state, packet):
                await self._wait_for_room(self._session.encoding.packet_frames * SAMPLE_BYTES)
            await self._client._flush()

    async def end(self) -> None:
        """Mark the speech as complete. Raises ClientError (odd_bytes) when half a sample remains.

        A packet encoding sends its last packet now, and waits for room as write() does.
        """
        if self._ended():
            return
        async with self._writing:
            await self._begin()
            await self._write_last()
            if not self._ended():
                self._session.end(self._state)
                await self._client._flush()
        self._samples.close()

    async def wait(self) -> wire.Finished:
        """End the turn if necessary and wait until it was heard. Raises ClientError when the turn was lost."""
        await self.end()
        await self._client._until(lambda: self.over)
        if self._state.error is not None:
            raise self._state.error
        return self._finished()

    async def interrupt(self) -> wire.Finished:
        """Stop this turn and those queued behind it. Returns once it is silent; played_ms is what was heard."""
        await self.cancel()
        await self._client._until(lambda: not self._session.owes(self._state))
        return self._finished()

    async def cancel(self) -> None:
        """Interrupt the turn without waiting for the answer."""
        self._session.interrupt(self._state)
        await self._client._flush()

    async def caption(
        self, text: str = "", words: Iterable[tuple[str, int, int]] = (), *, append: bool = False
    ) -> None:
        """Set what this turn says. words: (text, start_ms, end_ms) on its own clock, where the times are known.

        append: add to the turn's previous captions instead of replacing them.
        """
        await self._client.caption(self.name, text, words, append=append)

    async def phones(self, words: Iterable[TimedPhones]) -> None:
        """Say how this turn sounds, which guides its lips. It follows what was sent before."""
        await self._client.phones(self.name, words)

    async def __aenter__(self) -> AsyncTurn:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool:
        if error is None:
            await self.end()
        elif self.was_cut_off(error):
            return True
        else:
            await self.cancel()
        return False

    def was_cut_off(self, error: BaseException) -> bool:
        """Whether write() raised this because the turn was stopped, which is no fault of its caller."""
        return (
            isinstance(error, ClientError)
            and error.code == "turn_closed"
            and self._stopped()
            and not (self._state.end_wanted or self._state.error)
        )

    async def _write(self, pcm: bytes) -> None:
        rest = memoryview(pcm)
        while True:
            await self._begin()
            rest = rest[self._session.write(self._state, rest[: self._step or None]) :]
            await self._client._flush()
            if not rest:
                return
            await asyncio.sleep(0)
            await self._wait_for_room(len(rest))

    async def _write_last(self) -> None:
        if (last := self._samples.finish()) and not self._ended():
            try:
                await self._write(last)
            except ClientError:
                if not self._stopped():  # wait() reports a stopped turn
                    raise

    async def _wait_for_room(self, size: int) -> None:
        await self._client._until(lambda: self._stopped() or self._session.has_room(self._state, size))

    async def _begin(self) -> None:
        """A turn that has not begun can wait for the voice to come back."""
        if not self._state.begun:
            await self._client._ready()

    def _finished(self) -> wire.Finished:
        if self._state.finished is None:
            raise self._state.error or ClientError("the turn was lost")
        return self._state.finished

    def _stopped(self) -> bool:
        return self._state.closing or self.over

    def _ended(self) -> bool:
        return self._state.end_wanted or self._stopped()


async def _chunks(speech: PcmLike | Iterable[PcmLike] | AsyncIterable[PcmLike]) -> AsyncIterator[PcmLike]:
    """One buffer, an iterable or an asynchronous iterable, as an asynchronous iterable."""
    if isinstance(speech, AsyncIterable):
        async for chunk in speech:
            yield chunk
    else:
        for chunk in pcm_chunks(speech):
            yield chunk


async def _in_thread(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Iterate over an iterable that may block, without blocking the event loop."""
    iterator = iter(chunks)
    while (chunk := await asyncio.to_thread(next, iterator, None)) is not None:
        yield chunk
