"""A folder served by HTTP with byte ranges.

Python's own server has none; RAUC needs them to stream a bundle.
"""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

CHUNK: Final = 1 << 16


@dataclass(slots=True)
class Served:
    """A served folder. sent: bytes of content by name; whole, ranges: how many requests by name were for either."""

    folder: Path
    port: int = 0
    sent: dict[str, int] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    ranges: dict[str, int] = field(default_factory=dict)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Answers GET with one byte range, of the form first-last or first-, or with the whole file."""

    protocol_version = "HTTP/1.1"  # a connection is kept, as any real server does

    def __init__(self, *args: Any, served: Served, **kwargs: Any) -> None:
        self._served = served
        super().__init__(*args, directory=str(served.folder), **kwargs)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        first, last = self._asked(size)
        ranged = "Range" in self.headers
        if first > last:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._note(self._served.ranges if ranged else self._served.whole, path.name, 1)
        self.send_response(206 if ranged else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Last-Modified", self.date_time_string(int(path.stat().st_mtime)))
        if ranged:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        self._send(path, first, last)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a streamed bundle takes hundreds of requests."""

    def _asked(self, size: int) -> tuple[int, int]:
        """First and last byte; the last before the first when there is no such range."""
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-"))
        if found is None:
            return 0, -1
        return int(found[1]), min(size - 1, int(found[2] or size - 1))

    def _send(self, path: Path, first: int, last: int) -> None:
        left = last - first + 1
        with path.open("rb") as file:
            file.seek(first)
            while left:
                part = file.read(min(CHUNK, left))
                self._note(self._served.sent, path.name, len(part))
                try:
                    self.wfile.write(part)
                except OSError:  # the board was switched off, or has read enough
                    self.close_connection = True
                    return
                left -= len(part)

    @staticmethod
    def _note(counts: dict[str, int], name: str, more: int) -> None:
        counts[name] = counts.get(name, 0) + more


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve a folder on every address of this machine, at a free port, until the end of the block."""
    served = Served(folder)
    with http.server.ThreadingHTTPServer(("", 0), partial(Handler, served=served)) as server:
        served.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield served
        finally:
            server.shutdown()
