"""One HTTP connection at a time to a server with OpenAI's API, with deadlines, that another thread can break off."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mien.errors import ConverseError

READ_BYTES: Final = 4096
MAX_BYTES: Final = 32 << 20
ERROR_BYTES: Final = 200


class HttpUrl:
    """url: the API's root, http or https. key_file: a file with the bearer token; "" none. timeout_s: of each wait."""

    def __init__(self, url: str, key_file: str, timeout_s: float) -> None:
        self.url = url.rstrip("/")
        self._key_file = key_file
        self._key = ""
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._cancelled = False
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConverseError(f"'{url}' is not http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH")
        self._secure, self._host, self._root = parts.scheme == "https", parts.netloc, parts.path

    def load(self) -> None:
        """Read the key. Raises ConverseError."""
        if self._key_file:
            try:
                self._key = Path(self._key_file).read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConverseError(f"{self._key_file}: the key cannot be read: {error}") from None

    def post(self, path: str, body: bytes, content_type: str) -> Iterator[bytes]:
        """The answer's body as it arrives. Raises ConverseError: no connection, an error status, or silence."""
        connection = self._connect()
        self._cancelled = False
        try:
            headers = {"Content-Type": content_type, "User-Agent": "mien"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            connection.request("POST", self._root + path, body, headers)
            self._socket = connection.sock
            answer = connection.getresponse()
            if answer.status >= 300:
                words = answer.read(ERROR_BYTES).decode(errors="replace").strip()
                raise ConverseError(f"{self.url}{path} answered {answer.status} {answer.reason}: {words}")
            total = 0
            while data := answer.read1(READ_BYTES):
                total += len(data)
                if total > MAX_BYTES:
                    raise ConverseError(f"{self.url}{path} does not stop answering")
                yield data
            if self._cancelled:
                raise ConverseError(f"{self.url}: broken off")
        except TimeoutError:
            raise ConverseError(f"{self.url} did not answer for {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise ConverseError(f"{self.url} cannot be reached: {error or type(error).__name__}") from None
        finally:
            self._socket = None
            connection.close()

    def cancel(self) -> None:
        """Break the connection off: post() raises. From any thread."""
        self._cancelled = True
        if (open_socket := self._socket) is not None:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, timeout=self._timeout_s, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(self._host, timeout=self._timeout_s)
