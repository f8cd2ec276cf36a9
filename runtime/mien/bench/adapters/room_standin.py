"""A stand-in for LiveKit's Room, in memory: no LiveKit server is to be had where mien's tests run.

It keeps to the contract of livekit.rtc 1.2 as far as the adapter and LiveKit's own DataStreamAudioOutput use it: byte
streams in order per sender, RPC with LiveKit's error codes, participants that come and go, a network that can be cut.
It is no test of WebRTC, of a server, or of tokens beyond "the right one".
"""

from __future__ import annotations

import asyncio
import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit import rtc

CODE = rtc.RpcError.ErrorCode
KIND = rtc.ParticipantKind
TOKEN = "the right token"


class Server:
    """One room. rooms: who is connected, by identity. drop_trailers: whether the ends of streams are lost."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.attributes: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.published: list[Any] = []
        self.reachable = True
        self.drop_trailers = False
        self.calls: list[tuple[str, str, str]] = []

    def room(self, identity: str, kind: int = KIND.PARTICIPANT_KIND_STANDARD) -> Room:
        """A room object for a participant, not yet connected."""
        return Room(self, identity, kind)

    def cut(self, identity: str, reason: int = rtc.DisconnectReason.UNKNOWN_REASON) -> None:
        """Disconnect a participant, as a lost network or a server does."""
        self.rooms[identity].leave(reason)


class Participant:
    """Another participant."""

    def __init__(self, room: Room) -> None:
        self.identity, self.kind = room.identity, room.kind
        self.attributes = room.server.attributes[room.identity]
        self.state = rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE


class Room(rtc.EventEmitter[str]):
    """One participant's view of the room."""

    def __init__(self, server: Server, identity: str, kind: int) -> None:
        super().__init__()
        self.server, self.identity, self.kind = server, identity, kind
        self.name = "kiosk room"
        self.connected = False
        self.local_participant = Local(self)
        self.stream_handlers: dict[str, Callable[[Any, str], None]] = {}
        self.readers: list[Reader] = []

    @property
    def remote_participants(self) -> dict[str, Participant]:
        """Everybody else."""
        return {name: Participant(room) for name, room in self.server.rooms.items() if room is not self}

    def isconnected(self) -> bool:
        """Whether this participant is in the room."""
        return self.connected

    async def connect(self, url: str, token: str, options: object = None) -> None:
        """Join. Raises ConnectError for another token or an unreachable server."""
        await asyncio.sleep(0)
        if token != TOKEN or not self.server.reachable:
            raise rtc.ConnectError("401 Unauthorized" if token != TOKEN else "connection refused")
        self.server.rooms[self.identity] = self
        self.connected = True
        for room in self._others():
            room.emit("participant_connected", Participant(self))
            room.emit("participant_active", Participant(self))

    async def disconnect(self, **_: object) -> None:
        """Leave."""
        if self.connected:
            self.leave(rtc.DisconnectReason.CLIENT_INITIATED)

    def leave(self, reason: int) -> None:
        """Be out of the room: streams break off, the others see it."""
        self.connected = False
        self.server.rooms.pop(self.identity, None)
        for reader in self.readers:
            reader.feed(rtc.StreamError("the room disconnected"))
        self.emit("disconnected", reason)
        for room in self._others():
            room.emit("participant_disconnected", Participant(self))

    def register_byte_stream_handler(self, topic: str, handler: Callable[[Any, str], None]) -> None:
        """As LiveKit's: one handler a topic."""
        if topic in self.stream_handlers:
            raise ValueError(f"byte stream handler for topic '{topic}' already set")
        self.stream_handlers[topic] = handler

    def _others(self) -> list[Room]:
        return [room for room in self.server.rooms.values() if room is not self]


class Info:
    """Of a byte stream."""

    def __init__(self, attributes: dict[str, str] | None, topic: str) -> None:
        self.attributes, self.topic, self.stream_id = attributes, topic, "s"


class Reader:
    """The receiving end of a byte stream."""

    def __init__(self, info: Info) -> None:
        self.info = info
        self._queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._over = False

    def feed(self, item: bytes | Exception | None) -> None:
        """What arrives: a chunk, an error, or None at the end."""
        self._queue.put_nowait(item)

    def close(self) -> None:
        """No more is read."""
        self._over = True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        item = None if self._over else await self._queue.get()
        if isinstance(item, bytes):
            return item
        self._over = True
        if item is None:
            raise StopAsyncIteration
        raise item


class Writer:
    """The sending end of a byte stream."""

    def __init__(self, server: Server, readers: list[Reader]) -> None:
        self._server, self._readers = server, readers

    async def write(self, data: bytes) -> None:
        """Send a chunk; it arrives cut at LiveKit's 15 kB."""
        for start in range(0, len(data), 15_000):
            for reader in self._readers:
                reader.feed(data[start : start + 15_000])
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Send the trailer."""
        if not self._server.drop_trailers:
            for reader in self._readers:
                reader.feed(None)


class Local:
    """What a participant does itself."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._rpc_handlers: dict[str, Callable[[Any], Any]] = {}

    @property
    def identity(self) -> str:
        """Who this is."""
        return self._room.identity

    def register_rpc_method(self, method: str, handler: Callable[[Any], Any]) -> None:
        """Answer a method."""
        self._rpc_handlers[method] = handler

    async def perform_rpc(self, *, destination_identity: str, method: str, payload: str, **_: object) -> str:
        """Call another participant. Raises RpcError as LiveKit does."""
        await asyncio.sleep(0)
        server = self._room.server
        if not self._room.connected:
            raise rtc.RpcError(CODE.SEND_FAILED, "not in the room")
        there = server.rooms.get(destination_identity)
        if there is None:
            raise rtc.RpcError(CODE.RECIPIENT_NOT_FOUND, "recipient not found")
        handler = there.local_participant._rpc_handlers.get(method)
        if handler is None:
            raise rtc.RpcError(CODE.UNSUPPORTED_METHOD, "method not supported")
        server.calls.append((self._room.identity, method, payload))
        answer = handler(rtc.RpcInvocationData("r", self._room.identity, payload, 10.0, method))
        return str(await answer if inspect.isawaitable(answer) else answer)

    async def stream_bytes(
        self,
        *,
        name: str,
        topic: str,
        destination_identities: list[str],
        attributes: dict[str, str] | None,
        **_: object,
    ) -> Writer:
        """Open a byte stream."""
        readers = []
        for identity in destination_identities:
            room = self._room.server.rooms.get(identity)
            if room is not None and topic in room.stream_handlers:
                reader = Reader(Info(attributes, topic))
                room.readers.append(reader)
                readers.append(reader)
                room.stream_handlers[topic](reader, self._room.identity)
        await asyncio.sleep(0)
        return Writer(self._room.server, readers)

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """Change this participant's attributes."""
        self._room.server.attributes[self._room.identity].update(attributes)

    async def publish_track(self, track: Any, options: Any = None) -> None:
        """Publish a track."""
        self._room.server.published.append((self._room.identity, track))
