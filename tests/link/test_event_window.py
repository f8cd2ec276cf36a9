"""Events under way: in order, a bounded number of them, none lost, whatever the order of the answers."""

import random

from mien.link.event_lines import Entry
from mien.link.event_window import EventWindow

EVENTS = [Entry(seq, b"{}") for seq in range(1, 101)]


def read(after: int, most: int) -> list[Entry]:
    return [entry for entry in EVENTS if entry.seq > after][:most]


def test_no_more_than_the_window_is_under_way() -> None:
    window = EventWindow(read, size=4)
    window.begin(0)
    assert [entry.seq for entry in window.take()] == [1, 2, 3, 4]
    assert window.take() == []
    assert window.answered(1) == 1
    assert [entry.seq for entry in window.take()] == [5]


def test_only_an_unbroken_row_counts_as_had() -> None:
    window = EventWindow(read, size=4)
    window.begin(0)
    window.take()
    assert window.answered(2) == 0
    assert window.answered(3) == 0
    assert window.answered(1) == 3


def test_a_new_connection_sends_again_what_was_not_answered() -> None:
    window = EventWindow(read, size=4)
    window.begin(0)
    window.take()
    window.answered(2)
    window.begin(0)
    assert [entry.seq for entry in window.take()] == [1, 2, 3, 4]


def test_random_answers_and_losses_send_everything_in_order() -> None:
    chance = random.Random(3)
    window, acked, first_sent = EventWindow(read, size=8), 0, []
    window.begin(0)
    under_way: list[int] = []
    while acked < 100:
        for entry in window.take():
            under_way.append(entry.seq)
            if entry.seq not in first_sent:
                first_sent.append(entry.seq)
        if chance.random() < 0.05:
            under_way.clear()
            window.begin(acked)
        elif under_way:
            done = window.answered(under_way.pop(chance.randrange(len(under_way))))
            acked = max(acked, done)
    assert first_sent == list(range(1, 101))
