"""The file that `mien bench board` writes: its fields, with a check of each on reading.

A figure that could not be measured is null and carries the reason. A field is never left out.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from mien.errors import MienError

SCHEMA: Final = 1
MAX_FILE_BYTES: Final = 1_000_000
Kind = Literal["board", "emulated", "desktop"]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z", max_length=60)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f|]*\Z", max_length=300)]
"""One line for a cell of a table."""
Positive = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of everything in the file."""


class Fact(Part, frozen=True):
    """What the machine says about itself; None with the reason if it says nothing."""

    value: Line | None
    reason: Line = ""

    def __post_init__(self) -> None:
        _either(self.value, self.reason)


class Figure(Part, frozen=True):
    """One measured number; None with the reason if it could not be measured."""

    value: float | None
    reason: Line = ""

    def __post_init__(self) -> None:
        _either(self.value, self.reason)


class Spread(Part, frozen=True):
    """Percentiles of `samples` measurements; None with the reason if there are none."""

    p50: float | None
    p95: float | None
    p99: float | None
    samples: Count
    reason: Line = ""

    def __post_init__(self) -> None:
        for value in (self.p50, self.p95, self.p99):
            _either(value, self.reason)
        if (self.samples == 0) != (self.p50 is None):
            raise ValueError("samples must be 0 exactly where there are no percentiles")


class Facts(Part, frozen=True):
    """The machine. sink: what played: alsa, or null, an ideal device without sound.

    load_before: the mean number of running processes in the minute before the run. commit: of mien's source. settings:
    configuration keys that differ from their defaults and may change a figure.
    """

    model: Fact
    processor: Fact
    cores: Count
    memory_mb: Figure
    architecture: Line
    kernel: Line
    distribution: Fact
    python: Line
    interpreter: Fact
    gl_renderer: Fact
    screen: Fact
    sound_card: Fact
    sink: Literal["alsa", "null"]
    load_before: Positive
    mien: Line
    commit: Fact
    settings: tuple[Line, ...]


class Latency(Part, frozen=True):
    """Milliseconds since the first chunk was sent, or since the interrupt.

    burst: the speech was sent at once. stream: it was sent in real time, 20 ms at a time. underruns: of the sound card,
    in the whole run.
    """

    first_sound_burst_ms: Spread
    first_sound_stream_ms: Spread
    first_motion_burst_ms: Spread
    first_motion_stream_ms: Spread
    barge_in_sound_ms: Spread
    barge_in_lips_ms: Spread
    underruns: Figure


class Offset(Part, frozen=True):
    """The pose shown minus the audio heard, by mien's own clocks: not what a camera sees. absolute_ms: |offset|."""

    median_ms: Figure
    absolute_ms: Spread


class FrameTime(Part, frozen=True):
    """Time to draw and finish one frame of this size, offscreen, in ms. device: the GL renderer that drew it."""

    width: Count
    height: Count
    device: Fact
    drawn_ms: Spread


class OnScreen(Part, frozen=True):
    """The talking face in its own window. interval_ms: between frames. missed_percent: of the display's frames."""

    size: Fact
    interval_ms: Spread
    missed_percent: Figure


class Use(Part, frozen=True):
    """A service's use. cpu_percent: of one core. pss_mb, rss_mb: memory at the end, MB of 10**6 bytes."""

    cpu_percent: Figure
    pss_mb: Figure
    rss_mb: Figure


class Service(Part, frozen=True):
    """A service without speech, then while it talks without a pause."""

    name: Literal["voice", "face"]
    idle: Use
    talking: Use


class Throttling(Part, frozen=True):
    """Warnings of the Pi's firmware; None with the reason where nothing reports them.

    during: seen at some time during the run. since_boot: recorded since the start of the board. source: who reports.
    """

    during: tuple[Line, ...] | None
    since_boot: tuple[Line, ...] | None
    source: Line = ""
    reason: Line = ""

    def __post_init__(self) -> None:
        _either(self.during, self.reason)
        _either(self.since_boot, self.reason)


class Heat(Part, frozen=True):
    """Temperature of the hottest zone, and the processor's frequency, over the whole run."""

    start_c: Figure
    highest_c: Figure
    end_c: Figure
    lowest_mhz: Figure
    highest_mhz: Figure
    throttling: Throttling


class Loaded(Part, frozen=True):
    """First sound beside `processes` processes that are busy all the time, at ordinary priority."""

    processes: Count
    first_sound_burst_ms: Spread


class BoardReport(Part, frozen=True):
    """The whole file. minutes: as asked for; took_s: as it took. note: what a reader should know about the machine."""

    schema: Literal[1]
    name: Name
    kind: Kind
    note: Line
    date: Day
    minutes: Positive
    took_s: Positive
    facts: Facts
    latency: Latency
    offset: Offset
    frames: Annotated[tuple[FrameTime, ...], Meta(min_length=1)]
    on_screen: OnScreen
    services: Annotated[tuple[Service, ...], Meta(min_length=2, max_length=2)]
    heat: Heat
    loaded: Loaded


Measured: TypeAlias = Figure | Spread


class _Version(Struct, frozen=True):
    schema: int


def read_report(path: Path) -> BoardReport:
    """Read and check a file. Raises MienError with the file's name and the field."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise MienError(f"{path.name}: larger than {MAX_FILE_BYTES} bytes; not a file of `mien bench board`")
        report = parse_report(path.read_bytes(), path.name)
    except OSError as error:
        raise MienError(f"{path.name}: {error.strerror}") from None
    if report.name != path.stem:
        raise MienError(f"{path.name}: its name is '{report.name}': call the file {report.name}.json")
    return report


def parse_report(text: bytes, origin: str) -> BoardReport:
    """Check the text of a file. origin: its name, for messages. Raises MienError."""
    try:
        version = msgspec.json.decode(text, type=_Version).schema
        if version != SCHEMA:
            raise MienError(f"{origin}: schema {version}, but this mien reads {SCHEMA}: use the mien that wrote it")
        return msgspec.json.decode(text, type=BoardReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MienError(f"{origin}: not a file of `mien bench board`: {error}") from None


def as_json(report: BoardReport) -> bytes:
    """The text of a file. Raises MienError if a field breaks the schema, which is a bug."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    parse_report(text, report.name)
    return text


def _either(value: object, reason: str) -> None:
    if (value is None) != bool(reason):
        raise ValueError("null needs a reason, and a value has none")
