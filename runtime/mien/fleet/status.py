"""`status` (retained, QoS 1, with a Will), `health` (retained, QoS 0, each ten seconds) of a board.

Readers ignore keys that they do not know. What a board cannot tell is null, never a guess.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(max_length=200)]
Ratio = Annotated[float, Meta(ge=0, le=1)]


class Avatar(Struct, frozen=True, kw_only=True):
    """The avatar on the screen. sha256: of its baked file, by which a console finds the same one."""

    name: Text
    sha256: Annotated[str, Meta(max_length=64)] = ""


class Floor(Struct, frozen=True, kw_only=True):
    """Who speaks through the board in place of its agent. since: UTC seconds."""

    holder: Text
    since: float


class Visit(Struct, frozen=True, kw_only=True):
    """The visit that goes on. phase: as the voice agent names it."""

    visit: Text
    phase: Text
    language: Text = ""
    since: float | None = None


class Call(Struct, frozen=True, kw_only=True):
    """A customer asks for a person. since: UTC seconds. question: only where the configuration tells what was said."""

    call: Text
    since: float
    language: Text = ""
    accepted_by: Text = ""
    question: Annotated[str, Meta(max_length=500)] | None = field(name="pii.question", default=None)


class Watchers(Struct, frozen=True, kw_only=True):
    """Users to whom the board streams now. hearing: those who hear its microphone."""

    watching: tuple[Text, ...] = ()
    hearing: tuple[Text, ...] = ()


class Status(Struct, frozen=True, kw_only=True):
    """The state of a board, whole, on every change.

    online false is also the Will: the broker sends it when the board is gone, with every other key at its default.
    at: UTC seconds of the change; null while the clock is not set. level: of degradation, or "no_voice". phase: of the
    voice. ear: its state. slot: of the system, as RAUC names it. update: the stage of an update that is under way,
    or failed, rolled_back: how the last one ended.
    clock: "unset" is a clock before the build of this software.
    """

    online: bool
    at: float | None = None
    site: Text = ""
    board: Text = ""
    version: Text = ""
    image: Text = ""
    slot: Text = ""
    model: Text = ""
    motion: Text = ""
    avatar: Avatar | None = None
    level: Literal["full", "envelope", "audio_only", "silent", "no_voice"] = "no_voice"
    phase: Literal["idle", "preroll", "speaking", "stalled", "paused"] = "idle"
    speaker: Text = ""
    session: Text = ""
    floor: Floor | None = None
    visit: Visit | None = None
    call: Call | None = None
    ear: Text = "absent"
    volume: Ratio | None = None
    screen: Literal["on", "dim", "blank", "off", "none"] = "none"
    brightness: Ratio | None = None
    draining: bool = False
    update: Text = ""
    clock: Literal["synchronized", "free", "unset"] = "free"
    started: float | None = None
    watchers: Watchers = Watchers()
    allowed: tuple[Text, ...] = ()
    """Commands that this board's configuration permits."""


class Health(Struct, frozen=True, kw_only=True):
    """Measurements. MB are 10^6 bytes. Offsets: pose shown minus sound heard. latency_*: request to first sound of the
    last turns. sound: as observed at the card. queue_events: events that wait for the broker."""

    at: float | None = None
    uptime_s: float | None = None
    fps: float | None = None
    frames_missed: int | None = None
    offset_median_ms: float | None = None
    offset_p95_ms: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    heard_s: float | None = None
    turns: int | None = None
    stalls: int | None = None
    voice_mb: float | None = None
    face_mb: float | None = None
    ear_mb: float | None = None
    link_mb: float | None = None
    memory_free_mb: float | None = None
    load: float | None = None
    temperature_c: float | None = None
    throttled: tuple[Text, ...] | None = None
    screen: Text | None = None
    sound: Literal["open", "released", "lost"] | None = None
    ear: Text | None = None
    echo_db: float | None = None
    disk_free_mb: float | None = None
    disk_used: Ratio | None = None
    clock_synchronized: bool | None = None
    signal_dbm: float | None = None
    queue_events: int = 0
    events_dropped: int = 0
    reconnects: int = 0
    counters: dict[Annotated[str, Meta(max_length=64)], int] = {}


def will() -> bytes:
    """The Will of every board."""
    return msgspec.json.encode({"online": False})
