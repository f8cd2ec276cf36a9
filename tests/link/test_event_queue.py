"""The durable queue: order, numbers, power cuts, a full queue, a card that takes nothing."""

import os
import random
from pathlib import Path

import msgspec
import pytest

from mien.errors import StorageError
from mien.fleet.event import Level
from mien.link.event_lines import Entry, entries, line
from mien.link.event_queue import EventQueue

MB = 1_000_000


def level(number: int) -> Level:
    return Level(queue="", seq=0, level=f"level-{number}")


def filled(folder: Path, count: int, **options: int) -> EventQueue:
    queue = EventQueue(folder, options.pop("max_bytes", MB), **options)
    for number in range(count):
        queue.append(level(number))
    queue.flush()
    return queue


def numbers(queue: EventQueue, after: int = 0) -> list[int]:
    return [entry.seq for entry in queue.after(after, 1_000_000)]


def test_events_come_back_in_order_with_rising_numbers(tmp_path: Path) -> None:
    queue = filled(tmp_path, 5)
    assert numbers(queue) == [1, 2, 3, 4, 5]
    told = [msgspec.json.decode(entry.payload) for entry in queue.after(0, 9)]
    assert [each["level"] for each in told] == [f"level-{number}" for number in range(5)]
    assert {each["queue"] for each in told} == {queue.name}
    assert [each["seq"] for each in told] == [1, 2, 3, 4, 5]


def test_an_event_is_not_sent_before_it_is_on_the_card(tmp_path: Path) -> None:
    queue = EventQueue(tmp_path, MB)
    queue.append(level(0))
    assert queue.after(0, 9) == []
    assert queue.flush()
    assert numbers(queue) == [1]


def test_numbers_and_name_survive_a_restart_also_of_an_empty_queue(tmp_path: Path) -> None:
    queue = filled(tmp_path, 3)
    queue.ack(3)
    queue.close()
    again = EventQueue(tmp_path, MB)
    assert (again.name, again.acked, again.waiting) == (queue.name, 3, 0)
    assert again.append(level(3)) == 4
    again.close()
    assert EventQueue(tmp_path, MB).last == 4


def test_what_the_broker_has_is_not_told_again_after_a_restart(tmp_path: Path) -> None:
    queue = filled(tmp_path, 10)
    queue.ack(7)
    queue.close()
    again = EventQueue(tmp_path, MB)
    assert numbers(again, again.acked) == [8, 9, 10]


@pytest.mark.parametrize("tail", [b"12ab34cd 9 {", b"\0" * 512, b"deadbeef 3 {}\n", b"\xff\xfe\n", b"00000000 \n"])
def test_a_torn_end_costs_only_what_was_torn(tmp_path: Path, tail: bytes) -> None:
    queue = filled(tmp_path, 3)
    newest = max(tmp_path.glob("*.log"))
    newest.write_bytes(newest.read_bytes() + tail)
    again = EventQueue(tmp_path, MB)
    assert numbers(again) == [1, 2, 3]
    assert again.append(level(9)) == 4
    again.flush()
    assert numbers(again) == [1, 2, 3, 4]
    assert again.name == queue.name


def test_a_cut_anywhere_leaves_a_prefix_and_a_number_never_comes_twice(tmp_path: Path) -> None:
    filled(tmp_path, 40)
    newest = max(tmp_path.glob("*.log"))
    whole = newest.read_bytes()
    chance = random.Random(1)
    for _ in range(60):
        cut = chance.randrange(len(whole))
        newest.write_bytes(whole[:cut])
        for other in tmp_path.glob("*.log"):
            if other != newest:
                other.unlink()
        again = EventQueue(tmp_path, MB)
        found = numbers(again)
        assert found == list(range(1, len(found) + 1))
        assert again.append(level(0)) == len(found) + 1
        newest.write_bytes(whole)


def test_a_full_queue_drops_the_oldest_and_says_which(tmp_path: Path) -> None:
    queue = EventQueue(tmp_path, 20_000, segment_bytes=2_000)
    for number in range(1000):
        queue.append(level(number))
        queue.flush()
    kept = queue.after(0, 10_000)
    seqs = [entry.seq for entry in kept]
    assert seqs == sorted(seqs)
    assert seqs[-1] == queue.last
    told = [msgspec.json.decode(entry.payload) for entry in kept]
    dropped = [each for each in told if each["type"] == "dropped"]
    assert queue.dropped > 0
    newest = dropped[-1]
    assert newest["last_seq"] == seqs[0] - 1
    assert newest["count"] == newest["last_seq"] - newest["first_seq"] + 1
    assert sum(path.stat().st_size for path in tmp_path.glob("*.log")) <= 22_000


