"""fleet.json: what a fleet's folder has issued to whom.

Times are UTC in seconds. Serial numbers are hexadecimal. An authority is named by the start of its serial number.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from mien.enrolment.storage import read, write_private
from mien.errors import ConfigError
from mien.fleet.topics import Role

FILE: Final = "fleet.json"
Port = Annotated[int, Meta(ge=1, le=65_535)]


class Issued(Struct, frozen=True, kw_only=True):
    """A certificate. authority: that signed it. trusts: the authorities that came with it."""

    serial: str
    authority: str
    issued: float
    expires: float
    trusts: tuple[str, ...] = ()


class BoardRecord(Struct, kw_only=True):
    """A board that may sign in. The last certificate is the one to use; earlier ones are valid until they expire."""

    site: str
    name: str
    certificates: list[Issued] = field(default_factory=list)
    said: bool = False
    captions: bool = False
    ear: bool = False


class UserRecord(Struct, kw_only=True):
    """A person or a program. sites: that it may see; empty: all. certificates: it may use in place of its password."""

    role: Role
    hash: str
    sites: tuple[str, ...] = ()
    home_assistant: bool = False
    certificates: list[Issued] = field(default_factory=list)


class Revoked(Struct, frozen=True, kw_only=True):
    """A certificate that was revoked. name: whose it was."""

    name: str
    serial: str
    authority: str
    at: float


class FleetRecord(Struct, kw_only=True):
    """The whole file. hosts: of the broker, the first one is what clients connect to. authorities: oldest first.

    etc: the folder of the broker's files on its machine. http_dir: the console's files there, empty for none.
    """

    version: Literal[1] = 1
    site: str
    hosts: tuple[str, ...]
    board_port: Port = 8883
    people_port: Port = 8884
    etc: str = "/etc/mosquitto/mien"
    http_dir: str = ""
    authorities: list[str] = field(default_factory=list)
    server: Issued | None = None
    boards: dict[str, BoardRecord] = field(default_factory=dict)
    users: dict[str, UserRecord] = field(default_factory=dict)
    revoked: list[Revoked] = field(default_factory=list)


def load(folder: Path) -> FleetRecord:
    """Read the registry of a folder. Raises ConfigError."""
    path = folder / FILE
    if not path.exists():
        raise ConfigError(f"{folder}: no fleet is here; cd to its folder, or make one with `mien fleet new SITE`")
    try:
        return msgspec.json.decode(read(path), type=FleetRecord)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path}: {error}; restore it from your backup") from None


def save(folder: Path, record: FleetRecord) -> None:
    """Write the registry. Raises StorageError."""
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
