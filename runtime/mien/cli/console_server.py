"""A web server for the supervisor's page: a fixed set of files, read only."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from mien.cli.console_site import Item

_IDLE_S = 30


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for the files of `site`, and 404 for all else: no path reaches the disk."""

    protocol_version = "HTTP/1.1"
    server_version = "mien"
    sys_version = ""
    timeout = _IDLE_S
    site: ClassVar[Mapping[str, Item]] = {}
    headers_of_all: ClassVar[Mapping[str, str]] = {}

    def do_GET(self) -> None:
        """Send a file."""
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        """Send a file's headers."""
        self._send(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal shows the address."""

    def _send(self, *, with_body: bool) -> None:
        name = unquote(urlsplit(self.path).path).removeprefix("/") or "index.html"
        item = self.site.get(name)
        try:
            body = b"not found\n" if item is None else item.read()
        except OSError:
            item, body = None, b"not found\n"
        self.send_response(404 if item is None else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8" if item is None else item.kind)
        self.send_header("Content-Length", str(len(body)))
        lasting = item is not None and item.lasting
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if lasting else "no-cache")
        for header, value in self.headers_of_all.items():
            self.send_header(header, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def open_server(host: str, port: int, site: Mapping[str, Item], headers: Mapping[str, str]) -> ThreadingHTTPServer:
    """A server that listens; serve_forever() runs it. port: 0 takes a free one. Raises OSError."""
    handler = type("SiteHandler", (Handler,), {"site": site, "headers_of_all": headers})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server
