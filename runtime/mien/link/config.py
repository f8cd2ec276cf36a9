"""link.toml: where the broker is, what the board tells, what it lets others do.

A file of its own beside mien.toml, because it comes from the fleet's operator with the board's certificate. Unknown
keys are refused with their path.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from mien.errors import ConfigError
from mien.fleet.topics import Board, board

SYSTEM_LINK_CONFIG: Final = Path("/etc/mien/link/link.toml")
MAX_FILE_BYTES: Final = 100_000

Seconds = Annotated[float, Meta(ge=0, le=86_400)]


class BoardConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[board]: its place in the fleet."""

    site: str
    name: str


class BrokerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[broker]: paths are relative to the folder of link.toml. An empty ca trusts the system's authorities.

    protocol: MQTT 5, or 3.1.1 as 4. tls false is for a broker on this machine only. user and password_file, or
    certificate and key, or both.
    """

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 8883
    protocol: Literal[4, 5] = 5
    tls: bool = True
    ca: str = "ca.crt"
    certificate: str = ""
    key: str = ""
    user: str = ""
    password_file: str = ""
    keepalive_s: Annotated[int, Meta(ge=5, le=1200)] = 30
    retry_max_s: Annotated[int, Meta(ge=1, le=3600)] = 60


class TellConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[tell]: what leaves the board. said: text of what was said, as `pii.` fields, and live captions.

    discovery: Home Assistant's.
    """

    health_s: Annotated[int, Meta(ge=1, le=3600)] = 10
    said: bool = False
    discovery: bool = True


class AllowConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[allow]: what others may do. roles: whose commands are taken at all. watch: poses and the kiosk's speech.

    captions: live captions. ear: the microphone, for agents and operators.
    """

    roles: tuple[Literal["observer", "agent", "operator"], ...] = ("observer", "agent", "operator")
    watch: bool = True
    captions: bool = False
    ear: bool = False
    floor: bool = True
    restart: bool = True


class EventsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[events]: the queue for an outage. folder "": $STATE_DIRECTORY. max_mb: beyond it the oldest are dropped."""

    folder: str = ""
    max_mb: Annotated[int, Meta(ge=1, le=1000)] = 16


class MetricsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[metrics]: Prometheus. listen: "ADDRESS:PORT" for scrapes. textfile: a file for node_exporter. "": off."""

    listen: str = ""
    textfile: str = ""
    every_s: Annotated[int, Meta(ge=5, le=3600)] = 15


class UpdateConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[update]: a server of hawkBit's DDI. Off with an empty url.

    window: "02:00-05:00", local time; empty: at any time. token_file: the target's or gateway's security token.
    good_within_s: how long a new slot has for a face seen and a turn heard.
    """

    url: str = ""
    tenant: str = "DEFAULT"
    token_file: str = ""
    token: Literal["target", "gateway"] = "target"
    ca: str = ""
    poll_s: Annotated[int, Meta(ge=10, le=86_400)] = 300
    window: str = ""
    max_mb: Annotated[int, Meta(ge=1, le=20_000)] = 2_000
    good_within_s: Annotated[int, Meta(ge=30, le=86_400)] = 900


class LinkConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    board: BoardConfig
    broker: BrokerConfig
    tell: TellConfig = TellConfig()
    allow: AllowConfig = AllowConfig()
    events: EventsConfig = EventsConfig()
    metrics: MetricsConfig = MetricsConfig()
    update: UpdateConfig = UpdateConfig()

    @property
    def place(self) -> Board:
        """The board's place in the fleet."""
        return board(self.board.site, self.board.name)


def load_link_config(path: Path) -> LinkConfig:
    """Read link.toml. Raises ConfigError with the key's path and the remedy."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes: this is no link.toml")
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; make it with `mien fleet board NAME`") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: no TOML: {error}") from None
    try:
        return msgspec.convert(tree, LinkConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from None
