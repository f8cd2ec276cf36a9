"""Speaks text or WAV that comes by HTTP on loopback, telling what was heard by server-sent events.

    POST /say        text/plain, application/json {"text": ...} or audio/wav; ?turn=NAME names the turn
    POST /caption    {"text", "words": [[word, start_ms, end_ms], ...], "append"}; ?turn=NAME
    POST /interrupt  stops everything; answers with how each turn finished
    POST /pause      POST /resume
    POST /relay_done {"id", "outcome", "why"}: what became of a `relayed` event
    GET  /events     every event of the voice, as server-sent events
    GET  /health     200 while the voice is connected, else 503

/say answers with server-sent events: started, progress, finished or error, the last of which ends the answer. With
`Accept: application/json` it answers with the last alone. A request that is closed stops its speech.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from mien.adapters.guide import LANGUAGE, Guide, Word
from mien.adapters.http_body import wav_chunks_of
from mien.client import (
    AsyncClient,
    AsyncTurn,
    Event,
    Finished,
    Progress,
    Rebuffered,
    RelayDone,
    Relayed,
    Stalled,
    Started,
)
from mien.errors import ClientError, ConfigError, MienError

Synthesize = Callable[[str, int], Iterable[bytes]]

MOST_CHARACTERS: Final = 16_000  # what a turn's caption holds
_CAPTION_CHARACTERS: Final = 4_000
_MAX_BODY_BYTES: Final = 256 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_WAV_TYPES: Final = frozenset({"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"})
_STATUS: Final = {
    "unreachable": 503,
    "turn_exists": 409,
    "floor_taken": 409,
    "bad_wav": 400,
    "malformed": 400,
    "header_too_large": 413,
}
_LAST: Final = ("finished", "error")
_OF_A_TURN: Final = (Started, Progress, Stalled, Rebuffered, Finished)
_EVENTS_KEPT: Final = 1000
UNREAD: Final = "no program reads the events of mien http"
_EARLY_KEPT: Final = 16
Told = tuple[str, dict[str, Any]]  # the name of an event, its data


class HttpService:
    """The handlers, for one client. agent: the service is the only reader of its events.

    synthesize: makes text into mono s16le at a rate, in a thread; None: only WAV is spoken. origins: web pages that may
    use the service; a page of any other origin is refused, and so is a request for another host: the browser of a kiosk
    must not let the web speak through it. language: of the speech, for lips that its text guides; None leaves them to
    the sound.
    """

    def __init__(
        self,
        agent: AsyncClient,
        synthesize: Synthesize | None = None,
        origins: Iterable[str] = (),
        language: str | None = LANGUAGE,
    ) -> None:
        self._guide = Guide(language)
        self._agent = agent
        self._synthesize = synthesize
        self._origins = frozenset(origins)
        self._speaking: dict[str, tuple[AsyncTurn, asyncio.Queue[Told]]] = {}
        self._guided: dict[str, AsyncTurn] = {}  # turns whose captions guide their lips
        self._early: dict[str, list[tuple[str, list[Word]]]] = {}  # captions that came before their turns
        self._watching: set[asyncio.Queue[Told]] = set()

    def app(self) -> web.Application:
        """The application, for aiohttp's runners or another application's add_subapp()."""
        app = web.Application(middlewares=[self._guard], client_max_size=_MAX_BODY_BYTES)
        app.router.add_post("/say", self._say)
        app.router.add_post("/caption", self._caption)
        app.router.add_post("/interrupt", self._interrupt)
        app.router.add_post("/pause", self._pause)
        app.router.add_post("/resume", self._resume)
        app.router.add_post("/relay_done", self._relay_done)
        app.router.add_get("/events", self._events)
        app.router.add_get("/health", self._health)
        app.on_startup.append(self._start)
        app.on_cleanup.append(self._stop)
        return app

    async def _start(self, app: web.Application) -> None:
        self._reader = asyncio.create_task(self._read(), name="http-events")

    async def _stop(self, app: web.Application) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._guide.close()

    async def _read(self) -> None:
        """Pass every event on: to the request that speaks its turn, and to the watchers."""
        try:
            await self._pass_on()
        finally:
            for turn, queue in self._speaking.values():
                queue.put_nowait(_lost(turn))

    async def _pass_on(self) -> None:
        async for event in self._agent.events():
            told = _told(event)
            if isinstance(event, _OF_A_TURN) and event.turn in self._speaking:
                self._speaking[event.turn][1].put_nowait(told)
            for turn, queue in list(self._speaking.values()):
                if turn.over and turn.finished is None:
                    queue.put_nowait(_lost(turn))
            if isinstance(event, Relayed) and not self._watching:
                with suppress(ClientError):
                    await self._agent.relay_done(event, "unused", UNREAD)
            for queue in self._watching:
                if queue.qsize() < _EVENTS_KEPT:
                    queue.put_nowait(told)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """Refuse what a foreign web page or host name asks for, and answer errors as JSON."""
        origin = request.headers.get("Origin", "")
        try:
            if origin and origin not in self._origins:
                raise web.HTTPForbidden(text=f"the origin {origin} may not use this service; see --allow-origin")
            if _host_name(request.host) not in _LOOPBACK:
                raise web.HTTPForbidden(text=f"this service answers on loopback only, not as {request.host}")
            response: web.StreamResponse = _preflight() if _asks_first(request) else await handler(request)
        except web.HTTPException as error:
            response = _json({"error": error.text or error.reason}, error.status)
        except ClientError as error:
            response = _json({"error": str(error), "code": error.code}, _STATUS.get(error.code, 500))
        except MienError as error:
            response = _json({"error": str(error)}, 500)
        if origin in self._origins and not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = origin
        return response

    async def _say(self, request: web.Request) -> web.StreamResponse:
        text, chunks = await self._speech(request)
        first = await anext(chunks, b"")  # what cannot be spoken is refused before anything begins
        turn = self._agent.turn(request.query.get("turn"))
        queue: asyncio.Queue[Told] = asyncio.Queue()
        self._speaking[turn.name] = (turn, queue)
        self._guide_turn(turn, text)
        speaking = asyncio.create_task(_speak(turn, text, first, chunks, queue))
        try:
            if "application/json" in request.headers.get("Accept", ""):
                return await _answer_at_once(queue)
            return await self._answer(request, turn, queue)
        finally:
            del self._speaking[turn.name]
            self._guided.pop(turn.name, None)
            if not turn.over:
                with suppress(ClientError):
                    await turn.cancel()
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _answer(self, request: web.Request, turn: AsyncTurn, queue: asyncio.Queue[Told]) -> web.StreamResponse:
        response = self._stream(request)
        await response.prepare(request)
        async for told in _until_last(queue):
            await response.write(_event(told))
        return response

    async def _speech(self, request: web.Request) -> tuple[str, AsyncIterator[bytes]]:
        """The text for the caption, and the sound. Raises HTTPException for what cannot be spoken."""
        kind, rate_hz = request.content_type, self._agent.rate_hz
        if kind in _WAV_TYPES or kind == "application/octet-stream":
            return "", wav_chunks_of(request.content, rate_hz)
        if kind not in ("text/plain", "application/json"):
            raise web.HTTPUnsupportedMediaType(text=f"{kind} cannot be spoken; send text/plain or audio/wav")
        text = await _plain(request) if kind == "text/plain" else _text(await _object(request))
        if not text.strip():
            raise web.HTTPBadRequest(text="there is nothing to say: the text is empty")
        if len(text) > MOST_CHARACTERS:
            raise web.HTTPRequestEntityTooLarge(
                MOST_CHARACTERS, len(text), text="the text is longer than 16000 characters"
            )
        if self._synthesize is None:
            raise web.HTTPNotImplemented(text="this service speaks WAV only: it was started without a TTS")
        return text, _in_thread(iter(await asyncio.to_thread(self._synthesize, text, rate_hz)))

    async def _caption(self, request: web.Request) -> web.Response:
        body = await _object(request)
        turn, words = request.query.get("turn", ""), body.get("words", [])
        if not turn:
            raise web.HTTPBadRequest(text="name the turn: POST /caption?turn=NAME")
        try:
            timed = [(str(word), int(start), int(end)) for word, start, end in words]
        except (TypeError, ValueError, OverflowError):
            raise web.HTTPBadRequest(text='"words" is a list of [word, start_ms, end_ms]') from None
        text = _text(body)
        await self._agent.caption(turn, text, timed, append=bool(body.get("append", False)))
        self._guide_caption(turn, text, timed)
        return _json({})

    def _guide_turn(self, turn: AsyncTurn, text: str) -> None:
        """The lips of a turn that begins follow its text, or else its captions, of which some came before it."""
        early = self._early.pop(turn.name, [])
        if text:
            self._guide.text(turn, f"{text}\n")
            return
        self._guided[turn.name] = turn
        for caption, words in early:
            self._guide_caption(turn.name, caption, words)

    def _guide_caption(self, name: str, text: str, words: list[Word]) -> None:
        if turn := self._guided.get(name):
            if words:
                self._guide.words(turn, words)
            else:
                self._guide.text(turn, f"{text}\n")
        elif name not in self._speaking:
            early = self._early.setdefault(name, [])
            if len(early) < _EARLY_KEPT:
                early.append((text, words))
            while len(self._early) > _EARLY_KEPT:
                del self._early[next(iter(self._early))]

    async def _interrupt(self, request: web.Request) -> web.Response:
        return _json([msgspec.to_builtins(finished) for finished in await self._agent.interrupt()])

    async def _pause(self, request: web.Request) -> web.Response:
        await self._agent.pause()
        return _json({})

    async def _resume(self, request: web.Request) -> web.Response:
        await self._agent.resume()
        return _json({})

    async def _relay_done(self, request: web.Request) -> web.Response:
        body = await _object(request)
        try:
            done = msgspec.convert(body, RelayDone)
        except msgspec.ValidationError as error:
            raise web.HTTPBadRequest(text=f"{error}; the outcome is said, cut, kept or unused") from None
        await self._agent.send(done)
        return _json({})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response, queue = self._stream(request), asyncio.Queue[Told]()
        self._watching.add(queue)
        try:
            await response.prepare(request)
            while True:
                await response.write(_event(await queue.get()))
        finally:
            self._watching.discard(queue)

    async def _health(self, request: web.Request) -> web.Response:
        return _json({"connected": self._agent.connected}, 200 if self._agent.connected else 503)

    def _stream(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        origin = request.headers.get("Origin", "")
        if origin in self._origins:
            headers["Access-Control-Allow-Origin"] = origin
        return web.StreamResponse(headers=headers)


async def _speak(
    turn: AsyncTurn, text: str, first: bytes, chunks: AsyncIterator[bytes], queue: asyncio.Queue[Told]
) -> None:
    """Send the sound to its end. What goes wrong is told as an error."""
    try:
        for start in range(0, len(text), _CAPTION_CHARACTERS):
            await turn.caption(text[start : start + _CAPTION_CHARACTERS], append=start > 0)
        await turn.write(first)
        async for chunk in chunks:
            await turn.write(chunk)
        await turn.end()
    except Exception as error:  # a TTS may raise anything, and its request must be answered
        if turn.was_cut_off(error):
            return
        why = str(error) if isinstance(error, MienError) else f"{type(error).__name__}: {error}"
        queue.put_nowait(("error", {"turn": turn.name, "error": why, "played_ms": turn.played_ms}))
    if turn.over and turn.finished is None:
        queue.put_nowait(_lost(turn))


async def _in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


async def _until_last(queue: asyncio.Queue[Told]) -> AsyncIterator[Told]:
    while True:
        told = await queue.get()
        yield told
        if told[0] in _LAST:
            return


async def _answer_at_once(queue: asyncio.Queue[Told]) -> web.Response:
    name, data = [told async for told in _until_last(queue)][-1]
    return _json(data, 200 if name == "finished" else 502)


def _told(event: Event) -> Told:
    data = msgspec.to_builtins(event)
    return str(data.pop("type")), data


def _lost(turn: AsyncTurn) -> Told:
    return "error", {"turn": turn.name, "error": "the voice was lost in mid-speech", "played_ms": turn.played_ms}


def _event(told: Told) -> bytes:
    return f"event: {told[0]}\ndata: {json.dumps(told[1])}\n\n".encode()


def _json(data: Any, status: int = 200) -> web.Response:
    return web.json_response(data, status=status)


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _asks_first(request: web.Request) -> bool:
    """Whether a browser asks what a page may send."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight() -> web.Response:
    allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "Content-Type, Accept"}
    return web.Response(status=204, headers=allowed)


async def _plain(request: web.Request) -> str:
    try:
        text: str = await request.text()
        return text
    except (UnicodeDecodeError, LookupError) as error:
        raise web.HTTPBadRequest(text=f"the text cannot be read: {error}") from None


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def _text(body: dict[str, Any]) -> str:
    text = body.get("text", "")
    if not isinstance(text, str):
        raise web.HTTPBadRequest(text='"text" must be a string')
    return text


async def serve_http(service: HttpService, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until cancelled. ready: told the URL. Raises ConfigError for a host beyond loopback or a port in use."""
    if host not in _LOOPBACK:
        raise ConfigError(f"--host {host}: there is no authentication, so only loopback is served: 127.0.0.1 or ::1")
    runner = web.AppRunner(service.app(), handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(f"--port {port}: {error.strerror}") from None
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{runner.addresses[0][1]}")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
