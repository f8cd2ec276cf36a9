"""Which fields of `status` or `health` become which metric.

One table for both ways to Prometheus: `Metrics` renders it on the board, and monitoring/mqtt-exporter.yaml, made from
it, tells prometheus-mqtt-exporter the same for boards that cannot be scraped.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal["gauge", "counter"]
EAR_STATES: Final = {
    "absent": 0.0,
    "ok": 1.0,
    "muted": 2.0,
    "no_card": 3.0,
    "no_echo_reference": 4.0,
    "silent": 5.0,
    "clipping": 6.0,
    "loopback": 7.0,
}
LEVELS: Final = {"no_voice": 0.0, "silent": 1.0, "audio_only": 2.0, "envelope": 3.0, "full": 4.0}
FAILED_STAGES: Final = ("failed", "rolled_back")


class Field(NamedTuple):
    """A field of a payload as a metric.

    path: the field; with a dot, a key of a dict. scale: from the field's unit to the metric's. values: of a text, each
    as a number; `otherwise` is any other text. board: whether the board's own text has it too; figures that a board
    counts from events are left out there.
    """

    topic: Literal["status", "health"]
    path: str
    metric: str
    help: str
    kind: Kind = "gauge"
    scale: float = 1.0
    labels: Mapping[str, str] = {}
    values: Mapping[str, float] | None = None
    otherwise: float = 0.0
    board: bool = True


def _memory(process: str) -> Field:
    return Field(
        "health",
        f"{process}_mb",
        "mien_memory_bytes",
        "Memory of a process of mien.",
        scale=1e6,
        labels={"process": process},
    )


def _percentile(path: str, metric: str, text: str, percentile: str) -> Field:
    return Field("health", path, metric, text, scale=1e-3, labels={"percentile": percentile})


_OFFSET: Final = "Pose shown minus sound heard."
_LATENCY: Final = "Request to first sound, of the last turns."

FIELDS: Final[tuple[Field, ...]] = (
    Field("status", "online", "mien_online", "Whether the board is connected to its broker."),
    Field(
        "status",
        "level",
        "mien_level",
        "Degradation: 4 full, 3 envelope, 2 audio_only, 1 silent, 0 no voice.",
        values=LEVELS,
    ),
    Field("status", "draining", "mien_draining", "Whether the board takes no new visitors."),
    Field(
        "status",
        "screen",
        "mien_screen_on",
        "Whether the screen shows something: on or dim.",
        values={"on": 1.0, "dim": 1.0},
    ),
    Field("status", "volume", "mien_volume_ratio", "Gain of the speaker."),
    Field("status", "brightness", "mien_brightness_ratio", "Brightness of the screen."),
    Field(
        "status",
        "update",
        "mien_update_failed",
        "Whether the last update failed or was rolled back.",
        values=dict.fromkeys(FAILED_STAGES, 1.0),
    ),
    Field("status", "started", "mien_start_time_seconds", "When the voice started, since 1970."),
    Field(
        "status",
        "ear",
        "mien_ear_state",
        "Microphone: " + ", ".join(f"{number:g} {state}" for state, number in EAR_STATES.items()) + "; -1 any other.",
        values=EAR_STATES,
        otherwise=-1.0,
    ),
    Field("health", "uptime_s", "mien_uptime_seconds", "Since the board started."),
    Field("health", "fps", "mien_face_frames_per_second", "Frames that the face shows each second."),
    Field("health", "frames_missed", "mien_frames_missed_total", "Refreshes without a new frame.", kind="counter"),
    _percentile("offset_median_ms", "mien_av_offset_seconds", _OFFSET, "50"),
    _percentile("offset_p95_ms", "mien_av_offset_seconds", _OFFSET, "95"),
    _percentile("latency_p50_ms", "mien_turn_latency_recent_seconds", _LATENCY, "50"),
    _percentile("latency_p95_ms", "mien_turn_latency_recent_seconds", _LATENCY, "95"),
    *(_memory(process) for process in ("voice", "face", "ear", "link")),
    Field("health", "memory_free_mb", "mien_memory_free_bytes", "Memory of the board that is free.", scale=1e6),
    Field("health", "load", "mien_load_average", "Load of the board over a minute."),
    Field("health", "temperature_c", "mien_temperature_celsius", "Temperature of the processor."),
    Field(
        "health",
        "sound",
        "mien_sound_lost",
        "Whether the sound card is lost, as observed at the card.",
        values={"lost": 1.0},
    ),
    Field("health", "echo_db", "mien_echo_removed_decibels", "How much of the kiosk's own speech the ear removes."),
    Field("health", "disk_free_mb", "mien_disk_free_bytes", "Free on the data partition.", scale=1e6),
    Field("health", "disk_used", "mien_disk_used_ratio", "Used share of the data partition."),
    Field("health", "clock_synchronized", "mien_clock_synchronized", "Whether the clock follows a time server."),
    Field("health", "signal_dbm", "mien_wireless_signal_dbm", "Strength of the wireless network."),
    Field("health", "queue_events", "mien_events_queued", "Events that wait for the broker."),
    Field(
        "health",
        "events_dropped",
        "mien_events_dropped_total",
        "Events given up because the queue was full.",
        kind="counter",
    ),
    Field("health", "reconnects", "mien_broker_reconnects_total", "Connections to the broker anew.", kind="counter"),
    Field("health", "heard_s", "mien_heard_seconds_total", "Speech that was heard.", kind="counter", board=False),
    Field("health", "turns", "mien_turns_total", "Turns that finished.", kind="counter", board=False),
    Field(
        "health", "stalls", "mien_stalls_total", "Times speech stopped for want of sound.", kind="counter", board=False
    ),
)
