"""The ladder is a table: every row."""

import pytest

from mien.core.degradation import Action, Event, Level, step


@pytest.mark.parametrize(
    ("level", "event", "new", "action"),
    [
        (Level.FULL, Event.MODEL_LOST, Level.ENVELOPE, Action.USE_ENVELOPE),
        (Level.FULL, Event.FACE_LOST, Level.AUDIO_ONLY, Action.DROP_FACE),
        (Level.ENVELOPE, Event.FACE_LOST, Level.AUDIO_ONLY, Action.DROP_FACE),
        (Level.ENVELOPE, Event.MODEL_BACK, Level.FULL, Action.USE_MODEL),
        (Level.AUDIO_ONLY, Event.FACE_BACK, Level.FULL, Action.AWAIT_FACE),
        (Level.SILENT, Event.SINK_BACK, Level.AUDIO_ONLY, Action.AWAIT_FACE),
        *(
            (level, Event.SINK_LOST, Level.SILENT, Action.RETRY_SINK)
            for level in (Level.FULL, Level.ENVELOPE, Level.AUDIO_ONLY)
        ),
    ],
)
def test_moves(level, event, new, action):
    move = step(level, event)
    assert move is not None
    assert (move.old, move.new, move.action) == (level, new, action)


def test_everything_else_changes_nothing():
    moves = [(level, event) for level in Level for event in Event if step(level, event) is not None]
    assert len(moves) == 9
    assert step(Level.SILENT, Event.FACE_LOST) is None


def test_it_climbs_between_turns_but_a_face_may_rejoin_at_once():
    assert step(Level.SILENT, Event.SINK_BACK, between_turns=False) is None
    assert step(Level.ENVELOPE, Event.MODEL_BACK, between_turns=False) is None
    assert step(Level.AUDIO_ONLY, Event.FACE_BACK, between_turns=False) is not None


def test_levels_are_named_on_the_wire():
    """PROTOCOL.md names them, and the face reports them by these names."""
    assert [level.value for level in Level] == ["full", "envelope", "audio_only", "silent"]


def test_a_move_tells_its_event():
    move = step(Level.FULL, Event.MODEL_LOST)
    assert move is not None
    assert move.event is Event.MODEL_LOST
