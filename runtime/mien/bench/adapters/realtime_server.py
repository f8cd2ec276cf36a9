"""A stand-in for OpenAI's Realtime server: its protocol with its faults.

It speaks when it is told to, keeps the length of every item, and errs as the real one does: a truncation beyond an
item's end, a second answer while one is being made, a cancellation of nothing.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

RATE_HZ: Final = 24000
_SAMPLE_BYTES: Final = 2
Message = dict[str, Any]


class RealtimeServer:
    """Serves one client at a time on a free port of the loopback.

    check_in, check_out: called with every message from and to the client; what they raise is kept in `wrong`. key: what
    the handshake must carry; "" accepts any. After a `refuse_with` the next handshake fails with that status.
    received: every message of the client but sound; heard: its sound; connections: how many there were.
    """

    def __init__(
        self,
        *,
        check_in: Callable[[Message], object] = lambda _: None,
        check_out: Callable[[Message], object] = lambda _: None,
        key: str = "",
    ) -> None:
        self._check_in, self._check_out, self._key = check_in, check_out, key
        self.refuse_with: tuple[HTTPStatus, dict[str, str]] | None = None
        self.refuse_session: str = ""
        self.received: list[Message] = []
        self.handshakes: list[Request] = []
        self.wrong: list[Exception] = []
        self.heard = bytearray()
        self.connections = 0
        self.lengths: dict[str, int] = {}
        self.active: str | None = None
        self._outputs: list[Message] = []
        self._numbers = itertools.count(1)
        self._socket: ServerConnection | None = None
        self._server: Server | None = None
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> RealtimeServer:
        self._server = await serve(self._serve, "127.0.0.1", 0, process_request=self._admit, compression=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/v1/realtime"

    @property
    def ready(self) -> bool:
        """Whether a client is connected and has set up its session."""
        return self._socket is not None and bool(self.of("session.update"))

    def of(self, kind: str) -> list[Message]:
        """The messages of one type that came on any connection."""
        return [message for message in self.received if message["type"] == kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until this holds; it is tried after every message of the client."""
        async with self._changed:
            await self._changed.wait_for(condition)

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one message."""
        message = {"type": kind, "event_id": self._name("event"), **fields}
        self._keep_wrong(self._check_out, message)
        if self._socket is not None:
            await self._socket.send(json.dumps(message))

    async def user_started(self) -> None:
        """The server's activity detection hears the customer, and interrupts the answer."""
        await self.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id=self._name("item"))
        if self.active:
            await self.finish("cancelled", {"type": "cancelled", "reason": "turn_detected"})

    async def user_stopped(self) -> None:
        """It hears the end, without answering yet."""
        await self.send("input_audio_buffer.speech_stopped", audio_end_ms=100, item_id=self._name("item"))

    async def begin(self) -> None:
        """Begin an answer."""
        self.active, self._outputs = self._name("resp"), []
        await self.send("response.created", response=self._response("in_progress"))

    async def begin_item(self, name: str = "") -> str:
        """Add an item to the answer. Returns its name."""
        name = name or self._name("item")
        self.lengths[name] = 0
        await self.send("response.output_item.added", output_index=0, response_id=self.active, item=_item(name))
        return name

    async def speak(self, item: str, pcm: bytes, text: str = "") -> None:
        """Send sound of an item, as it is: late sound of an interrupted item is sent too."""
        place = {"response_id": self.active or "resp_late", "item_id": item, "output_index": 0, "content_index": 0}
        if text:
            await self.send("response.output_audio_transcript.delta", delta=text, **place)
        self.lengths[item] += len(pcm)
        if pcm:
            await self.send("response.output_audio.delta", delta=base64.b64encode(pcm).decode(), **place)

    async def end_item(self, item: str) -> None:
        """The item is complete."""
        place = {"response_id": self.active, "item_id": item, "output_index": 0, "content_index": 0}
        await self.send("response.output_audio.done", **place)
        done = _item(item, "completed")
        self._outputs.append(done)
        await self.send("response.output_item.done", output_index=0, response_id=self.active, item=done)

    async def call_tool(self, name: str, arguments: str) -> str:
        """The answer calls a tool. Returns the name of the call."""
        call, item = self._name("call"), self._name("item")
        await self.send(
            "response.function_call_arguments.done",
            response_id=self.active,
            item_id=item,
            output_index=0,
            call_id=call,
            name=name,
            arguments=arguments,
        )
        return call

    async def finish(self, status: str = "completed", details: Message | None = None) -> None:
        """Complete, cancel or fail the answer."""
        response = self._response(status)
        if details is not None:
            response["status_details"] = details
        self.active = None
        await self.send("response.done", response=response)

    async def fail(self, code: str, text: str) -> None:
        """Fail the answer, as a rate limit does."""
        error = {"code": code, "type": code, "message": text}
        await self.finish("failed", {"type": "failed", "error": error})

    async def drop(self) -> None:
        """Break the connection without a closing handshake."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        if self.refuse_with is not None:
            (status, headers), self.refuse_with = self.refuse_with, None
            response = connection.respond(status, f"{status.phrase}\n")
            for name, value in headers.items():
                response.headers[name] = value
            return response
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Incorrect API key provided\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        self._socket, self.active = socket, None
        self.received.clear()
        try:
            await self.send("session.created", session={"type": "realtime", "model": "stand-in"})
            async for data in socket:
                message = json.loads(data)
                self._keep_wrong(self._check_in, message)
                await self._take(message)
                async with self._changed:
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self._socket = None if self._socket is socket else self._socket

    async def _take(self, message: Message) -> None:
        if message["type"] == "input_audio_buffer.append":
            self.heard += base64.b64decode(message["audio"])
            return
        self.received.append(message)
        match message["type"]:
            case "session.update" if self.refuse_session:
                await self._error(message, "invalid_value", self.refuse_session)
            case "session.update":
                await self.send("session.updated", session=message["session"])
            case "conversation.item.truncate":
                await self._truncate(message)
            case "conversation.item.create":
                await self.send("conversation.item.added", item={"id": self._name("item"), **message["item"]})
            case "response.cancel" if self.active:
                await self.finish("cancelled", {"type": "cancelled", "reason": "client_cancelled"})
            case "response.cancel":
                await self._error(
                    message, "response_cancel_not_active", "Cancellation failed: no active response found"
                )
            case "response.create" if self.active:
                text = f"Conversation already has an active response in progress: {self.active}"
                await self._error(message, "conversation_already_has_active_response", text)

    async def _truncate(self, message: Message) -> None:
        item, end_ms = message["item_id"], message["audio_end_ms"]
        length_ms = self.lengths.get(item, -1) / _SAMPLE_BYTES * 1000 / RATE_HZ
        if item not in self.lengths:
            await self._error(message, "invalid_value", f"Item with id '{item}' not found")
        elif end_ms > length_ms:
            text = f"Audio content of {length_ms:.0f}ms is already shorter than {end_ms}ms"
            await self._error(message, "invalid_value", text)
        else:
            await self.send("conversation.item.truncated", item_id=item, content_index=0, audio_end_ms=end_ms)

    async def _error(self, message: Message, code: str, text: str) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": text, "event_id": message.get("event_id")}
        await self.send("error", error=error)

    def _response(self, status: str) -> Message:
        return {"id": self.active, "object": "realtime.response", "status": status, "output": list(self._outputs)}

    def _name(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"

    def _keep_wrong(self, check: Callable[[Message], object], message: Message) -> None:
        try:
            check(message)
        except Exception as error:  # whatever a check raises belongs to the test
            self.wrong.append(error)


def _item(name: str, status: str = "in_progress") -> Message:
    return {"id": name, "type": "message", "role": "assistant", "status": status, "content": []}
