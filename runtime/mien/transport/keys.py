"""The key directory: the voice's own pair, plus the public keys of the clients that may connect from other machines.

    voice.key            the voice's public key, for the clients          allowed/speaker/NAME.key
    voice.key_secret     its secret key                                   allowed/agent/NAME.key
                                                                          allowed/observer/NAME.key
                                                                          allowed/listener/NAME.key

A listener is an observer that may also hear the microphone, where [ear] observers_may_listen allows it. The files are
ZeroMQ certificates (mien.transport.key_file). A client's secret key is never stored here.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import zmq.auth

from mien.errors import ConfigError
from mien.printable import printable
from mien.transport.key_file import read_key_file

KeyRole = Literal["speaker", "agent", "observer", "listener"]
ROLES: Final[tuple[KeyRole, ...]] = get_args(KeyRole)
VOICE: Final = "voice"
_SECRET_MODE: Final = 0o640
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LEAST_FIRST: Final[tuple[KeyRole, ...]] = ("observer", "listener", "speaker", "agent")


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """One client that may connect. public: 40 characters of Z85. raw: the same key, 32 bytes."""

    role: KeyRole
    name: str
    public: bytes
    raw: bytes

    @property
    def user_id(self) -> str:
        """The user id of its connections."""
        return f"{self.role}/{self.name}"


@dataclass(frozen=True, slots=True)
class KeyList:
    """The current content of the directory.

    keys: all valid keys, by role and name, each public key once. problems: one sentence for each invalid file or
    directory, with its path and the remedy.
    """

    keys: tuple[AllowedKey, ...]
    problems: tuple[str, ...]


class KeyFolder:
    """Reads and changes one key directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def voice_pair(self) -> tuple[bytes, bytes] | None:
        """(public, secret) of the voice; None when it has none. Raises ConfigError for an invalid file."""
        path = self.root / f"{VOICE}.key_secret"
        if not os.path.lexists(path):
            return None
        found = read_key_file(path)
        if found.secret is None:
            raise ConfigError(f"access.keys: {path}: has no secret key; remove it and run `mien keys make`")
        return found.public, found.secret

    def read(self) -> KeyList:
        """All valid keys. Never raises: an invalid file is reported and affects only its own key.

        A directory that does not exist has no keys. A public key under two names is listed once, with the lesser role.
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
        """Make the voice's pair unless it exists. Returns whether it was made."""
        if os.path.lexists(self.root / f"{VOICE}.key_secret"):
            return False
        self._make(self.root, VOICE)
        return True

    def make_client(self, name: str, role: KeyRole, out: Path) -> Path:
        """Make a key pair for a client, allow its public key, and write its secret key to `out`. Returns that file.

        Raises ConfigError for a name that is invalid or already used.
        """
        _check_name(name)
        if there := self._named(name):
            raise ConfigError(f"a key '{name}' exists already ({there[0]}); run `mien keys remove {name}` first")
        for taken in (out / f"{name}.key_secret", out / f"{name}.key"):
            if os.path.lexists(taken):
                raise ConfigError(f"{taken} exists already; move it away, or choose another --out")
        public, secret = self._make(out, name)
        try:
            self._list(public, role, name)
        except OSError as error:
            public.unlink(missing_ok=True)
            secret.unlink(missing_ok=True)
            raise ConfigError(
                f"{self._place(role, name)}: cannot be written ({error.strerror or error}); run as root, "
                "or name another directory with --keys"
            ) from None
        return secret

    def remove(self, name: str, role: KeyRole | None = None) -> list[Path]:
        """Remove a client's key, whatever its file contains. Returns the removed files. role: only for this role.

        Raises ConfigError for an unknown name, or a file that cannot be removed.
        """
        _check_name(name)
        there = [path for path in self._named(name) if role in (None, path.parent.name)]
        if not there:
            raise ConfigError(f"{self.root / 'allowed'}: there is no key '{name}'; `mien keys list` shows the keys")
        for path in there:
            try:
                path.unlink()
            except OSError as error:
                raise ConfigError(f"{path}: cannot be removed ({error.strerror or error}); run as root") from None
        return there

    def _place(self, role: KeyRole, name: str) -> Path:
        return self.root / "allowed" / role / f"{name}.key"

    def _named(self, name: str) -> list[Path]:
        return [path for role in ROLES if os.path.lexists(path := self._place(role, name))]

    def _files(self, role: KeyRole, problems: list[str]) -> Iterator[Path]:
        folder = self.root / "allowed" / role
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if entry.name.endswith(".key"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # ValueError: a path with NUL
            problems.append(
                f"access.keys: {printable(str(folder))}: cannot be read ({printable(str(error))}), so that "
                f"no {role} may connect; make it readable for the voice's user"
            )
            return
        yield from (folder / name for name in names)

    def _list(self, public: Path, role: KeyRole, name: str) -> None:
        """Move a public key into the directory atomically: a voice may read it at any moment."""
        listed = self._place(role, name)
        listed.parent.mkdir(parents=True, exist_ok=True)
        new = listed.with_name(f".{name}.key.new")
        try:
            shutil.copyfile(public, new)  # not renamed: `out` may be on another file system
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
                "name another directory with --keys or --out"
            ) from None
        finally:
            os.umask(old)
        public.chmod(0o644)
        secret.chmod(_SECRET_MODE if folder == self.root else 0o600)
        if folder == self.root and os.geteuid() == 0:
            os.chown(secret, -1, folder.stat().st_gid)  # the group of the service, which owns the directory
        return public, secret


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"'{printable(name)}' is not a valid key name; use at most 64 letters, digits, dots and dashes"
        )


def _allowed(role: KeyRole, path: Path) -> AllowedKey:
    """Raises ConfigError."""
    if not _NAME.fullmatch(path.stem):
        raise ConfigError(
            f"access.keys: {printable(str(path))}: invalid name; rename it to at most 64 letters, "
            "digits, dots and dashes, or remove it"
        )
    found = read_key_file(path)
    return AllowedKey(role, path.stem, found.public, found.raw)


def _each_once(found: list[AllowedKey], problems: list[str]) -> Iterator[AllowedKey]:
    """Each public key once, with its least privileged role."""
    kept: dict[bytes, AllowedKey] = {}
    for key in sorted(found, key=lambda key: (_LEAST_FIRST.index(key.role), key.name)):
        other = kept.setdefault(key.raw, key)
        if other is not key:
            problems.append(
                f"access.keys: {key.user_id} and {other.user_id} are the same key, which is used as "
                f"{other.user_id} only; remove one with `mien keys remove`, or make another key"
            )
    yield from kept.values()
