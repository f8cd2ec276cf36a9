"""The folder of keys: the voice's own pair, and the public keys of those who may connect from beyond this machine.

    voice.key            the voice's public key, for the clients          allowed/speaker/NAME.key
    voice.key_secret     its secret key                                   allowed/agent/NAME.key
                                                                          allowed/observer/NAME.key

The files are ZeroMQ certificates (mien.transport.key_file). A client's own secret key never lies here.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import zmq.auth

from mien.core.wire import Role
from mien.errors import ConfigError
from mien.printable import printable
from mien.transport.key_file import read_key_file

ROLES: Final[tuple[Role, ...]] = get_args(Role)
VOICE: Final = "voice"
_SECRET_MODE: Final = 0o640
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LEAST_FIRST: Final[tuple[Role, ...]] = ("observer", "speaker", "agent")


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """One client that may connect. public: 40 characters of Z85. raw: the same key, 32 bytes."""

    role: Role
    name: str
    public: bytes
    raw: bytes

    @property
    def user_id(self) -> str:
        """What its connections carry."""
        return f"{self.role}/{self.name}"


@dataclass(frozen=True, slots=True)
class KeyList:
    """The list as it is now. keys: everyone on it, by role and name, each public key once. problems: one sentence for
    each file or folder that does not count, with its path and the remedy."""

    keys: tuple[AllowedKey, ...]
    problems: tuple[str, ...]


class KeyFolder:
    """Reads and fills one folder of keys."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def voice_pair(self) -> tuple[bytes, bytes] | None:
        """(public, secret) of the voice; None where it has none. Raises ConfigError for a file that is no pair."""
        path = self.root / f"{VOICE}.key_secret"
        if not os.path.lexists(path):
            return None
        found = read_key_file(path)
        if found.secret is None:
            raise ConfigError(f"access.keys: {path}: has no secret key; remove it and run `mien keys make`")
        return found.public, found.secret

    def read(self) -> KeyList:
        """Everyone on the list. Never raises: one bad file costs its own key alone, and is reported.

        A folder that does not exist is an empty list. A public key under two names counts once, with the lesser role.
        """
        found: list[AllowedKey] = []
        problems: list[str] = []
        for role in ROLES:
            for path in self._files(role, problems):
                try:
                    found.append(_allowed(role, path))
                except ConfigError as error:
                    problems.append(str(error))
        keys = _each_once(found, problems)
        return KeyList(tuple(sorted(keys, key=lambda key: (ROLES.index(key.role), key.name))), tuple(problems))

    def allowed(self) -> list[AllowedKey]:
        """The keys of read()."""
        return list(self.read().keys)

    def make_voice_pair(self) -> bool:
        """Make the voice's pair, unless there is one. Returns whether it was made."""
        if os.path.lexists(self.root / f"{VOICE}.key_secret"):
            return False
        self._make(self.root, VOICE)
        return True

    def make_client(self, name: str, role: Role, out: Path) -> Path:
        """Put a new client on the list and its secret key into `out`, which is for the client. Returns that file.

        Raises ConfigError for a name that is none, or that is on the list.
        """
        _check_name(name)
        if there := self._named(name):
            raise ConfigError(f"there is a key '{name}' already ({there[0]}); run `mien keys remove {name}` first")
        for taken in (out / f"{name}.key_secret", out / f"{name}.key"):
            if os.path.lexists(taken):
                raise ConfigError(f"{taken} is there already; move it away, or choose another --out")
        public, secret = self._make(out, name)
        try:
            self._list(public, role, name)
        except OSError as error:
            public.unlink(missing_ok=True)
            secret.unlink(missing_ok=True)
            raise ConfigError(
                f"{self._place(role, name)}: cannot be written ({error.strerror or error}); run as root, "
                "or name another folder with --keys"
            ) from None
        return secret

    def remove(self, name: str, role: Role | None = None) -> list[Path]:
        """Take a client off the list, whatever is in its file. Returns the files that are gone. role: of this one only.

        Raises ConfigError for a name that is not on the list, or a file that cannot be removed.
        """
        _check_name(name)
        there = [path for path in self._named(name) if role in (None, path.parent.name)]
        if not there:
            raise ConfigError(f"{self.root / 'allowed'}: no key '{name}' is there; `mien keys list` shows who is")
        for path in there:
            try:
                path.unlink()
            except OSError as error:
                raise ConfigError(f"{path}: cannot be removed ({error.strerror or error}); run as root") from None
        return there

    def _place(self, role: Role, name: str) -> Path:
        return self.root / "allowed" / role / f"{name}.key"

    def _named(self, name: str) -> list[Path]:
        return [path for role in ROLES if os.path.lexists(path := self._place(role, name))]

    def _files(self, role: Role, problems: list[str]) -> Iterator[Path]:
        folder = self.root / "allowed" / role
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.name.endswith(".key"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # ValueError: a path with NUL
            problems.append(
                f"access.keys: {printable(str(folder))}: cannot be read ({printable(str(error))}), so that "
                f"no {role} may connect; let the voice's user read and enter it"
            )
            return
        yield from (folder / name for name in names)

    def _list(self, public: Path, role: Role, name: str) -> None:
        """Move a public key to its place, whole or not at all: a voice may read the list at any moment."""
        listed = self._place(role, name)
        listed.parent.mkdir(parents=True, exist_ok=True)
        new = listed.with_name(f".{name}.key.new")
        try:
            shutil.copyfile(public, new)  # not renamed: `out` may be a memory stick
            new.chmod(0o644)
            new.replace(listed)
        finally:
            new.unlink(missing_ok=True)
        public.unlink()

    def _make(self, folder: Path, name: str) -> tuple[Path, Path]:
        old = os.umask(0o077)  # a secret must not be readable by others even for a moment
        try:
            folder.mkdir(parents=True, exist_ok=True)
            public, secret = (Path(made) for made in zmq.auth.create_certificates(folder, name))
        except OSError as error:
            raise ConfigError(
                f"{folder}: keys cannot be written there ({error.strerror or error}); run as root, or "
                "name another folder with --keys or --out"
            ) from None
        finally:
            os.umask(old)
        public.chmod(0o644)
        secret.chmod(_SECRET_MODE if folder == self.root else 0o600)
        if folder == self.root and os.geteuid() == 0:
            os.chown(secret, -1, folder.stat().st_gid)  # the service's group, where the folder is its
        return public, secret


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"'{printable(name)}' is no name for a key; use letters, digits, dots, dashes, at most 64")


def _allowed(role: Role, path: Path) -> AllowedKey:
    """Raises ConfigError."""
    if not _NAME.fullmatch(path.stem):
        raise ConfigError(
            f"access.keys: {printable(str(path))}: the name does not count; rename it to letters, "
            "digits, dots and dashes, at most 64, or remove it"
        )
    found = read_key_file(path)
    return AllowedKey(role, path.stem, found.public, found.raw)


def _each_once(found: list[AllowedKey], problems: list[str]) -> Iterator[AllowedKey]:
    """Each public key with its least privileged entry: a doubt must not give anybody more."""
    kept: dict[bytes, AllowedKey] = {}
    for key in sorted(found, key=lambda key: (_LEAST_FIRST.index(key.role), key.name)):
        other = kept.setdefault(key.raw, key)
        if other is not key:
            problems.append(
                f"access.keys: {key.user_id} and {other.user_id} are the same key, which counts as "
                f"{other.user_id} alone; remove one with `mien keys remove`, or make another key"
            )
    yield from kept.values()
