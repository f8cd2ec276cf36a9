"""The supervisor's page as files: the bundle, the avatars by their SHA-256, the broker that it proposes."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import mien
from mien.avatar.baked import SUFFIX
from mien.avatar.load import default_avatar_path
from mien.errors import ConfigError

BUNDLE: Final = Path(mien.__file__).resolve().parent / "console"
PAGES: Final = ("index.html", "console.js", "console.css", "capture.js", "icon.svg")
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    SUFFIX: "application/octet-stream",
}
# Connections are the broker's alone: by TLS, on this machine, or where the page itself comes from.
_ANY_BROKER: Final = "wss: ws://localhost:* ws://127.0.0.1:*"


@dataclass(frozen=True, slots=True)
class Item:
    """One file of the site. lasting: its name changes with its content, so that browsers may keep it."""

    content: bytes | Path
    kind: str
    lasting: bool = False

    def read(self) -> bytes:
        """The bytes. Raises OSError."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


def check_broker(url: str) -> str:
    """The URL of a broker, as it is. Raises ConfigError for one that the page refuses."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ConfigError(f"--broker {url}: leave user and password out; people type them into the page")
    plain = parts.scheme == "ws" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "wss" or plain):
        raise ConfigError(f"--broker {url}: use wss://HOST:PORT/mqtt; ws:// only for this machine")
    return url


def site(broker: str = "") -> dict[str, Item]:
    """Every file by its path. broker: which the page proposes, "" for the page's own host. Raises ConfigError."""
    files = {name: Item(BUNDLE / name, _TYPES[Path(name).suffix]) for name in PAGES}
    missing = [name for name in PAGES if not (BUNDLE / name).is_file()]
    if missing:
        raise ConfigError(f"{BUNDLE} lacks {', '.join(missing)}: run `make console`")
    files["config.json"] = Item(json.dumps({"broker": broker} if broker else {}).encode(), _TYPES[".json"])
    default = default_avatar_path()
    for path in sorted(default.parent.glob(f"*{SUFFIX}")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files[f"avatars/{digest}{SUFFIX}"] = Item(path, _TYPES[SUFFIX], lasting=True)
    files[f"avatars/default{SUFFIX}"] = Item(default, _TYPES[SUFFIX])
    return files


def security_headers(broker: str = "") -> dict[str, str]:
    """What every answer carries. broker: the only one to which the page may connect, "" for any by TLS."""
    parts = urlsplit(broker)
    brokers = f"{parts.scheme}://{parts.netloc}" if broker else _ANY_BROKER
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; worker-src 'self'; "
        f"connect-src 'self' {brokers}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def copy_to(folder: Path, broker: str = "") -> int:
    """Write the site for another web server. Returns how many files it has. Raises OSError, ConfigError."""
    files = site(broker)
    for name, item in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(item.content, Path):
            shutil.copyfile(item.content, target)
        else:
            target.write_bytes(item.content)
    return len(files)
