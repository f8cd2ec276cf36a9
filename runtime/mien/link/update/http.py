"""HTTP to an update server: bounded answers, own origin, a token that goes nowhere else."""

import json
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlunsplit

import urllib3

from mien.errors import ConfigError, UpdateError
from mien.fleet.topics import Board as Place
from mien.link.config import UpdateConfig
from mien.link.update.ddi import MAX_JSON_BYTES, split

CONNECT_S: Final = 10.0
READ_S: Final = 30.0
MAX_REDIRECTS: Final = 5
_MOVED: Final = (301, 302, 303, 307, 308)
_TOKENS: Final = {"target": "TargetToken", "gateway": "GatewayToken"}


class Http:
    """Requests to the configured server, and for bundles to where it points. Not for several threads."""

    def __init__(self, config: UpdateConfig, place: Place, folder: Path) -> None:
        """folder: of link.toml. Raises ConfigError."""
        try:
            parts = split(config.url)
        except UpdateError as error:
            raise ConfigError(f"update.url: {error}") from None
        if parts.query:
            raise ConfigError(f"update.url: {config.url!r}: leave out what follows the question mark")
        self.place = place
        self.plain = parts.scheme == "http"
        self.origin = (parts.scheme, parts.netloc)
        self._host = parts.hostname
        identity = f"{place.site}.{place.name}"
        self.base = f"{parts.path.rstrip('/')}/{config.tenant}/controller/v1/{identity}"
        self.ca = str(folder / config.ca) if config.ca else ""
        self._token = _token(folder, config)
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=1,
            retries=False,
            ssl_context=_trust(self.ca),
            timeout=urllib3.Timeout(CONNECT_S, READ_S),
        )

    def get(self, path: str) -> bytes:
        """A JSON document of the server. Raises UpdateError."""
        return self._ask("GET", path)

    def send(self, method: str, path: str, document: dict[str, Any]) -> None:
        """POST or PUT. Raises UpdateError; its status says whether the server refused or was not reached."""
        self._ask(method, path, json.dumps(document).encode())

    def own(self, href: str) -> str:
        """The path of a link of the API, taken from our own server whatever host it names: behind a proxy a server
        may not know its own name. Raises UpdateError for one outside this board's part."""
        try:
            parts = split(urljoin(urlunsplit((*self.origin, f"{self.base}/", "", "")), href))
        except ValueError:
            raise UpdateError(f"update server: {href[:120]!r} is no link") from None
        if not parts.path.startswith(f"{self.base}/") or "/.." in parts.path or "%" in parts.path:
            raise UpdateError(f"update server: {href[:120]!r} is not of this board ({self.base})")
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def permitted(self, url: str) -> str:
        """A bundle's address: https, unless this server itself is configured without. Raises a final UpdateError.

        Behind a proxy our own server may call itself http: that becomes its configured origin.
        """
        try:
            parts = split(url)
        except UpdateError as error:
            raise UpdateError(str(error), final=True) from None
        if parts.scheme == "http" and not self.plain:
            if parts.hostname != self._host:
                raise UpdateError(f"{url[:120]!r}: update.url is https, and bundles come by https too", final=True)
            return urlunsplit((*self.origin, parts.path, parts.query, ""))
        return url

    def authority(self, url: str) -> tuple[str, ...]:
        """The header with the token, where this address is of our own server; else none."""
        parts = split(url)
        return (self._token,) if self._token and (parts.scheme, parts.netloc) == self.origin else ()

    def open(self, url: str, start: int) -> urllib3.BaseHTTPResponse:
        """Begin to read a bundle from byte `start`. Follows at most five redirects, each to a permitted address.

        The caller releases it. Raises UpdateError.
        """
        for _ in range(MAX_REDIRECTS + 1):
            url = self.permitted(url)
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
            answer = self._request("GET", url, headers)
            if answer.status not in _MOVED:
                return answer
            answer.close()
            try:
                url = urljoin(url, answer.headers.get("Location", ""))
            except ValueError:
                raise UpdateError("download: a redirect to no address", final=True) from None
        raise UpdateError(f"download: more than {MAX_REDIRECTS} redirects", final=True)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Accept": "application/hal+json, application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = self._request(method, urlunsplit((*self.origin, "", "", "")) + path, headers, body)
        try:
            if answer.status in _MOVED:
                raise UpdateError(f"update server: {method}: redirected: is this network's sign-in page in the way?")
            if not 200 <= answer.status < 300:
                raise UpdateError(f"update server: {method}: HTTP {answer.status}", status=answer.status)
            content = answer.read(MAX_JSON_BYTES + 1)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UpdateError(f"update server: {_reason(error)}") from None
        finally:
            answer.close()
        if len(content) > MAX_JSON_BYTES:
            raise UpdateError(f"update server: an answer of more than {MAX_JSON_BYTES} bytes")
        return content

    def _request(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None = None
    ) -> urllib3.BaseHTTPResponse:
        # Without keep-alive: servers of updates drop idle connections, and a board asks every few minutes. A connection
        # that the server is about to close must not be taken again either.
        self._pool.clear()
        sent = {"Connection": "close", "User-Agent": "mien-link", **headers}
        sent |= dict(header.split(": ", 1) for header in self.authority(url))
        try:
            return self._pool.request(
                method, url, headers=sent, body=body, redirect=False, preload_content=False, decode_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise UpdateError(f"{url[:120]}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _trust(ca: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"update.ca: {ca}: {error}") from None


def _token(folder: Path, config: UpdateConfig) -> str:
    """The header, empty where there is no token."""
    if not config.token_file:
        return ""
    path = folder / config.token_file
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"update.token_file: {path}: {error}") from None
    if not token.isprintable() or not 0 < len(token) <= 500 or " " in token:
        raise ConfigError(f"update.token_file: {path}: holds no token: one line without spaces")
    return f"Authorization: {_TOKENS[config.token]} {token}"
