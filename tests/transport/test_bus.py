"""The bus between voice and face: who is heard, who is told, and that nobody waits for anybody."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport.bus import HIGH_WATER_MARK, Context, FaceBus, VoiceBus, subscribe

PATIENCE_S = 20.0


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


def soon(what: Callable[[], object]) -> object:
    """The first true answer; ZeroMQ connects on threads of its own."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.002)
    raise AssertionError("nothing came")


def test_what_the_voice_says_arrives_whole_and_in_order(context: Context, tmp_path: Path) -> None:
    voice = VoiceBus(context, tmp_path)
    face = FaceBus(context, tmp_path, Counters())
    soon(voice.joined)
    for number in range(50):
        voice.publish([b"anchor", str(number).encode()])
    for number in range(50):
        assert face.receive(10_000) == [b"anchor", str(number).encode()]
    assert face.receive(0) is None
    assert face.receive(1) is None
    face.close()
    voice.close()


def test_every_subscriber_is_told_of_once(context: Context, tmp_path: Path) -> None:
    """So that each gets what surrounds the playhead; the second asks for the same as the first."""
    voice = VoiceBus(context, tmp_path)
    assert not voice.joined()
    first = subscribe(context, tmp_path)
    soon(voice.joined)
    assert not voice.joined()
    second = subscribe(context, tmp_path)
    soon(voice.joined)
    assert not voice.joined()
    for socket in (first, second):
        socket.close()
    time.sleep(0.05)
    assert not voice.joined(), "who leaves has not joined"
    voice.close()


def test_reports_reach_the_voice_one_by_one(context: Context, tmp_path: Path) -> None:
    voice, counters = VoiceBus(context, tmp_path), Counters()
    face = FaceBus(context, tmp_path, counters)
    assert voice.report() is None

    def told() -> bytes | None:
        face.report(b"ready")
        return voice.report()

    assert soon(told) == b"ready"
    for number in range(3):
        face.report(str(number).encode())
    heard = [b"ready"]
    while heard[-1] != b"2":
        heard.append(soon(voice.report))
    assert [report for report in heard if report != b"ready"] == [b"0", b"1", b"2"]
    face.close()
    voice.close()


def test_without_a_voice_reports_are_dropped_and_counted_not_kept_for_later(context: Context, tmp_path: Path) -> None:
    counters = Counters()
    face = FaceBus(context, tmp_path, counters)
    for _ in range(5):
        face.report(b"old")
    assert counters.snapshot() == {"reports_dropped": 5}
    voice = VoiceBus(context, tmp_path)

    def told() -> bytes | None:
        face.report(b"new")
        return voice.report()

    assert soon(told) == b"new"
    face.close()
    voice.close()


def test_a_voice_that_does_not_read_costs_the_face_neither_time_nor_memory(context: Context, tmp_path: Path) -> None:
    voice, counters = VoiceBus(context, tmp_path), Counters()
    face = FaceBus(context, tmp_path, counters)
    for _ in range(2 * HIGH_WATER_MARK):
        face.report(bytes(16_000))
    assert counters["reports_dropped"] > 0
    soon(voice.report)
    kept = 1
    while voice.report() is not None:
        kept += 1
    assert kept <= HIGH_WATER_MARK + 200
    face.close()
    voice.close()


def test_a_subscriber_that_does_not_read_loses_messages_and_the_voice_goes_on(
    context: Context, tmp_path: Path
) -> None:
    voice = VoiceBus(context, tmp_path)
    stalled = subscribe(context, tmp_path)
    soon(voice.joined)
    awake = subscribe(context, tmp_path)
    soon(voice.joined)
    heard = 0
    for number in range(5 * HIGH_WATER_MARK):
        voice.publish([str(number).encode(), bytes(2000)])
        if number % 500 == 499:
            awake.setsockopt(zmq.RCVTIMEO, 5000)
            while heard <= number:
                assert awake.recv_multipart()[0] == str(heard).encode()
                heard += 1
    kept = 0
    while stalled.poll(200):
        stalled.recv_multipart()
        kept += 1
    assert 0 < kept <= 2 * HIGH_WATER_MARK + 500
    for socket in (stalled, awake):
        socket.close()
    voice.close()


def test_a_face_hears_a_voice_that_starts_after_it(context: Context, tmp_path: Path) -> None:
    face = FaceBus(context, tmp_path, Counters())
    voice = VoiceBus(context, tmp_path)
    soon(voice.joined)
    voice.publish([b"here"])
    assert face.receive(10_000) == [b"here"]
    face.close()
    voice.close()


def test_a_folder_that_is_not_there_is_told_with_its_path(context: Context, tmp_path: Path) -> None:
    with pytest.raises(BusError, match=r"gone/\S+: the bus cannot be opened: .*does the folder exist"):
        VoiceBus(context, tmp_path / "gone")


def test_a_closed_bus_is_free_for_the_next_voice_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Messages that nobody took do not hold up the end of the process either."""
    for _ in range(2):
        context: Context = zmq.Context()
        voice, face = VoiceBus(context, tmp_path), FaceBus(context, tmp_path, Counters())
        soon(voice.joined)
        face.report(b"late")
        voice.publish([b"late"])
        face.close()
        voice.close()
        begun = time.monotonic()
        context.term()
        assert time.monotonic() - begun < PATIENCE_S
