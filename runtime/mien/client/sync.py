"""The client for programs without an event loop.

    with connect() as agent:
        heard = agent.say_wav("hello.wav")
        print(heard.played_ms)

    with connect() as agent:
        with agent.turn() as turn:
            for chunk in tts:
                turn.write(chunk)
        print(turn.wait().played_ms)

A barge-in ends the turn's block early: the first write() after it leaves the block, and wait() returns what was heard.

Every method may be called from any thread, even while another thread waits in write(), wait() or poll(). To barge in,
call `agent.interrupt()` from the thread that heard the user. A background thread serves the session.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Generic, Literal, TypeVar

from mien.client._call import SpokenBy
from mien.client._portal import Portal
from mien.client._session import Event, Heard, Live
from mien.client.aio import AsyncClient, AsyncTurn, Connecting, connect_async
from mien.client.audio import PcmLike, pcm_chunks
from mien.client.phones import TimedPhones
from mien.client.wav import WavSource, wav_chunks
from mien.core import wire
from mien.errors import ClientError

Item = TypeVar("Item")


def connect(
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
) -> Client:
    """Open a session with mien-voice.

    endpoint: such as "tcp://192.168.0.7:5570"; None is the voice on this machine. rate_hz: the sample rate of all PCM,
    one of mien.core.wire.RATES_HZ. timeout_s: how long to wait for the voice, now and later. name: shown in logs. role:
    speaker is the voice stack; an agent may take the floor from it; an observer only watches. encoding: of the audio on
    the wire, s16le or opus (24 kbit/s, with headers a seventh of s16le at 16 kHz; rate_hz must be one of
    mien.core.wire.OPUS_RATES_HZ; needs libopus, Debian's libopus0). key, voice_key: the files NAME.key_secret and
    voice.key that `mien keys make` writes, for a voice on another machine. capabilities: what this client can do:
    "relay", a speaker that takes Relayed events; "drain", one that takes Draining events.

    Raises ClientError when the voice is unreachable or refuses the session, ConfigError for an invalid endpoint or key
    file.
    """
    portal = Portal()
    try:
        client = connect_async(
            endpoint,
            rate_hz=rate_hz,
            timeout_s=timeout_s,
            name=name,
            role=role,
            encoding=encoding,
            key=key,
            voice_key=voice_key,
            capabilities=capabilities,
        )
        return Client(portal, portal.call(_opened(client)))
    except BaseException:
        portal.close()
        raise


async def _opened(client: Connecting) -> AsyncClient:
    return await client


class _Stream(Generic[Item]):
    """An asynchronous generator that is closed only when it has stopped: an interrupted wait cancels next() and returns
    before that has cleaned up."""

    def __init__(self, items: AsyncGenerator[Item, None]) -> None:
        self._items = items
        self._running = asyncio.Lock()

    async def next(self) -> Item | None:
        """The next item; None at the end."""
        async with self._running:
            return await anext(self._items, None)

    async def close(self) -> None:
        """Close the generator."""
        async with self._running:
            await self._items.aclose()


class Client:
    """One session with the voice, reopened whenever the voice comes back. Made by connect(); thread-safe.

    Methods that send to the voice raise ClientError when it is unreachable for timeout_s. A turn that had begun when
    the voice went away raises ClientError (unreachable) from write() and wait(). A turn begun after that is spoken
    normally once the voice is back.
    """

    def __init__(self, portal: Portal, client: AsyncClient) -> None:
        self._portal = portal
        self._client = client

    @property
    def endpoint(self) -> str:
        """The voice's endpoint."""
        return self._client.endpoint

    @property
    def rate_hz(self) -> int:
        """The sample rate of all speech of this client."""
        return self._client.rate_hz

    @property
    def connected(self) -> bool:
        """Whether a session is open now."""
        return self._client.connected

    @property
    def welcome(self) -> wire.Welcome | None:
        """The voice's version, capabilities and limits; None while it is unreachable."""
        return self._client.welcome

    @property
    def credit_ms(self) -> float:
        """How much speech write() would accept now without waiting."""
        return self._client.credit_ms

    @property
    def events_dropped(self) -> int:
        """Events that were dropped unread; the newest 1000 are kept."""
        return self._client.events_dropped

    def turn(self, name: str | None = None) -> Turn:
        """Create a turn. It begins with its first audio; nothing is sent before. name: None picks one."""

        async def make() -> Turn:
            return Turn(self._portal, self._client.turn(name))

        return self._portal.call(make())

    def say(self, speech: PcmLike | Iterable[PcmLike], *, name: str | None = None) -> wire.Finished:
        """Speak PCM at rate_hz, or chunks of it as they arrive, as one turn.

        Returns once it was heard or interrupted; an iterable is not read any further after that.
        """
        with self.turn(name) as turn:
            for chunk in pcm_chunks(speech):
                turn.write(chunk)
        return turn.wait()

    def say_wav(self, wav: WavSource, *, name: str | None = None) -> wire.Finished:
        """Speak a WAV, mixed down to mono and resampled to rate_hz. wav: a path, the bytes, or an open file or pipe.

        A pipe is spoken while it fills. Raises ClientError (bad_wav).
        """
        return self.say(wav_chunks(wav, self.rate_hz), name=name)

    def interrupt(self) -> tuple[wire.Finished, ...]:
        """Stop all turns of this client. Returns how each one finished; played_ms is what was heard of it."""
        return self._portal.call(self._client.interrupt())

    def pause(self) -> None:
        """Pause the speech. No sample is lost. The voice resumes by itself after limits.max_pause_ms."""
        self._portal.call(self._client.pause())

    def resume(self) -> None:
        """Resume after pause()."""
        self._portal.call(self._client.resume())

    def volume(self, gain: float, *, fade_ms: int = 20) -> None:
        """Set the gain, 0..1, fading to it over fade_ms."""
        self._portal.call(self._client.volume(gain, fade_ms=fade_ms))

    def listen(self, mode: Literal["speech", "always"] = "speech", *, encoding: str = "s16le") -> Iterator[Heard]:
        """Hear the customer: NearEnd blocks of 20 ms, UserStarted, UserStopped, Ear, BargeIn, Disconnected, in order.

        mode: only utterances with their pre-roll, or all sound. The first item is Ear, which says whether there is an
        ear. A reopened session listens again by itself. Leave the loop to stop. What is not read for 20 s is dropped.
        Raises ClientError: not_allowed, unsupported_encoding, listening when this client listens already.
        """
        return self._items(self._client.listen(mode, encoding=encoding))

    def _items(self, items: AsyncGenerator[Item, None]) -> Iterator[Item]:
        """The items until the client is closed or the caller's loop ends."""
        stream = _Stream(items)
        try:
            while (item := self._portal.call(stream.next())) is not None:
                yield item
        except ClientError as error:
            if error.code != "closed":
                raise
        finally:
            with contextlib.suppress(ClientError):
                self._portal.call(stream.close())

    def mute(self) -> None:
        """Mute the microphone for everybody, until unmute() or the end of this client. A reopened session mutes again.

        Raises ClientError (not_allowed) for an observer.
        """
        self._portal.call(self._client.mute())

    def unmute(self) -> None:
        """Withdraw mute(). Raises ClientError (not_allowed) while the configuration mutes the microphone."""
        self._portal.call(self._client.unmute())

    def state(self, state: wire.AgentState) -> None:
        """Set what the agent does while it is not speaking: idle, listening or thinking."""
        self._portal.call(self._client.state(state))

    def emotion(self, name: wire.EmotionName, intensity: float = 1.0) -> None:
        """Set the face's emotion, held until the next. intensity: 0..1."""
        self._portal.call(self._client.emotion(name, intensity))

    def gesture(self, name: wire.GestureName) -> None:
        """Play one gesture now: nod, shake, wink or smile."""
        self._portal.call(self._client.gesture(name))

    def look_at(self, x: float | None = None, y: float | None = None) -> None:
        """Direct the gaze: x and y in -1..1, left to right and bottom to top. Without arguments, release it."""
        self._portal.call(self._client.look_at(x, y))

    def choices(self, items: Mapping[str, str] | None = None, *, again: bool = False, qr: str = "") -> None:
        """Show buttons, at most six: id -> text. None takes them away. again: may be chosen more than once.

        qr: a text, such as a URL, shown beside them as a QR code. `Offered` says when the customer sees them, and
        whether the code can be seen, `Chosen` what was chosen; both are events. Raises ClientError (malformed;
        floor_taken).
        """
        self._portal.call(self._client.choices(items, again=again, qr=qr))

    def presence(self, present: bool = True, *, source: str = "sensor") -> None:
        """Tell the other clients that a sensor sees somebody, or nobody any more."""
        self._portal.call(self._client.presence(present, source=source))

    def caption(
        self, turn: str, text: str = "", words: Iterable[tuple[str, int, int]] = (), *, append: bool = False
    ) -> None:
        """Set what a turn says. words: (text, start_ms, end_ms) on the turn's clock, where the times are known.

        append: add to the turn's previous captions instead of replacing them.
        """
        self._portal.call(self._client.caption(turn, text, words, append=append))

    def phones(self, turn: str, words: Iterable[TimedPhones]) -> None:
        """Say how a turn sounds, which guides its lips. It follows what was sent before for this turn."""
        self._portal.call(self._client.phones(turn, words))

    def take_floor(self, queue: Literal["hold", "drop"] = "hold") -> None:
        """Speak in place of the speakers, as an agent. The turn being heard finishes as taken_over.

        queue: whether the speakers' queued turns wait until the floor is given back, or are dropped. Returns once this
        client holds the floor; every change also comes as a Floor event. Raises ClientError: floor_taken, not_allowed.
        """
        self._portal.call(self._client.take_floor(queue))

    def release_floor(self, note: str = "") -> None:
        """Give the floor back once this agent's turns were heard. note: for the speakers. Raises ClientError
        (floor_not_held)."""
        self._portal.call(self._client.release_floor(note))

    def call(
        self, question: str = "", *, language: str = "", conversation: Iterable[tuple[SpokenBy, str]] = ()
    ) -> None:
        """Call a person for the customer. Agents get a Call event, with these words; CallAnswered and Floor answer it.

        conversation: (who, text), oldest first; the newest are kept, and long texts are cut.
        """
        self._portal.call(self._client.call(question, language=language, conversation=conversation))

    def hang_up(self) -> None:
        """Withdraw call()."""
        self._portal.call(self._client.hang_up())

    def answer_call(self, coming: bool, *, in_s: int = 0) -> None:
        """Tell the customer, as an agent, whether somebody comes. Raises ClientError: no_call, not_allowed."""
        self._portal.call(self._client.answer_call(coming, in_s=in_s))

    def relay(self, kind: wire.RelayKind, text: str) -> str:
        """Hand the voice stack a text, as an agent: to say, to know (whisper), or to keep as a note. At most 2000
        characters.

        Returns its id, with which RelayDone later says what became of it. Raises ClientError: no_speaker (retryable),
        floor_taken, not_allowed, malformed.
        """
        return self._portal.call(self._client.relay(kind, text))

    def relay_done(self, relayed: wire.Relayed, outcome: wire.RelayOutcome, why: str = "") -> None:
        """Say, as the speaker, what became of a Relayed event: said, cut, kept or unused. why: at most 200
        characters."""
        self._portal.call(self._client.relay_done(relayed, outcome, why))

    def visit(self, visit: wire.Visit) -> None:
        """Tell subscribers of visits, as the speaker, where the visit stands. A voice without the capability `visit`
        is not told."""
        self._portal.call(self._client.visit(visit))

    def screen(self, power: wire.ScreenPower = "auto", *, brightness: float | None = None) -> None:
        """Switch the kiosk's screen, as an agent, until the next call or the end of the voice.

        brightness: a factor, 0.05..1; None unchanged. HealthReport events tell what the face then shows. Raises
        ClientError (not_allowed, malformed).
        """
        self._portal.call(self._client.screen(power, brightness=brightness))

    def drain(self, on: bool) -> None:
        """Take no new visitors, as an agent, or take them again, until the next call or the end of the voice.

        Speakers whose capabilities contain "drain" get a Draining event. Raises ClientError (not_allowed).
        """
        self._portal.call(self._client.drain(on))

    def attend(self, *, listening: bool = False, speaking: bool = False, name: str = "") -> None:
        """Show on the face, as an agent or observer, that a person listens or speaks through it from elsewhere.

        Without arguments, no longer. It ends with the session; a reopened one attends again. name: shown to the
        customer. Raises ClientError (not_allowed, malformed).
        """
        self._portal.call(self._client.attend(listening=listening, speaking=speaking, name=name))

    def subscribe(self, *topics: wire.Topic, encoding: str = "s16le") -> None:
        """Subscribe to events about the conversation, as an agent or observer. Replaces the previous subscription.

        topics: state (Status and Outcome events), captions (Said), levels (Levels), health (HealthReport),
        calls (Call), visits (Visit), poses and heard (see live()); none unsubscribes. encoding: of what is heard, s16le
        or opus. A reopened session has none. Raises ClientError (not_allowed, malformed, unsupported_encoding).
        """
        self._portal.call(self._client.subscribe(*topics, encoding=encoding))

    def live(self) -> Iterator[Live]:
        """Poses and heard speech, as they were subscribed to, until the client is closed.

        What is not read for some seconds is dropped. One loop at a time.
        """
        return self._items(self._client.live())

    def thumbnail(self, width: int = 96, *, timeout_s: float = 5.0) -> wire.Thumbnail:
        """Ask for a small screenshot of the face, as an agent or observer. width: 32..320 pixels.

        Raises ClientError: no_thumbnail when the face does not answer, not_allowed for a speaker, malformed for another
        width, unreachable after timeout_s.
        """
        return self._portal.call(self._client.thumbnail(width, timeout_s=timeout_s))

    def ping(self) -> float:
        """Measure the round trip to the voice, in ms."""
        return self._portal.call(self._client.ping())

    def send(self, message: wire.ClientMessage) -> None:
        """Send a message that has no method here. Raises ClientError when the voice is unreachable or the message is
        invalid."""
        self._portal.call(self._client.send(message))

    def poll(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when none came within timeout_s or the client is closed."""
        return self._portal.call(self._client.poll(timeout_s))

    def events(self) -> Iterator[Event]:
        """All events until the client is closed: the voice's messages, and Disconnected."""
        while (event := self._poll_open()) is not None:
            yield event

    def close(self) -> None:
        """Close the session. Audio already sent is still spoken; wait() no longer works on unfinished turns."""
        with contextlib.suppress(ClientError):
            self._portal.call(self._client.close())
        self._portal.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _poll_open(self) -> Event | None:
        with contextlib.suppress(ClientError):  # raised for a client that is closed, and for no other
            return self.poll()
        return None


class Turn:
    """One turn of speech, from its first audio until it was heard. Made by Client.turn(); thread-safe.

    A `with` block ends the turn when it completes, and interrupts the turn when it raises. A write() to a turn that was
    interrupted or is finished leaves the block without an error; wait() then says how the turn finished.
    """

    def __init__(self, portal: Portal, turn: AsyncTurn) -> None:
        self._portal = portal
        self._turn = turn

    @property
    def name(self) -> str:
        """The turn's name in events."""
        return self._turn.name

    @property
    def played_ms(self) -> float:
        """How much was heard, according to the last progress."""
        return self._turn.played_ms

    @property
    def sent_ms(self) -> float:
        """How much was sent, including the silence that pads the last packet of a packet encoding such as Opus."""
        return self._turn.sent_ms

    @property
    def started(self) -> wire.Started | None:
        """The Started event, with the latency to the first audible sample; None before it."""
        return self._turn.started

    @property
    def finished(self) -> wire.Finished | None:
        """How the turn ended; None before."""
        return self._turn.finished

    @property
    def over(self) -> bool:
        """Whether the turn was heard to its end, interrupted or lost, so that wait() returns at once."""
        return self._turn.over

    def write(self, speech: PcmLike) -> None:
        """Send speech of any length: bytes of s16le, or an int16 array. Waits while the voice's buffer is full.

        A sample may be split between two writes. Raises ClientError: turn_closed when the turn was ended, interrupted
        or finished, unreachable, or the voice's refusal; TypeError for other arrays.
        """
        self._portal.call(self._turn.write(speech))

    def end(self) -> None:
        """Mark the speech as complete. Raises ClientError (odd_bytes) when half a sample remains.

        A packet encoding sends its last packet now, and waits for room as write() does.
        """
        self._portal.call(self._turn.end())

    def wait(self) -> wire.Finished:
        """End the turn if necessary and wait until it was heard. Raises ClientError when the turn was lost."""
        return self._portal.call(self._turn.wait())

    def interrupt(self) -> wire.Finished:
        """Stop this turn and those queued behind it. Returns once it is silent; played_ms is what was heard."""
        return self._portal.call(self._turn.interrupt())

    def caption(self, text: str = "", words: Iterable[tuple[str, int, int]] = (), *, append: bool = False) -> None:
        """Set what this turn says. words: (text, start_ms, end_ms) on its own clock, where the times are known.

        append: add to the turn's previous captions instead of replacing them.
        """
        self._portal.call(self._turn.caption(text, words, append=append))

    def phones(self, words: Iterable[TimedPhones]) -> None:
        """Say how this turn sounds, which guides its lips. It follows what was sent before."""
        self._portal.call(self._turn.phones(words))

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if error is None:
            self.end()
        elif self._turn.was_cut_off(error):
            return True
        else:
            with contextlib.suppress(ClientError):
                self._portal.call(self._turn.cancel())
        return False
