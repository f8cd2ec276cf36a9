"""The configuration: one TOML file, parsed into frozen structs.

mien.toml beside this file lists every key at its default; a test keeps it so. A file may leave out any key. Unknown
keys are refused with their path and the nearest key that exists.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from mien.errors import ConfigError
from mien.printable import has_control_characters, printable
from mien.units import minutes_of_day

SYSTEM_CONFIG = Path("/etc/mien/mien.toml")
SHIPPED_CONFIG = Path(__file__).parent / "mien.toml"
MAX_FILE_BYTES: Final = 1_000_000
SOCKET_PATH_BYTES: Final = 107
"""sun_path has 108 bytes (unix(7)); the last one is NUL."""
_ENDPOINT: Final = re.compile(r"tcp://(?:\*|\[[0-9a-fA-F:]+\]|[\w.-]+):(?P<port>\d{1,5}|\*)|ipc://(?P<path>.+)")
_LAST_PORT: Final = 65_535
_ONE_LINE: Final = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*\Z"

PositiveMs = Annotated[int, Meta(ge=1, le=3_600_000)]


class VoiceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[voice]: the network side.

    listen: ZeroMQ endpoints in addition to the local socket, which the permissions of run_dir protect.
    """

    listen: tuple[str, ...] = ()
    max_clients: Annotated[int, Meta(ge=1, le=900)] = 16  # one descriptor each; the unit allows 1024
    max_turns: Annotated[int, Meta(ge=1, le=1000)] = 32
    max_buffer_ms: PositiveMs = 60_000
    max_turn_ms: PositiveMs = 600_000
    turn_idle_timeout_ms: PositiveMs = 10_000
    progress_ms: Annotated[int, Meta(ge=20, le=5_000)] = 200
    max_clients_each: Annotated[int, Meta(ge=1, le=900)] = 8
    max_messages_per_s: Annotated[int, Meta(ge=10, le=1_000_000)] = 5_000
    max_kb_per_s: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    max_pause_ms: PositiveMs = 60_000
    floor_vanish_timeout_ms: PositiveMs = 3_000
    floor_idle_timeout_ms: PositiveMs = 300_000


class PlaybackConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[playback]: the sound card and when a turn opens.

    headphone_jack: the input device of a jack with a switch; "" none. headphones: the card's name for what is plugged
    in; "": it is `device` too.
    """

    sink: Literal["alsa", "null", "wav"] = "alsa"
    device: str = "default"
    wav_path: str = "mien.wav"
    rate_hz: Literal[8000, 16000, 22050, 24000, 32000, 44100, 48000] = 48_000
    volume: Annotated[float, Meta(ge=0, le=1)] = 1.0
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
    headphone_jack: str = ""
    headphones: str = ""
    headphone_volume: Annotated[float, Meta(ge=0, le=1)] = 0.3


class FaceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[face]: the screen, the avatar and the motion model. An empty path means the shipped one.

    width and height 0: the screen's own size. display: which of several screens, from 0. background: see face/backdrop.
    logo: a PNG file. languages: of what the face itself says; empty: that of mien converse.
    """

    renderer: Literal["gles", "headless"] = "gles"
    avatar: str = ""
    model: str = ""
    width: Annotated[int, Meta(ge=0, le=4096)] = 720
    height: Annotated[int, Meta(ge=0, le=4096)] = 1280
    fps: Annotated[int, Meta(ge=1, le=120)] = 30
    idle_fps: Annotated[int, Meta(ge=0, le=120)] = 12
    fullscreen: bool = False
    display: Annotated[int, Meta(ge=0, le=15)] = 0
    quarter_turns: Annotated[int, Meta(ge=0, le=3)] = 0
    background: str = ""
    logo: str = ""
    logo_corner: Literal["top_left", "top_right", "bottom_left", "bottom_right"] = "top_left"
    display_latency_ms: Annotated[float, Meta(ge=-500, le=1000)] = 0.0
    calibration: bool = False
    seed: int = 1
    status_line: bool = False
    languages: Annotated[tuple[Literal["en", "de", "es"], ...], Meta(max_length=3)] = ()


class EarConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[ear]: the microphone. channel: which of the card's channels, from 0. delay_ms, as `mien ear calibrate` found it.

    mute_key: an input device under /dev/input whose KEY_MICMUTE mutes; "" none.
    """

    enabled: bool = False
    source: Literal["alsa", "null", "wav"] = "alsa"
    device: str = "default"
    wav_path: str = ""
    rate_hz: Annotated[int, Meta(ge=8_000, le=96_000)] = 48_000
    channels: Annotated[int, Meta(ge=1, le=8)] = 1
    channel: Annotated[int, Meta(ge=0, le=7)] = 0
    echo_cancellation: bool = True
    noise_suppression: Literal["off", "low", "moderate", "high", "very_high"] = "moderate"
    gain_control: bool = False
    delay_ms: Annotated[float, Meta(ge=-500, le=500)] = 0.0
    vad_start: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    vad_stop: Annotated[float, Meta(gt=0, lt=1)] = 0.35
    onset_ms: Annotated[int, Meta(ge=0, le=1_000)] = 96
    hangover_ms: Annotated[int, Meta(ge=50, le=5_000)] = 300
    preroll_ms: Annotated[int, Meta(ge=0, le=2_000)] = 300
    muted: bool = False
    mute_key: str = ""
    observers_may_listen: bool = False


class BargeInConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[barge_in]: what the voice does by itself when the customer speaks over a turn.

    min_speech_ms: how long the customer's sound lasts before a pause or an interrupt. guard_ms: after a turn's opening,
    within which nothing happens. default: after window_ms without a client's decision.
    """

    mode: Literal["off", "duck", "pause", "interrupt"] = "off"
    min_speech_ms: Annotated[int, Meta(ge=0, le=5_000)] = 160
    guard_ms: Annotated[int, Meta(ge=0, le=10_000)] = 200
    duck_db: Annotated[float, Meta(ge=0, le=60)] = 12.0
    window_ms: Annotated[int, Meta(ge=0, le=10_000)] = 1_000
    default: Literal["interrupt", "resume"] = "interrupt"


class ConverseConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[converse]: mien converse, the voice agent. Paths and models: "" is what ships.

    question_ms, end_ms, open_ms: silence that ends the customer's turn after a question, after another complete
    sentence, and after an open one. filler_ms,
    deadline_ms: after the decision, without an answer.
    """

    knowledge: str = ""
    language: Literal["en", "de", "auto"] = "en"
    forbidden: tuple[str, ...] = ()
    question_ms: Annotated[int, Meta(ge=200, le=5_000)] = 350
    end_ms: Annotated[int, Meta(ge=200, le=5_000)] = 450
    open_ms: Annotated[int, Meta(ge=200, le=10_000)] = 1_100
    filler_ms: Annotated[int, Meta(ge=200, le=10_000)] = 900
    deadline_ms: Annotated[int, Meta(ge=300, le=30_000)] = 2_800
    hear: Literal["whisper", "url"] = "whisper"
    hear_model: str = "tiny.en"
    hear_url: str = ""
    hear_key_file: str = ""
    think: Literal["knowledge", "url"] = "knowledge"
    think_threshold: Annotated[float, Meta(ge=-1, le=2)] = 0.3
    think_url: str = ""
    think_model: str = "default"
    think_prompt: str = ""
    think_key_file: str = ""
    speak: Literal["auto", "piper", "espeak-ng", "flite", "url"] = "auto"
    speak_voice: str = ""
    speak_python: str = ""
    speak_url: str = ""
    speak_model: str = "tts-1"
    speak_key_file: str = ""
    cache: str = ""


class VisitConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[visit]: what mien converse does around a conversation. greeting: "" is mien's own; the notice is always given.

    greet_after_ms: of somebody's presence. idle_s: silence until more time is offered, extend_s until the goodbye after
    that. left_s: since sensors saw nobody. call_s: until a person who was called counts as absent. attract: idle lines,
    every attract_every_s, never in quiet hours. buttons: person, repeat, louder, quieter, slower, captions, language,
    goodbye, a question.
    qr: shown as a QR code for qr_s when nobody answers a call; "" none.
    log: the folder of the log of visits, "" none. keep_days: of its files. keep_text: of questions without an answer.
    """

    enabled: bool = False
    greeting: str = ""
    consent: bool = False
    greet_after_ms: Annotated[int, Meta(ge=200, le=60_000)] = 1_500
    idle_s: Annotated[int, Meta(ge=10, le=3_600)] = 45
    extend_s: Annotated[int, Meta(ge=20, le=3_600)] = 20
    left_s: Annotated[int, Meta(ge=2, le=600)] = 8
    call_s: Annotated[int, Meta(ge=5, le=3_600)] = 60
    qr: Annotated[str, Meta(max_length=300, pattern=_ONE_LINE)] = ""
    qr_s: Annotated[int, Meta(ge=10, le=600)] = 60
    log: str = ""
    keep_days: Annotated[int, Meta(ge=0, le=3_650)] = 30
    keep_text: bool = False
    attract: tuple[str, ...] = ()
    attract_every_s: Annotated[int, Meta(ge=60, le=86_400)] = 600
    buttons: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=120)], ...], Meta(max_length=6)] = ()


class CaptionsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[captions]: what is said, as text over the frame. size: relative to the default."""

    enabled: bool = False
    lines: Annotated[int, Meta(ge=1, le=3)] = 2
    size: Annotated[float, Meta(ge=0.5, le=2)] = 1.0


class ChoicesConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[choices]: buttons that clients offer. numbers: show the key of each. size: of the text, relative to the default.

    ring: frame the button that Enter chooses from the start, where people have keys and no touch screen.
    """

    numbers: bool = False
    size: Annotated[float, Meta(ge=0.5, le=2)] = 1.0
    ring: bool = False


class ScreenConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[screen]: dimming and blanking. quiet_from, quiet_until: local time as "22:00"; "" for both: no quiet hours.

    diagonal_inches: of the visible screen; buttons are at least 9 mm high on it. dim: the brightness in quiet hours.
    off_after_s: seconds of silence until the screen goes off, in quiet hours, or at
    any time without them; 0 never.
    """

    diagonal_inches: Annotated[float, Meta(ge=2, le=120)] = 10.1
    quiet_from: str = ""
    quiet_until: str = ""
    dim: Annotated[float, Meta(ge=0, le=1)] = 0.3
    off_after_s: Annotated[int, Meta(ge=0, le=86_400)] = 0


class AccessConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[access]: who may connect from other machines. keys: the folder that `mien keys` fills."""

    keys: str = "/etc/mien/keys"


class JournalConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[journal]: the session log, as JSON lines. folder: "" is $LOGS_DIRECTORY, or journal/ in the run_dir."""

    enabled: bool = False
    folder: str = ""
    max_file_kb: Annotated[int, Meta(ge=16, le=1_000_000)] = 2_048
    files: Annotated[int, Meta(ge=1, le=100)] = 4
    audio: bool = False
    audio_max_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 64


class LogConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[log]."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. run_dir: the folder of the local sockets; "" for the default (see mien.host.rundir)."""

    run_dir: str = ""
    voice: VoiceConfig = VoiceConfig()
    playback: PlaybackConfig = PlaybackConfig()
    access: AccessConfig = AccessConfig()
    journal: JournalConfig = JournalConfig()
    ear: EarConfig = EarConfig()
    barge_in: BargeInConfig = BargeInConfig()
    face: FaceConfig = FaceConfig()
    captions: CaptionsConfig = CaptionsConfig()
    choices: ChoicesConfig = ChoicesConfig()
    converse: ConverseConfig = ConverseConfig()
    visit: VisitConfig = VisitConfig()
    screen: ScreenConfig = ScreenConfig()
    log: LogConfig = LogConfig()


def load_config(path: Path | None, overrides: dict[str, Any] | None = None) -> Config:
    """Read a file (None: /etc/mien/mien.toml if it exists, otherwise the defaults) and apply overrides.

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
    return parse_config(tree, printable(str(path or "defaults")))


def parse_overrides(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Command-line overrides KEY=VALUE into dotted keys; VALUE is TOML, or plain text. Raises ConfigError."""
    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {pair}: write KEY=VALUE, such as playback.sink=null")
        try:
            overrides[key] = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):  # TOMLDecodeError; a number with thousands of digits; deep brackets
            overrides[key] = text
    return overrides


def parse_config(tree: dict[str, Any], origin: str) -> Config:
    """Check a parsed TOML tree. origin: the file's name for messages. Raises ConfigError."""
    try:
        config = msgspec.convert(tree, Config, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_explain(str(error))}") from None
    if problem := next(_problems(config), None):
        raise ConfigError(f"{origin}: {problem}")
    return config


