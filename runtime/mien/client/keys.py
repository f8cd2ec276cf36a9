"""CURVE keys of a client, loaded from the files that `mien keys make` writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq
import zmq.auth

from mien.errors import ConfigError
from mien.transport.key_file import decode_key


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """CURVE keys in Z85. public, secret: the client's own. voice: the voice's public key."""

    public: bytes
    secret: bytes
    voice: bytes

    def put_on(self, socket: zmq.Socket[Any]) -> None:
        """Set them on a socket, before it connects."""
        socket.set(zmq.CURVE_PUBLICKEY, self.public)
        socket.set(zmq.CURVE_SECRETKEY, self.secret)
        socket.set(zmq.CURVE_SERVERKEY, self.voice)


def load_keys(key: str | Path | None, voice_key: str | Path | None) -> ClientKeys | None:
    """Read NAME.key_secret and voice.key; None when neither is given.

    Raises ConfigError for an invalid key file, or when only one is given.
    """
    if key is None and voice_key is None:
        return None
    if key is None or voice_key is None:
        raise ConfigError("a connection with keys needs both: key=NAME.key_secret and voice_key=voice.key")
    public, secret = _load(Path(key))
    voice, _ = _load(Path(voice_key))
    if secret is None:
        raise ConfigError(f"{key}: has no secret key; name the file that ends in .key_secret")
    return ClientKeys(public, secret, voice)


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        public, secret = zmq.auth.load_certificate(path)
        for key in (public, secret or public):
            decode_key(key)
        return public, secret
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is not a key file ({error}); `mien keys make` writes one") from None
