"""fleet.toml: how a person's terminal signs in to the broker.

`mien fleet user` writes it. Paths are relative to its folder.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from mien.errors import ConfigError

FILE: Final = "fleet.toml"
PASSWORD_VARIABLE: Final = "MIEN_FLEET_PASSWORD"
MAX_FILE_BYTES: Final = 100_000
_TEXT = """\
# How `mien fleet status` and `mien watch --fleet` sign in. Written by `mien fleet user`.
[broker]
host = "{host}"
port = {port}
transport = "{transport}"
ca = "ca.crt"
{sign_in}
"""


class ClientBroker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[broker]. An empty ca trusts the system's authorities. tls false is for a broker on this machine only.

    user with password_file, or certificate and key. Without a file the password is asked for.
    """

    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8884
    transport: Literal["websockets", "tcp"] = "websockets"
    tls: bool = True
    ca: str = "ca.crt"
    user: str = ""
    password_file: str = ""
    certificate: str = ""
    key: str = ""


class ClientConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    broker: ClientBroker


def client_toml(host: str, port: int, user: str, *, by_certificate: bool = False) -> str:
    """The text of a person's fleet.toml."""
    by_password = f'user = "{user}"\npassword_file = "password"  # or ${PASSWORD_VARIABLE}, or it is asked for'
    sign_in = 'certificate = "user.crt"\nkey = "user.key"' if by_certificate else by_password
    return _TEXT.format(host=host, port=port, transport="tcp" if by_certificate else "websockets", sign_in=sign_in)


def load_client_config(path: Path) -> ClientConfig:
    """Read fleet.toml. Raises ConfigError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes: this is no fleet.toml")
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; `mien fleet user NAME` writes one; name it with --config"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: no TOML: {error}") from None
    try:
        return msgspec.convert(tree, ClientConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from None


def stored_password(path: Path, config: ClientConfig) -> str | None:
    """The password from the environment or the file beside fleet.toml; None when a person must be asked."""
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    if not config.broker.password_file:
        return None
    try:
        return (path.parent / config.broker.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
