"""The client for programs without an event loop.

    with connect() as agent:
        heard = agent.say_wav("hello.wav")
        print(heard.played_ms)

    with connect() as agent:
        with agent.turn() as turn:
            for chunk in tts:
                turn.write(chunk)
        print(turn.wait().played_ms)

A barge-in ends the inner block early: the first write() after it leaves the block, and wait() says what was heard.

Every method may be called from any thread, also while another waits in write(), wait() or poll(): barge-in is
`agent.interrupt()` from wherever the user was heard. A thread of the client's own keeps the session meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal

from mien.client.aio import AsyncClient, Connecting, connect_async
from mien.client.core import Event
from mien.client.pcm import Pcm, pcm_chunks
from mien.client.portal import Portal
from mien.client.syncturn import Turn
from mien.client.wav import WavSource, wav_chunks
from mien.core import wire
from mien.errors import ClientError


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
) -> Client:
    """Open a session with mien-voice.

    endpoint: such as "tcp://192.168.0.7:5570"; None is the voice of this machine. rate_hz: of all PCM to come, one of
    mien.core.wire.RATES_HZ. timeout_s: how long to wait for a voice, now and later. name: for people who look at logs.
    role: speaker is the voice stack; an agent may take the floor from it, an observer looks on. encoding: how the PCM
    travels, s16le or opus (24 kbit/s; with headers a seventh of what s16le takes at 16 kHz; rate_hz one of
    mien.core.wire.OPUS_RATES_HZ; needs libopus, Debian's libopus0). key, voice_key: the files NAME.key_secret and
    voice.key of `mien keys make`, for a voice on another machine.

    Raises ClientError when nobody answers or the voice refuses, ConfigError for an endpoint or keys that are none.
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
        )
        return Client(portal, portal.call(_opened(client)))
    except BaseException:
        portal.close()
        raise


async def _opened(client: Connecting) -> AsyncClient:
    return await client


