"""The configuration: one TOML file into frozen structs.

mien.toml beside this file is the shipped one: it lists every key at its default, and a test keeps it so. A file may
leave out any key. Unknown keys are refused with their path and the nearest key that exists.
"""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from mien.errors import ConfigError

SYSTEM_CONFIG = Path("/etc/mien/mien.toml")
SHIPPED_CONFIG = Path(__file__).parent / "mien.toml"

PositiveMs = Annotated[int, Meta(ge=1, le=3_600_000)]


class VoiceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[voice]: the network side. listen: ZeroMQ endpoints beside the local one, which is always open."""

    listen: tuple[str, ...] = ("tcp://127.0.0.1:5570",)
    max_clients: Annotated[int, Meta(ge=1, le=1000)] = 16
    max_turns: Annotated[int, Meta(ge=1, le=1000)] = 32
    max_buffer_ms: PositiveMs = 60_000
    max_turn_ms: PositiveMs = 600_000
    turn_idle_timeout_ms: PositiveMs = 10_000
    progress_ms: Annotated[int, Meta(ge=20, le=5_000)] = 200
    max_clients_each: Annotated[int, Meta(ge=1, le=1000)] = 8
    max_messages_per_s: Annotated[int, Meta(ge=10, le=1_000_000)] = 5_000
    max_kb_per_s: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    floor_vanish_timeout_ms: PositiveMs = 3_000
    floor_idle_timeout_ms: PositiveMs = 300_000


class PlaybackConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[playback]: the sound card and when a turn opens."""

    sink: Literal["alsa", "null", "wav"] = "alsa"
    device: str = "default"
    wav_path: str = "mien.wav"
    rate_hz: Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000] = 48_000
    buffer_ms: Annotated[int, Meta(ge=10, le=500)] = 25
    output_latency_ms: Annotated[float, Meta(ge=-500, le=1000)] = 0.0
    preroll_ms: Annotated[int, Meta(ge=0, le=1000)] = 120
    motion_lead_ms: Annotated[int, Meta(ge=0, le=500)] = 20
    speech_ahead_ms: Annotated[int, Meta(ge=100, le=5_000)] = 1_000
    fade_ms: Annotated[int, Meta(ge=1, le=100)] = 5
    rebuffer_ms: Annotated[int, Meta(ge=0, le=5_000)] = 80
    rebuffer_max_ms: Annotated[int, Meta(ge=0, le=5_000)] = 640
    idle_release_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    wake_ms: Annotated[int, Meta(ge=0, le=5_000)] = 300


class FaceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[face]: the screen, the avatar and the motion model. An empty path means the shipped one.

    width and height 0: the screen's own size.
    """

    renderer: Literal["gles", "headless"] = "gles"
    avatar: str = ""
    model: str = ""
    width: Annotated[int, Meta(ge=0, le=4096)] = 720
    height: Annotated[int, Meta(ge=0, le=4096)] = 1280
    fps: Annotated[int, Meta(ge=1, le=120)] = 30
    fullscreen: bool = False
    quarter_turns: Annotated[int, Meta(ge=0, le=3)] = 0
    display_latency_ms: Annotated[float, Meta(ge=-500, le=1000)] = 0.0
    calibration: bool = False
    seed: int = 1
    status_line: bool = False


class CaptionsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[captions]: what is said, as text over the picture. size: of the letters, 1 is the usual."""

    enabled: bool = False
    lines: Annotated[int, Meta(ge=1, le=3)] = 2
    size: Annotated[float, Meta(ge=0.5, le=2)] = 1.0


class AccessConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[access]: who may connect from beyond this machine. keys: the folder that `mien keys` fills."""

    keys: str = "/etc/mien/keys"


class JournalConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[journal]: the log of every session, as JSON lines. folder: "" is $LOGS_DIRECTORY, or journal/ in the run_dir."""

    enabled: bool = True
    folder: str = ""
    max_file_kb: Annotated[int, Meta(ge=16, le=1_000_000)] = 2_048
    files: Annotated[int, Meta(ge=1, le=100)] = 4
    audio: bool = False
    audio_max_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 64


class LogConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[log]."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. run_dir: where the local sockets live; "" finds the usual place (see mien.host.rundir)."""

    run_dir: str = ""
    voice: VoiceConfig = VoiceConfig()
    playback: PlaybackConfig = PlaybackConfig()
    access: AccessConfig = AccessConfig()
    journal: JournalConfig = JournalConfig()
    face: FaceConfig = FaceConfig()
    captions: CaptionsConfig = CaptionsConfig()
    log: LogConfig = LogConfig()


def load_config(path: Path | None, overrides: dict[str, Any] | None = None) -> Config:
    """Read a file (None: /etc/mien/mien.toml where there is one, else the defaults) and lay overrides over it.

    overrides: dotted keys, such as {"playback.sink": "null"}. Raises ConfigError with the path and the remedy.
    """
    if path is None and SYSTEM_CONFIG.exists():
        path = SYSTEM_CONFIG
    tree = {} if path is None else _read_toml(path)
    for dotted, value in (overrides or {}).items():
        section, _, key = dotted.rpartition(".")
        table = tree.setdefault(section, {}) if section else tree
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: '{section}' must be a table")
        table[key] = value
    return parse_config(tree, str(path or "defaults"))


def parse_overrides(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Command-line overrides KEY=VALUE into dotted keys; VALUE is TOML, or plain text. Raises ConfigError."""
    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {pair}: write KEY=VALUE, such as playback.sink=null")
        try:
            overrides[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            overrides[key] = text
    return overrides


def parse_config(tree: dict[str, Any], origin: str) -> Config:
    """Check a parsed TOML tree. origin: the file's name for messages. Raises ConfigError."""
    try:
        config = msgspec.convert(tree, Config, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_explain(str(error))}") from None
    for index, endpoint in enumerate(config.voice.listen):
        if not re.fullmatch(r"tcp://(\*|\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5}|\*)|ipc://.+", endpoint):
            raise ConfigError(f"{origin}: voice.listen[{index}]: '{endpoint}' is not tcp://ADDRESS:PORT or ipc://PATH")
    return config


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _explain(text: str) -> str:
    """msgspec's '<what> - at `$.a.b`' as 'a.b: what', with the nearest key for an unknown one."""
    what, _, where = text.partition(" - at `$")
    path = where.rstrip("`").lstrip(".")
    unknown = re.search(r"unknown field `(.*)`", what)
    if not unknown:
        return f"{path}: {what}" if path else what
    key = unknown.group(1)
    struct: Any = _sections().get(path, Config)
    near = difflib.get_close_matches(key, struct.__struct_fields__, n=1, cutoff=0.5)
    advice = f"did you mean '{near[0]}'?" if near else f"the keys here are {', '.join(struct.__struct_fields__)}"
    return f"{path + '.' if path else ''}{key}: no such key; {advice}"


def _sections() -> dict[str, type[Struct]]:
    return {"voice": VoiceConfig, "playback": PlaybackConfig, "access": AccessConfig, "journal": JournalConfig,
            "face": FaceConfig, "captions": CaptionsConfig, "log": LogConfig}
