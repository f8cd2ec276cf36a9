"""One turn of the motion thread's loop: what it reads, for how long it waits, what it sends."""

import logging
from collections import deque

import pytest

from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.errors import BusError
from mien.face.motion_thread import (
    AHEAD_NS,
    AHEAD_PAUSE_MS,
    BUS_POLL_MS,
    HURRIED_POLL_MS,
    MAX_AT_ONCE,
    MAX_REPORTS,
    MotionThread,
)


class Bus:
    """waits: for how long each message was waited for. sent: reports to the voice."""

    def __init__(self):
        self.messages, self.waits, self.sent, self.closed = deque(), [], [], False

    def receive(self, wait_ms):
        self.waits.append(wait_ms)
        return self.messages.popleft() if self.messages else None

    def report(self, frame):
        self.sent.append(frame)

    def close(self):
        self.closed = True


class Stage:
    """taken: the messages that it has. done: what else it was asked to do."""

    def __init__(self):
        self.backlog, self.hurried, self.buffered_ns = 0, False, 0
        self.taken, self.done, self.refuses = [], [], False

    def take(self, frames, now_ns):
        if self.refuses:
            raise BusError(f"bad {frames[0]!r}")
        self.taken.append((frames, now_ns))

    def send_poses(self, now_ns):
        self.done.append(("poses", now_ns))

    def work(self):
        self.done.append("work")


class Heart:
    def watch(self, part):
        """Nobody asks."""

    advance = watch


class Context:
    terminated = False

    def term(self):
        self.terminated = True


class Rig:
    def __init__(self):
        self.bus, self.stage, self.counters, self.clock = Bus(), Stage(), Counters(), ManualClock(10**9)
        self.context, self.ends = Context(), []
        self.thread = MotionThread(
            stage=self.stage, bus_of_face=self.bus, context=self.context, clock=self.clock, counters=self.counters,
            heartbeat=Heart(), ended=lambda: self.ends.append(1),
        )  # fmt: skip


@pytest.fixture
def rig():
    return Rig()


@pytest.mark.parametrize(
    ("backlog", "hurried", "ahead_ns", "wait_ms"),
    [
        (0, False, 0, BUS_POLL_MS),
        (0, False, 2 * AHEAD_NS, BUS_POLL_MS),
        (0, True, 0, HURRIED_POLL_MS),
        (3, True, 0, 0),
        (3, False, AHEAD_NS, 0),
        (3, False, AHEAD_NS + 1, AHEAD_PAUSE_MS),
    ],
)
def test_it_waits_as_long_as_there_is_nothing_to_do(rig, backlog, hurried, ahead_ns, wait_ms):
    rig.stage.backlog, rig.stage.hurried, rig.stage.buffered_ns = backlog, hurried, ahead_ns
    rig.thread._turn()
    assert rig.bus.waits == [wait_ms]
    assert rig.stage.done == [("poses", 10**9), "work"]


def test_all_that_has_come_is_taken_and_only_the_first_is_waited_for(rig):
    rig.bus.messages.extend([[b"1"], [b"2"], [b"3"]])
    rig.thread._turn()
    assert rig.stage.taken == [([b"1"], 10**9), ([b"2"], 10**9), ([b"3"], 10**9)]
    assert rig.bus.waits == [BUS_POLL_MS, 0, 0, 0]


def test_a_flood_does_not_starve_motion(rig):
    rig.bus.messages.extend([[b"x"]] * (MAX_AT_ONCE + 5))
    rig.thread._turn()
    assert (len(rig.stage.taken), rig.stage.done[-1]) == (MAX_AT_ONCE, "work")
    rig.thread._turn()
    assert len(rig.stage.taken) == MAX_AT_ONCE + 5


def test_of_more_reports_than_are_kept_the_oldest_go_and_are_counted(rig):
    for number in range(MAX_REPORTS + 2):
        rig.thread.report(b"%d" % number)
    rig.thread._turn()
    assert rig.bus.sent == [b"%d" % number for number in range(2, MAX_REPORTS + 2)]
    assert rig.counters["reports_dropped"] == 2
    rig.thread._turn()
    assert len(rig.bus.sent) == MAX_REPORTS


def test_bad_messages_are_counted_and_logged_now_and_then(rig, caplog):
    rig.stage.refuses = True
    rig.bus.messages.extend([[b"1"]] * 50)
    with caplog.at_level(logging.ERROR, "mien.face"):
        rig.thread._turn()
    assert rig.counters["bus_refused"] == 50
    assert 1 <= len(caplog.records) < 50
    assert "bad b'1'" in caplog.text
    assert rig.stage.done[-1] == "work"


def test_a_thread_that_never_started_closes_what_it_would_have_used(rig):
    rig.thread.stop()
    assert (rig.bus.closed, rig.context.terminated, rig.ends) == (True, True, [])


def test_it_starts_once_and_stops(rig):
    rig.thread.start()
    rig.thread.start()
    rig.thread.stop()
    assert (rig.bus.closed, rig.context.terminated, rig.ends, rig.thread.failure) == (True, True, [1], None)