class Client:
    """One session with the voice, opened anew whenever the voice comes back. Made by connect(); safe for threads.

    Methods that talk to the voice raise ClientError when it is out of reach for timeout_s. A turn that was begun when
    the voice went away raises ClientError (unreachable) from write() and wait(); the next turn is spoken by the voice
    that came back.
    """

    def __init__(self, portal: Portal, client: AsyncClient) -> None:
        self._portal = portal
        self._client = client

    @property
    def endpoint(self) -> str:
        """Where the voice is."""
        return self._client.endpoint

    @property
    def rate_hz(self) -> int:
        """The sample rate of all speech of this client."""
        return self._client.rate_hz

    @property
    def connected(self) -> bool:
        """Whether there is a session now."""
        return self._client.connected

    @property
    def welcome(self) -> wire.Welcome | None:
        """What the voice said of itself (version, capabilities, limits); None while it is away."""
        return self._client.welcome

    @property
    def credit_ms(self) -> float:
        """How much speech write() would take now without waiting."""
        return self._client.credit_ms

    @property
    def events_dropped(self) -> int:
        """Events that nobody read in time; the newest 1000 are kept."""
        return self._client.events_dropped

    def turn(self, name: str | None = None) -> Turn:
        """A new turn. It begins with its first audio; nothing is sent before. name: None picks one."""

        async def make() -> Turn:
            return Turn(self._portal, self._client.turn(name))

        return self._portal.call(make())

    def say(self, speech: Pcm | Iterable[Pcm], *, name: str | None = None) -> wire.Finished:
        """Speak PCM at rate_hz, or chunks of it as they come, as one turn.

        Returns when it was heard, or was interrupted; an iterable is not drawn from after that.
        """
        with self.turn(name) as turn:
            for chunk in pcm_chunks(speech):
                turn.write(chunk)
        return turn.wait()

    def say_wav(self, wav: WavSource, *, name: str | None = None) -> wire.Finished:
        """Speak a WAV file: a path, its bytes, or an open file or pipe, mixed to mono and converted to rate_hz.

        A pipe is spoken as it fills. Raises ClientError (bad_wav).
        """
        return self.say(wav_chunks(wav, self.rate_hz), name=name)

    def interrupt(self) -> tuple[wire.Finished, ...]:
        """Stop all turns of this client. Returns how each finished: played_ms is what was heard of it."""
        return self._portal.call(self._client.interrupt())

    def pause(self) -> None:
        """Hold the speech where it is. No sample is lost."""
        self._portal.call(self._client.pause())

    def resume(self) -> None:
        """Go on after pause()."""
        self._portal.call(self._client.resume())

    def volume(self, gain: float, *, fade_ms: int = 20) -> None:
        """Set the gain, 0..1, reached over fade_ms."""
        self._portal.call(self._client.volume(gain, fade_ms=fade_ms))

    def state(self, state: wire.AgentState) -> None:
        """Tell what the agent does while it does not speak: idle, listening or thinking."""
        self._portal.call(self._client.state(state))

    def emotion(self, name: wire.EmotionName, intensity: float = 1.0) -> None:
        """Set the face's emotion, held until the next. intensity: 0..1."""
        self._portal.call(self._client.emotion(name, intensity))

    def gesture(self, name: wire.GestureName) -> None:
        """One movement, now: nod, shake, wink or smile."""
        self._portal.call(self._client.gesture(name))

    def look_at(self, x: float | None = None, y: float | None = None) -> None:
        """Look there: -1..1 from left to right and from bottom to top. Without arguments the gaze goes free."""
        self._portal.call(self._client.look_at(x, y))

    def caption(self, turn: str, text: str = "", words: Iterable[tuple[str, int, int]] = ()) -> None:
        """What a turn says. words: (text, start_ms, end_ms) on the turn's clock, where the times are known."""
        self._portal.call(self._client.caption(turn, text, words))

    def take_floor(self, queue: Literal["hold", "drop"] = "hold") -> None:
        """Speak instead of the speakers, as an agent. What is heard of them finishes as taken_over.

        queue: whether their turns behind it wait until the floor is given back, or are dropped. Returns once the floor
        is this client's; every change comes as a Floor event, too. Raises ClientError: floor_taken, not_allowed.
        """
        self._portal.call(self._client.take_floor(queue))

    def release_floor(self) -> None:
        """Give the floor back as soon as this agent's turns have been heard. Raises ClientError (floor_not_held)."""
        self._portal.call(self._client.release_floor())

    def subscribe(self, *topics: wire.Topic) -> None:
        """What to be told of the conversation, as an agent or observer, in place of what was asked before.

        topics: state (Status and Outcome events), captions (Said), levels (Levels), health (Health); none ends it. A
        session that is opened anew has none. Raises ClientError (not_allowed, malformed).
        """
        self._portal.call(self._client.subscribe(*topics))

    def ping(self) -> float:
        """The round trip to the voice and back, in ms."""
        return self._portal.call(self._client.ping())

    def send(self, message: wire.ClientMessage) -> None:
        """Send a message that has no method here. Raises ClientError when the voice is away or would refuse it."""
        self._portal.call(self._client.send(message))

    def poll(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when none came within timeout_s, or the client is closed."""
        return self._portal.call(self._client.poll(timeout_s))

    def events(self) -> Iterator[Event]:
        """Every event of the session, until the client is closed: the voice's messages, and Disconnected."""
        while (event := self._poll_open()) is not None:
            yield event

    def close(self) -> None:
        """Say goodbye. What was sent is still spoken; turns that were not finished can no longer be waited for."""
        with contextlib.suppress(ClientError):
            self._portal.call(self._client.close())
        self._portal.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _poll_open(self) -> Event | None:
        try:
            return self.poll()
        except ClientError as error:
            if error.code == "closed":
                return None
            raise