def _problems(config: Config) -> Iterator[str]:
    """Problems that types and bounds cannot express, with their path and the remedy."""
    for path, value in _leaves(msgspec.to_builtins(config), ""):
        if isinstance(value, str) and has_control_characters(value):
            yield f"{path}: '{printable(value)}' has control characters in it; leave them out"
    for index, endpoint in enumerate(config.voice.listen):
        if problem := _endpoint_problem(endpoint):
            yield f"voice.listen[{index}]: '{endpoint}' {problem}"
    yield from _screen_problems(config.screen)
    yield from _ear_problems(config.ear)
    yield from _converse_problems(config.converse)


def _screen_problems(screen: ScreenConfig) -> Iterator[str]:
    times = {"quiet_from": screen.quiet_from, "quiet_until": screen.quiet_until}
    if not any(times.values()):
        return
    minutes = []
    for key, text in times.items():
        try:
            minutes.append(minutes_of_day(text))
        except ValueError as error:
            yield f"screen.{key}: {error}; leave both times out for no quiet hours"
            return
    if minutes[0] == minutes[1]:
        yield (
            "screen.quiet_until: is quiet_from, which could mean never or always; leave both out for none, or "
            'write "00:00" and "24:00" for the whole day'
        )


def _ear_problems(ear: EarConfig) -> Iterator[str]:
    if ear.channel >= ear.channels:
        yield f"ear.channel: {ear.channel} is not one of the {ear.channels} channels, which count from 0"
    if ear.vad_stop > ear.vad_start:
        yield f"ear.vad_stop: {ear.vad_stop} is above vad_start, {ear.vad_start}; an utterance would end as it begins"
    if ear.source == "wav" and not ear.wav_path:
        yield "ear.wav_path: source is wav; name the file to read"


def _converse_problems(converse: ConverseConfig) -> Iterator[str]:
    for stage in ("hear", "think", "speak"):
        url = getattr(converse, f"{stage}_url")
        if getattr(converse, stage) == "url" and not url:
            yield f"converse.{stage}_url: {stage} is url; name it, such as http://localhost:8000/v1"
        if url and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
            yield f"converse.{stage}_url: '{url}' is not http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH"
    if converse.hear == "whisper" and converse.hear_model.endswith(".en") and converse.language != "en":
        yield (
            f"converse.language: '{converse.hear_model}' knows English only; set hear_model to "
            "base, or to a folder with a multilingual model"
        )
    if converse.end_ms < converse.question_ms:
        yield f"converse.end_ms: {converse.end_ms} is below question_ms, {converse.question_ms}"
    if converse.open_ms < converse.end_ms:
        yield f"converse.open_ms: {converse.open_ms} is below end_ms, {converse.end_ms}"


def _leaves(value: Any, path: str) -> Iterator[tuple[str, object]]:
    """Every value of a tree with its path, such as voice.listen[0]."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def _endpoint_problem(endpoint: str) -> str:
    """What is wrong with an endpoint; "" if it is valid."""
    found = _ENDPOINT.fullmatch(endpoint)
    if found is None:
        return "is not tcp://ADDRESS:PORT or ipc://PATH"
    port, path = found["port"], found["path"]
    if port not in (None, "*") and int(port) > _LAST_PORT:
        return f"has no port: they end at {_LAST_PORT}"
    if path is not None and path.startswith("@"):
        return "is an abstract socket, which has no permissions; name a path"
    if path is not None and len(os.fsencode(path)) > SOCKET_PATH_BYTES:
        return f"is too long: a socket's path has at most {SOCKET_PATH_BYTES} bytes"
    return ""


def _read_toml(path: Path) -> dict[str, Any]:
    shown = printable(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ConfigError(f"{shown}: has more than {MAX_FILE_BYTES} bytes; is it a configuration?")
        return tomllib.loads(content.decode("utf-8-sig"))  # editors on Windows write a byte order mark
    except FileNotFoundError:
        raise ConfigError(f"{shown}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{shown}: cannot be read: {printable(str(error))}") from None
    except RecursionError:
        raise ConfigError(f"{shown}: not valid TOML: brackets are nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and a number with thousands of digits
        raise ConfigError(f"{shown}: not valid TOML: {error}") from None


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
    return {
        "voice": VoiceConfig,
        "playback": PlaybackConfig,
        "access": AccessConfig,
        "journal": JournalConfig,
        "ear": EarConfig,
        "barge_in": BargeInConfig,
        "face": FaceConfig,
        "captions": CaptionsConfig,
        "screen": ScreenConfig,
        "log": LogConfig,
    }
