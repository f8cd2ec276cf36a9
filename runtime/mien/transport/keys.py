"""The folder of keys: the voice's own pair, and the public keys of those who may connect from beyond this machine.

    voice.key            the voice's public key, for the clients          allowed/speaker/NAME.key
    voice.key_secret     its secret key                                   allowed/agent/NAME.key
                                                                          allowed/observer/NAME.key

The files are ZeroMQ certificates (CurveZMQ, rfc.zeromq.org/spec/26). A client's own secret key never lies here.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import zmq
import zmq.auth

from mien.core.wire import Role
from mien.errors import ConfigError

ROLES: Final[tuple[Role, ...]] = get_args(Role)
VOICE: Final = "voice"
_SECRET_MODE: Final = 0o640
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """One client that may connect. public: 40 characters of Z85."""

    role: Role
    name: str
    public: bytes

    @property
    def user_id(self) -> str:
        """What its connections carry."""
        return f"{self.role}/{self.name}"


class KeyFolder:
    """Reads and fills one folder of keys."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def voice_pair(self) -> tuple[bytes, bytes] | None:
        """(public, secret) of the voice; None where it has none. Raises ConfigError for a file that is no key."""
        path = self.root / f"{VOICE}.key_secret"
        if not path.exists():
            return None
        public, secret = _load(path)
        if secret is None:
            raise ConfigError(f"access.keys: {path}: has no secret key; remove it and run `mien keys make`")
        return public, secret

    def allowed(self) -> list[AllowedKey]:
        """Everyone on the list, by role and name. Raises ConfigError for a file that is no key."""
        return [AllowedKey(role, path.stem, _load(path)[0])
                for role in ROLES for path in sorted((self.root / "allowed" / role).glob("*.key"))]

    def make_voice_pair(self) -> bool:
        """Make the voice's pair, unless there is one. Returns whether it was made."""
        if (self.root / f"{VOICE}.key_secret").exists():
            return False
        self._make(self.root, VOICE)
        return True

    def make_client(self, name: str, role: Role, out: Path) -> Path:
        """Put a new client on the list and its secret key into `out`, which is for the client. Returns that file.

        Raises ConfigError for a name that is none, or that is on the list.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(f"'{name}' is no name for a key; use letters, digits, dots, dashes, at most 64")
        if any(key.name == name for key in self.allowed()):
            raise ConfigError(f"there is a key '{name}' already; remove its file below {self.root / 'allowed'} first")
        secret = out / f"{name}.key_secret"
        if secret.exists():
            raise ConfigError(f"{secret} is there already; move it away, or choose another --out")
        public, _ = self._make(out, name)
        listed = self.root / "allowed" / role / f"{name}.key"
        try:
            listed.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(public, listed)  # `out` may be a memory stick: a rename does not leave its file system
        except OSError as error:
            raise ConfigError(f"{listed}: cannot be written ({error.strerror})") from None
        return secret

    def _make(self, folder: Path, name: str) -> tuple[str, str]:
        old = os.umask(0o077)  # a secret must not be readable by others even for a moment
        try:
            folder.mkdir(parents=True, exist_ok=True)
            public, secret = zmq.auth.create_certificates(folder, name)
        except OSError as error:
            raise ConfigError(f"{folder}: keys cannot be written there ({error.strerror}); run as root, or name "
                              "another folder with --keys or --out") from None
        finally:
            os.umask(old)
        Path(public).chmod(0o644)
        Path(secret).chmod(_SECRET_MODE if folder == self.root else 0o600)
        if folder == self.root and os.geteuid() == 0:
            os.chown(secret, -1, folder.stat().st_gid)  # the service's group, where the folder is its
        return str(public), str(secret)


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        return zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"access.keys: {path}: is not a key file ({error}); make a new one with `mien keys make`"
                          ) from None
