"""The ladder of degradation, as a table: (level, event) -> (level, action). No timers, no side effects."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How much of mien works, best first."""

    FULL = "full"
    ENVELOPE = "envelope"  # the model is lost: the jaw follows loudness
    AUDIO_ONLY = "audio_only"  # no face
    SILENT = "silent"  # no sound card: time goes on, the device is retried


class Event(Enum):
    """What can happen to a level."""

    MODEL_LOST = "model_lost"
    MODEL_BACK = "model_back"
    FACE_LOST = "face_lost"
    FACE_BACK = "face_back"
    SINK_LOST = "sink_lost"
    SINK_BACK = "sink_back"


class Action(Enum):
    """What whoever steps the ladder must do about it."""

    NONE = "none"
    USE_ENVELOPE = "use_envelope"
    USE_MODEL = "use_model"
    DROP_FACE = "drop_face"
    AWAIT_FACE = "await_face"
    RETRY_SINK = "retry_sink"


@dataclass(frozen=True, slots=True)
class Step:
    """One move: both levels, the event that caused it, and what to do."""

    old: Level
    new: Level
    event: Event
    action: Action


_TABLE: dict[tuple[Level, Event], tuple[Level, Action]] = {
    (Level.FULL, Event.MODEL_LOST): (Level.ENVELOPE, Action.USE_ENVELOPE),
    (Level.FULL, Event.FACE_LOST): (Level.AUDIO_ONLY, Action.DROP_FACE),
    (Level.FULL, Event.SINK_LOST): (Level.SILENT, Action.RETRY_SINK),
    (Level.ENVELOPE, Event.MODEL_BACK): (Level.FULL, Action.USE_MODEL),
    (Level.ENVELOPE, Event.FACE_LOST): (Level.AUDIO_ONLY, Action.DROP_FACE),
    (Level.ENVELOPE, Event.SINK_LOST): (Level.SILENT, Action.RETRY_SINK),
    (Level.AUDIO_ONLY, Event.FACE_BACK): (Level.FULL, Action.AWAIT_FACE),
    (Level.AUDIO_ONLY, Event.SINK_LOST): (Level.SILENT, Action.RETRY_SINK),
    (Level.SILENT, Event.SINK_BACK): (Level.AUDIO_ONLY, Action.AWAIT_FACE),
}
_CLIMBS = frozenset({Event.MODEL_BACK, Event.SINK_BACK})


def step(level: Level, event: Event, *, between_turns: bool = True) -> Step | None:
    """The move that an event causes, or None.

    Climbing back waits until no turn is being played, but for the face: its return is seen, not heard, and it must be
    lip-synced again in mid-sentence.
    """
    if event in _CLIMBS and not between_turns:
        return None
    found = _TABLE.get((level, event))
    return None if found is None else Step(level, found[0], event, found[1])
