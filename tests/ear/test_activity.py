"""Utterances out of probabilities: hysteresis, onset, hangover, times of the sound itself."""

import pytest

from mien.core.ear_bus import UserStarted, UserStopped
from mien.ear.activity import Activity

MS = 1_000_000
QUIET, LOUD = -70.0, -30.0


class Script:
    """Chunks of 32 ms; each is a probability with the levels of its four parts."""

    def __init__(self, **chosen):
        self.activity = Activity(**({"start": 0.5, "stop": 0.35, "onset_ms": 96, "hangover_ms": 300} | chosen))
        self.end_ns = 0
        self.events = []
        self.play([(0.0, QUIET)] * 20)

    def play(self, chunks, *, allowed=True, needed=1, echo_db=-100.0):
        for probability, levels in chunks:
            levels = (levels,) * 4 if isinstance(levels, float) else levels
            self.end_ns += 32 * MS
            self.activity.wakes(levels, self.end_ns, echo_db)
            event = self.activity.chunk(probability, allowed=allowed, needed=needed)
            if event is not None:
                self.events.append((self.end_ns, event))
        return self


def test_an_utterance_is_dated_by_its_sound():
    script = Script()
    begins_ns = script.end_ns + 16 * MS
    script.play([(0.1, (QUIET, QUIET, LOUD, LOUD)), *[(0.9, LOUD)] * 10, (0.2, (LOUD, QUIET, QUIET, QUIET))])
    ends_ns = script.end_ns - 24 * MS
    script.play([(0.0, QUIET)] * 20)
    (known_ns, started), (_, stopped) = script.events
    assert isinstance(started, UserStarted)
    assert isinstance(stopped, UserStopped)
    assert started.at_ns == begins_ns
    assert known_ns - begins_ns >= 96 * MS
    assert (stopped.started_ns, stopped.utterance) == (begins_ns, started.utterance)
    assert abs(stopped.at_ns - ends_ns) <= 8 * MS
    assert started.confidence == pytest.approx(0.9, abs=0.01)


def test_a_sound_shorter_than_the_onset_starts_nothing():
    assert not Script(onset_ms=200).play([(0.9, LOUD), (0.9, LOUD), *[(0.0, QUIET)] * 10]).events
    assert len(Script(onset_ms=200).play([(0.9, LOUD)] * 10).events) == 1


def test_between_start_and_stop_an_utterance_goes_on_but_none_begins():
    script = Script().play([(0.4, LOUD)] * 30)
    assert not script.events
    script.play([(0.9, LOUD)] * 5).play([(0.4, LOUD)] * 30)
    assert [type(event) for _, event in script.events] == [UserStarted]


def test_a_pause_shorter_than_the_hangover_ends_nothing():
    script = Script().play([(0.9, LOUD)] * 5 + [(0.0, QUIET)] * 6 + [(0.9, LOUD)] * 5)
    assert len(script.events) == 1
    script.play([(0.0, QUIET)] * 20)
    assert len(script.events) == 2
    assert script.events[1][0] - script.events[1][1].at_ns < 340 * MS


def test_while_the_kiosk_speaks_one_chunk_is_not_enough():
    lone = [(0.9, LOUD), (0.0, LOUD), (0.0, LOUD)]
    assert not Script(onset_ms=0).play(lone * 5, needed=2).events
    assert Script(onset_ms=0).play(lone, needed=1).events
    assert Script(onset_ms=0).play([(0.9, LOUD), (0.0, LOUD), (0.9, LOUD)], needed=2).events


def test_what_is_not_allowed_starts_nothing_and_lets_an_utterance_end():
    script = Script().play([(0.99, LOUD)] * 30, allowed=False)
    assert not script.events
    script.play([(0.99, LOUD)] * 5).play([(0.99, LOUD)] * 12, allowed=False)
    assert [type(event) for _, event in script.events] == [UserStarted, UserStopped]


def test_what_is_left_of_the_echo_is_no_onset():
    script = Script().play([(0.0, -45.0)] * 10, needed=2, echo_db=-40.0)
    begins_ns = script.end_ns
    script.play([(0.9, LOUD)] * 6, needed=2, echo_db=-40.0)
    assert script.events[0][1].at_ns == begins_ns


def test_abandoning_forgets_a_beginning_and_ends_what_runs():
    script = Script().play([(0.9, LOUD)])
    assert script.activity.begins
    assert script.activity.abandon() is None
    assert not script.activity.begins
    script.play([(0.9, LOUD)] * 6)
    stopped = script.activity.abandon()
    assert stopped.utterance == 1
    assert not script.activity.speaking


def test_utterances_are_numbered_from_one():
    script = Script()
    for _ in range(3):
        script.play([(0.9, LOUD)] * 6 + [(0.0, QUIET)] * 20)
    assert [event.utterance for _, event in script.events] == [1, 1, 2, 2, 3, 3]
