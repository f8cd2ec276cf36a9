"""`event` (QoS 1): what happened at a board, in order, at least once.

Every event carries the queue that it comes from and its number there. Numbers of one queue rise by one: a repeated one
is a redelivery, a missing one was lost, and `dropped` says which the board itself gave up. A new queue name means that
the board lost its old queue. Fields with personal data begin with `pii.`, and are left out unless link.toml permits
them.
"""

from typing import Annotated, Literal, TypeAlias, TypeGuard

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(max_length=200)]
Said = Annotated[str, Meta(max_length=2000)]
CallState: TypeAlias = Literal["open", "accepted", "declined", "withdrawn", "timed_out"]


class EventBase(Struct, frozen=True, kw_only=True, tag_field="type"):
    """at: UTC seconds; null while the clock is not set. mono_s: seconds since the board's start."""

    queue: Text
    seq: Annotated[int, Meta(ge=0)]
    at: float | None = None
    mono_s: float = 0.0


class Turn(EventBase, frozen=True, kw_only=True, tag="turn"):
    """A turn finished. latency_ms: from its first audio to its first sound."""

    client: Text
    turn: Text
    reason: Text
    heard_ms: float
    latency_ms: float | None = None
    stalls: int = 0
    text: Said | None = field(name="pii.text", default=None)


class Visit(EventBase, frozen=True, kw_only=True, tag="visit"):
    """A visit began, or ended with reason and figures. questions: only where what is said may be told."""

    visit: Text
    ended: bool
    language: Text = ""
    reason: Text = ""
    duration_s: float | None = None
    turns: int | None = None
    answered: int | None = None
    unanswered: int | None = None
    handed_over: bool = False
    questions: tuple[Said, ...] | None = field(name="pii.questions", default=None)


class Fault(EventBase, frozen=True, kw_only=True, tag="fault"):
    """Something failed, or works again.

    part: voice, face, ear, link, sound, screen, disk, heat, power, clock or update.
    """

    part: Text
    failed: bool
    what: Text = ""


class Level(EventBase, frozen=True, kw_only=True, tag="level"):
    """The degradation level changed."""

    level: Text
    why: Text = ""


class Call(EventBase, frozen=True, kw_only=True, tag="call"):
    """A customer asks for a person, or the call ended. state: open, accepted, declined, withdrawn, timed_out."""

    call: Text
    state: CallState
    by: Text = ""
    in_s: int = 0
    language: Text = ""
    waited_s: float | None = None
    question: Said | None = field(name="pii.question", default=None)


class FloorChanged(EventBase, frozen=True, kw_only=True, tag="floor"):
    """An agent took the floor (holder) or gave it back (holder empty). note: for the voice agent."""

    holder: Text
    why: Text = ""
    note: Said | None = field(name="pii.note", default=None)


class Relayed(EventBase, frozen=True, kw_only=True, tag="relayed"):
    """What became of a text that a user had the kiosk say, or whispered to it.

    relay: as the command's answer names it. outcome: said, to its end; cut; kept; or unused, for the reason why.
    """

    relay: Text
    outcome: Literal["said", "cut", "kept", "unused"]
    why: Text = ""


class Commanded(EventBase, frozen=True, kw_only=True, tag="command"):
    """Who commanded what, and what became of it. code: of a refusal."""

    command: Text
    user: Text
    role: Text
    ok: bool
    code: Text = ""


class Update(EventBase, frozen=True, kw_only=True, tag="update"):
    """A stage of an update: downloading, installing, restarting, good, failed, rolled_back, cancelled."""

    action: Text
    stage: Text
    version: Text = ""
    what: Text = ""


class Lifecycle(EventBase, frozen=True, kw_only=True, tag="link"):
    """The link started, connected, lost the broker or stops."""

    what: Literal["started", "connected", "disconnected", "stopping"]
    why: Text = ""


class Dropped(EventBase, frozen=True, kw_only=True, tag="dropped"):
    """The queue was full: these events are gone."""

    count: int
    first_seq: int
    last_seq: int


Event: TypeAlias = (
    Turn | Visit | Fault | Level | Call | FloorChanged | Relayed | Commanded | Update | Lifecycle | Dropped
)


def is_event(happened: EventBase) -> TypeGuard[Event]:
    """Whether it is one of the union: all but the base itself are."""
    return type(happened) is not EventBase
