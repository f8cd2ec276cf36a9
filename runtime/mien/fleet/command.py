"""`command/ROLE/USER` (QoS 1, not retained) to a board, `answer/USER` (QoS 1) from it.

A command is {"id", "at", "command", ...its arguments}. `at` is UTC seconds at the sender: a command older than
`MAX_AGE_S`, from the future, or with an `id` that was seen before is refused and changes nothing. Unknown arguments are
errors. The role in the topic must permit the command; each role may do what the one before it may.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from mien.fleet.topics import ROLES, Role, Stream

MAX_AGE_S: Final = 30.0
MAX_SKEW_S: Final = 5.0
MAX_COMMAND_BYTES: Final = 8192

Id = Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Said = Annotated[str, Meta(min_length=1, max_length=2000)]
Note = Annotated[str, Meta(max_length=2000)]


class CommandBase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """id: chosen by the sender at random. at: UTC seconds."""

    id: Id
    at: float


class Ping(CommandBase, frozen=True, kw_only=True, tag="ping"):
    """Answered at once."""


class Thumbnail(CommandBase, frozen=True, kw_only=True, tag="thumbnail"):
    """What the screen shows: result {"jpeg": base64, "width", "height"}."""

    width: Annotated[int, Meta(ge=32, le=640)] = 320


class TakeFloor(CommandBase, frozen=True, kw_only=True, tag="take_floor"):
    """Speak in place of the kiosk's agent. queue: of the agent's waiting turns."""

    queue: Literal["hold", "drop"] = "hold"


class ReleaseFloor(CommandBase, frozen=True, kw_only=True, tag="release_floor"):
    """Give the floor back. note: for the kiosk's agent: what was agreed."""

    note: Note = ""


class Say(CommandBase, frozen=True, kw_only=True, tag="say"):
    """The kiosk's agent says this in its own voice."""

    text: Said


class Whisper(CommandBase, frozen=True, kw_only=True, tag="whisper"):
    """A text that only the kiosk's agent gets."""

    text: Said


class Interrupt(CommandBase, frozen=True, kw_only=True, tag="interrupt"):
    """Stop this user's own speech; the floor stays."""


class Caption(CommandBase, frozen=True, kw_only=True, tag="caption"):
    """The caption of this user's speech, for customers who do not hear."""

    text: Said


class AnswerCall(CommandBase, frozen=True, kw_only=True, tag="answer_call"):
    """Accept or decline the customer's call for a person. call: its id in `status`. in_s: when somebody comes."""

    call: Annotated[str, Meta(min_length=1, max_length=200)]
    coming: bool
    in_s: Annotated[int, Meta(ge=0, le=3600)] = 0


class Volume(CommandBase, frozen=True, kw_only=True, tag="volume"):
    """The speaker's gain."""

    gain: Annotated[float, Meta(ge=0, le=1)]


class Mute(CommandBase, frozen=True, kw_only=True, tag="mute"):
    """Mute or unmute the microphone."""

    muted: bool


class Screen(CommandBase, frozen=True, kw_only=True, tag="screen"):
    """Power and brightness of the screen. auto: by schedule and presence. brightness null: unchanged."""

    power: Literal["auto", "on", "off"] = "auto"
    brightness: Annotated[float, Meta(ge=0.05, le=1)] | None = None


class Restart(CommandBase, frozen=True, kw_only=True, tag="restart"):
    """Restart a service. `all`: voice, face, ear and voice agent."""

    service: Literal["voice", "face", "ear", "converse", "all"]


class Reboot(CommandBase, frozen=True, kw_only=True, tag="reboot"):
    """Restart the board, after the visit that goes on unless now is true."""

    now: bool = False


class Bundle(CommandBase, frozen=True, kw_only=True, tag="bundle"):
    """Collect logs, doctor's rows and the configuration without secrets. The result comes as `answer` messages with
    parts of a tar.gz: {"part", "parts", "data": base64, "sha256"}."""

    lines: Annotated[int, Meta(ge=0, le=20000)] = 2000


class Drain(CommandBase, frozen=True, kw_only=True, tag="drain"):
    """Take no new visitors, and answer once the visit that goes on is over. drain false: take visitors again."""

    drain: bool = True
    within_s: Annotated[int, Meta(ge=0, le=3600)] = 600


class Doctor(CommandBase, frozen=True, kw_only=True, tag="doctor"):
    """The rows of `mien doctor --json`."""


class Log(CommandBase, frozen=True, kw_only=True, tag="log"):
    """The last lines of a service's log. They may hold personal data: an operator's command."""

    service: Literal["voice", "face", "ear", "link", "converse"] = "voice"
    lines: Annotated[int, Meta(ge=1, le=500)] = 100


Command: TypeAlias = (
    Ping
    | Thumbnail
    | TakeFloor
    | ReleaseFloor
    | Say
    | Whisper
    | Interrupt
    | Caption
    | AnswerCall
    | Volume
    | Mute
    | Screen
    | Restart
    | Reboot
    | Bundle
    | Drain
    | Doctor
    | Log
)

_OBSERVER: Final[tuple[type[CommandBase], ...]] = (Ping, Thumbnail)
_AGENT: Final[tuple[type[CommandBase], ...]] = (
    TakeFloor,
    ReleaseFloor,
    Say,
    Whisper,
    Interrupt,
    Caption,
    AnswerCall,
    Volume,
    Mute,
)
_OPERATOR: Final[tuple[type[CommandBase], ...]] = (Screen, Restart, Reboot, Bundle, Drain, Doctor, Log)
_BY_ROLE: Final[tuple[tuple[Role, tuple[type[CommandBase], ...]], ...]] = (
    ("observer", _OBSERVER),
    ("agent", _AGENT),
    ("operator", _OPERATOR),
)
_LEAST: Final[dict[type[CommandBase], Role]] = {command: role for role, commands in _BY_ROLE for command in commands}


def least_role(command: type[CommandBase]) -> Role:
    """The lowest role that may give this command."""
    return _LEAST[command]


def permits(role: Role, command: type[CommandBase]) -> bool:
    """Whether this role may give this command."""
    return ROLES.index(role) >= ROLES.index(_LEAST[command])


class Refusal(Struct, frozen=True, kw_only=True):
    """Why nothing was done. path: of the field.

    code: bad_payload, stale, from_the_future, duplicate, clock_unset, not_permitted (the role), not_allowed_here (the
    board's configuration), busy, no_voice, no_speaker, floor_taken, floor_not_held, no_call, unavailable, failed.
    """

    code: str
    message: str
    path: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """What became of a command. state: running (more follow), done, refused, failed. at: UTC seconds of the board."""

    id: str
    command: str
    state: Literal["running", "done", "refused", "failed"]
    at: float | None = None
    error: Refusal | None = None
    result: dict[str, Any] = {}


class Watch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`watch/USER` (QoS 1, not retained): send me these streams for so long. No streams: stop.

    Repeated while a person looks.
    """

    streams: Annotated[tuple[Stream, ...], Meta(max_length=4)]
    for_s: Annotated[float, Meta(ge=0, le=60)] = 20.0


class CaptionLine(Struct, frozen=True, kw_only=True):
    """`live/caption` (QoS 0). who: kiosk, customer or agent. heard_ms: how much of the turn was heard at `at`."""

    at: float | None
    who: Literal["kiosk", "customer", "agent"]
    turn: str
    text: str
    final: bool = False
    heard_ms: float = 0.0
    words: tuple[tuple[str, int, int], ...] = ()