def test_a_reader_far_behind_gets_every_event_of_every_segment_in_order(tmp_path: Path) -> None:
    queue = filled(tmp_path, 0, segment_bytes=500)
    for number in range(100):
        queue.append(level(number))
        queue.flush()
    assert len(list(tmp_path.glob("*.log"))) > 5
    got: list[int] = []
    while fresh := queue.after(got[-1] if got else 0, 7):
        got += [entry.seq for entry in fresh]
    assert got == list(range(1, 101))


def test_segments_that_the_broker_has_are_removed(tmp_path: Path) -> None:
    queue = filled(tmp_path, 0, segment_bytes=500)
    for number in range(100):
        queue.append(level(number))
        queue.flush()
    queue.ack(100)
    assert len(list(tmp_path.glob("*.log"))) == 1
    assert queue.waiting == 0
    assert queue.append(level(0)) == 101


def test_many_restarts_without_a_broker_leave_a_bounded_number_of_files(tmp_path: Path) -> None:
    for number in range(30):
        queue = EventQueue(tmp_path, MB)
        queue.append(level(number))
        queue.close()
    assert numbers(EventQueue(tmp_path, MB)) == list(range(1, 31))


def test_a_card_that_takes_nothing_does_not_stop_the_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = filled(tmp_path, 2)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        queue.append(level(2))
        assert not queue.flush()
        assert queue.failing == "No space left on device"
        assert numbers(queue) == [1, 2, 3]  # from memory
        queue.ack(2)
    queue.append(level(3))
    assert queue.flush()
    assert queue.failing == ""
    assert numbers(queue, 2) == [3, 4]
    queue.close()
    assert numbers(EventQueue(tmp_path, MB), 2) == [3, 4]


def test_a_short_write_is_repeated_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = filled(tmp_path, 1)
    write = os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda file, data, at: write(file, data[: len(data) // 2], at))
        queue.append(level(1))
        assert not queue.flush()
    assert queue.flush()
    queue.close()
    assert numbers(EventQueue(tmp_path, MB)) == [1, 2]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"events\.folder: .*file/events"):
        EventQueue(tmp_path / "file" / "events", MB)


def test_a_folder_whose_name_was_lost_begins_anew(tmp_path: Path) -> None:
    queue = filled(tmp_path, 3)
    (tmp_path / "queue").unlink()
    again = EventQueue(tmp_path, MB)
    assert again.name != queue.name
    assert again.last == 0


def test_personal_fields_that_are_not_told_are_absent(tmp_path: Path) -> None:
    from mien.fleet.event import Turn

    queue = EventQueue(tmp_path, MB)
    turn = Turn(queue="", seq=0, client="agent", turn="t", reason="played", heard_ms=1.0)
    queue.append(turn)
    queue.append(msgspec.structs.replace(turn, text="hello"))
    queue.flush()
    silent, told = (msgspec.json.decode(entry.payload) for entry in queue.after(0, 2))
    assert "pii.text" not in silent
    assert told["pii.text"] == "hello"


def test_a_line_holds_any_payload() -> None:
    entry = Entry(7, b'{"a": "\xc3\xbc 1 2"}')
    assert list(entries(line(entry) + b"garbage\n" + line(Entry(8, b"{}")))) == [entry, Entry(8, b"{}")]


def test_a_flush_in_halves_sends_nothing_before_the_card_has_it(tmp_path: Path) -> None:
    queue = EventQueue(tmp_path, MB)
    assert queue.begin_flush() is None
    queue.append(level(0))
    sync = queue.begin_flush()
    assert sync is not None
    queue.append(level(1))  # while the card works
    assert numbers(queue) == []
    sync()
    queue.end_flush(sync)
    assert numbers(queue) == [1]
    assert queue.flush()
    assert numbers(queue) == [1, 2]
    queue.close()
    assert numbers(EventQueue(tmp_path, MB)) == [1, 2]


def test_a_card_that_fails_while_it_works_is_told_and_events_go_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = EventQueue(tmp_path, MB)
    queue.append(level(0))
    sync = queue.begin_flush()
    assert sync is not None
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        sync()
    queue.end_flush(sync)
    assert queue.failing == "Input/output error"
    assert numbers(queue) == [1]
    queue.append(level(1))
    assert queue.flush()
    assert queue.failing == ""


def test_halves_rotate_through_segments(tmp_path: Path) -> None:
    queue = EventQueue(tmp_path, MB, segment_bytes=300)
    for number in range(60):
        queue.append(level(number))
        if (sync := queue.begin_flush()) is not None:
            sync()
            queue.end_flush(sync)
    assert numbers(queue) == list(range(1, 61))
    assert len(list(tmp_path.glob("*.log"))) > 10
