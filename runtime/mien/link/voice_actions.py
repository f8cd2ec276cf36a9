"""The commands that the voice carries out."""

import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from mien.client import AsyncClient
from mien.core.wire import RelayKind
from mien.errors import ClientError, FleetError
from mien.fleet import command as commands
from mien.link.asked import Asked
from mien.link.call_keeper import CallKeeper
from mien.link.floor_keeper import FloorKeeper
from mien.link.refused import RefusedError, of_the_voice
from mien.link.reporter import Reporter
from mien.link.status_keeper import StatusKeeper
from mien.link.voice_link import VoiceLink

Result: TypeAlias = dict[str, Any]
Action: TypeAlias = Callable[[Asked], Awaitable[Result]]

THUMBNAIL_WIDTH: Final = 320
"""The most that the voice gives; a wider one is asked for as this."""


class VoiceActions:
    """Each method carries out one command and returns what its answer tells. Raises RefusedError."""

    def __init__(
        self,
        *,
        voice: VoiceLink,
        floor: FloorKeeper,
        calls: CallKeeper,
        reporter: Reporter,
        keeper: StatusKeeper,
    ) -> None:
        self._voice = voice
        self._floor = floor
        self._calls = calls
        self._reporter = reporter
        self._keeper = keeper

    def table(self) -> dict[type[commands.CommandBase], Action]:
        """The method of each command."""
        return {
            commands.Ping: self._ping,
            commands.Thumbnail: self._thumbnail,
            commands.TakeFloor: self._take_floor,
            commands.ReleaseFloor: self._release_floor,
            commands.Say: self._relay,
            commands.Whisper: self._relay,
            commands.Interrupt: self._interrupt,
            commands.Caption: self._caption,
            commands.AnswerCall: self._answer_call,
            commands.Volume: self._volume,
            commands.Mute: self._mute,
            commands.Screen: self._screen,
        }

    async def release_vanished(self) -> None:
        """Give back the floor of a holder that shows no sign any more."""
        if (client := self._voice.client) is not None:
            await _done(client.interrupt())
            await _done(client.release_floor())

    async def _ping(self, asked: Asked) -> Result:
        return {"voice": self._voice.client is not None}

    async def _thumbnail(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Thumbnail)
        picture = await _done(self._client().thumbnail(min(wanted.width, THUMBNAIL_WIDTH)))
        if picture.encoding != "jpeg":
            raise RefusedError("unavailable", f"the face made a {picture.encoding[:20]}, no JPEG")
        data = base64.b64encode(picture.data).decode()
        return {"jpeg": data, "width": picture.width, "height": picture.height}

    async def _take_floor(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.TakeFloor)
        self._check_floor(asked.user)
        again = self._floor.holder == asked.user
        await _done(self._client().take_floor(wanted.queue))
        self._floor.taken(asked.user, time.monotonic_ns())
        if not again:
            self._reporter.took_floor(asked.user)
        return {}

    async def _release_floor(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.ReleaseFloor)
        self._must_hold(asked.user)
        await _done(self._client().release_floor(wanted.note))
        return {}

    async def _relay(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Say | commands.Whisper)
        kind: RelayKind = "say" if isinstance(wanted, commands.Say) else "whisper"
        if kind == "say":
            self._check_floor(asked.user)
        return {"relay": await _done(self._newer("relay").relay(kind, wanted.text))}

    async def _interrupt(self, asked: Asked) -> Result:
        self._must_hold(asked.user)
        stopped = await _done(self._client().interrupt())
        return {"stopped": len(stopped)}

    async def _caption(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Caption)
        self._must_hold(asked.user)
        if not self._floor.turn:
            raise RefusedError("unavailable", "no speech of yours is being heard; send speech first")
        await _done(self._client().caption(self._floor.turn, wanted.text))
        return {"turn": self._floor.turn}

    async def _answer_call(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.AnswerCall)
        if self._calls.now is None or self._calls.now.call != wanted.call:
            raise RefusedError("no_call", "this call is over; the customer has left, or has been helped")
        await _done(self._client().answer_call(wanted.coming, in_s=wanted.in_s))
        self._reporter.answered_call(asked.user, wanted.coming, wanted.in_s)
        return {}

    async def _volume(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Volume)
        client = self._client()
        await _done(client.volume(wanted.gain))
        await _done(client.ping())  # the voice has it by now
        self._keeper.change(volume=wanted.gain)
        return {}

    async def _mute(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Mute)
        client = self._client()
        await _done(client.mute() if wanted.muted else client.unmute())
        return {}

    async def _screen(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Screen)
        await _done(self._newer("screen").screen(wanted.power, brightness=wanted.brightness))
        return {}

    def _client(self) -> AsyncClient:
        client = self._voice.client
        if client is None:
            raise RefusedError("no_voice", "mien-voice does not answer on this board")
        return client

    def _newer(self, capability: str) -> AsyncClient:
        """The client, for a part of the protocol that an older voice does not know."""
        client = self._client()
        if not self._voice.can(capability):
            raise RefusedError("unavailable", f"this board's voice does not know {capability!r}; update the board")
        return client

    def _check_floor(self, user: str) -> None:
        """The voice would let this link speak, whoever of its users holds the floor."""
        try:
            self._floor.check(user)
        except FleetError as error:
            raise RefusedError("floor_taken", str(error)) from None

    def _must_hold(self, user: str) -> None:
        if self._floor.holder != user:
            raise RefusedError("floor_not_held", "take the floor first")


async def _done(order: Awaitable[Any]) -> Any:
    """The order's result. Raises RefusedError for the voice's refusal."""
    try:
        return await order
    except ClientError as error:
        raise of_the_voice(error) from None
