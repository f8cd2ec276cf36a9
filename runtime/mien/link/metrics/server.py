"""An HTTP server that answers `GET /metrics`, for Prometheus to scrape."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from mien.errors import ConfigError

MOST_REQUEST_BYTES: Final = 8192
MOST_CLIENTS: Final = 8
CLIENT_S: Final = 5.0
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def parse_listen(text: str) -> tuple[str, int]:
    """(address, port) of "ADDRESS:PORT", an IPv6 address in brackets. Raises ConfigError."""
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]") if address.startswith("[") else address
    if not address or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ConfigError(f'metrics.listen: {text!r} is no "ADDRESS:PORT", such as "127.0.0.1:9106"')
    return address, int(port)


class MetricsServer:
    """Serves what `render` returns. A client has five seconds and 8 kB; one too many is closed at once."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._clients = 0
        self._server: asyncio.Server | None = None

    async def start(self, address: str, port: int) -> int:
        """Listen. Returns the port. Raises ConfigError where that address cannot be had."""
        try:
            self._server = await asyncio.start_server(self._serve, address, port, limit=MOST_REQUEST_BYTES)
        except OSError as error:
            raise ConfigError(f"metrics.listen: {address}:{port}: {error.strerror or error}") from None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients <= MOST_CLIENTS:
                async with asyncio.timeout(CLIENT_S):
                    writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._clients -= 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLIENT_S):
                    await writer.wait_closed()

    def _answer(self, request: bytes) -> bytes:
        words = request.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response("400 Bad Request", b"no HTTP\n")
        if words[0] != b"GET":
            return _response("405 Method Not Allowed", b"GET only\n", "Allow: GET\r\n")
        if words[1].split(b"?", 1)[0] != b"/metrics":
            return _response("404 Not Found", b"/metrics only\n")
        return _response("200 OK", self._render())


def _response(status: str, body: bytes, more: str = "") -> bytes:
    size = f"Content-Length: {len(body)}\r\n"
    head = f"HTTP/1.1 {status}\r\nContent-Type: {CONTENT_TYPE}\r\n{size}{more}Connection: close\r\n"
    return head.encode() + b"\r\n" + body
