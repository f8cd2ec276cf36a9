"""Degradation levels as a pure table: (level, event) -> (level, action). No timers, no side effects."""

from dataclasses import dataclass
from enum import Enum, auto


class Level(Enum):
    """How much of mien works, best first."""

    FULL = "full"
    ENVELOPE = "envelope"  # the model is lost: the jaw follows loudness
    AUDIO_ONLY = "audio_only"  # no face
    SILENT = "silent"  # no sound card: time continues, the device is retried


class Event(Enum):
    """What changes a level."""

    MODEL_LOST = auto()
    MODEL_BACK = auto()
    FACE_LOST = auto()
    FACE_BACK = auto()
    SINK_LOST = auto()
    SINK_BACK = auto()


class Action(Enum):
    """What the caller must do after a transition."""

    NONE = auto()
    USE_ENVELOPE = auto()
    USE_MODEL = auto()
    DROP_FACE = auto()
    AWAIT_FACE = auto()
    RETRY_SINK = auto()


@dataclass(frozen=True, slots=True)
class Transition:
    """One transition: both levels, the event that caused it, and what to do."""

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
_RECOVERIES = frozenset({Event.MODEL_BACK, Event.SINK_BACK})


def step(level: Level, event: Event, *, between_turns: bool = True) -> Transition | None:
    """The transition that an event causes, or None.

    A recovery waits until no turn is being played. Only the face may return in mid-turn: its return is seen and not
    heard, and lip sync must resume.
    """
    if event in _RECOVERIES and not between_turns:
        return None
    found = _TABLE.get((level, event))
    return None if found is None else Transition(level, found[0], event, found[1])
