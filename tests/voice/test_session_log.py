"""The session log: what is in it, what never is, and that it stays within its bounds."""

import errno
import json
import os
import stat
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from mien.config import JournalConfig
from mien.core import wire
from mien.core.stats import Counters
from mien.errors import ConfigError
from mien.voice import session_log_writer
from mien.voice.session_log_files import LineFiles, Recordings
from mien.voice.session_log_writer import SessionLogWriter
from rigs.voice_rig import VoiceRig, tone


class ListShelf:
    def __init__(self):
        self.lines = []
        self.recordings = {}
        self.complete = []

    def line(self, line):
        self.lines.append(json.loads(line))

    def audio(self, key, _rate_hz, pcm):
        if pcm is None:
            self.complete.append(key)
        else:
            self.recordings.setdefault(key, []).append(pcm.copy())


def conversation(**options):
    store = ListShelf()
    rig = VoiceRig(store=store, **options)
    rig.say(wire.Hello(protocol=1, client="bot"))
    rig.say(wire.Caption(turn="t", text="Hello"))
    rig.speak(ms=200)
    rig.step(100)
    rig.say(wire.Interrupt())
    rig.audio("t", seq=99)
    rig.step(100)
    rig.voice.left(b"a")
    return store


def test_every_event_is_there_with_its_times():
    store = conversation()
    types = [(line["way"], line["type"]) for line in store.lines if line["type"] != "progress"]
    assert types == [
        ("out", "welcome"),
        ("in", "hello"),
        ("in", "caption"),
        ("in", "audio"),
        ("in", "end"),
        ("out", "started"),
        ("out", "interrupted"),
        ("in", "interrupt"),
        ("out", "error"),
        ("out", "finished"),
        ("in", "gone"),
    ]
    assert {line["client"] for line in store.lines} == {"bot"}
    assert len({line["session"] for line in store.lines}) == 1
    times = [line["mono_ns"] for line in store.lines]
    assert times == sorted(times)
    assert all(line["utc"].endswith("Z") for line in store.lines)


def test_who_relayed_what_kind_is_kept_and_neither_its_text_nor_a_visitors_question():
    store = ListShelf()
    rig = VoiceRig(store=store)
    rig.say(wire.Hello(protocol=1, client="bot", capabilities=("relay",)))
    rig.say(wire.Hello(protocol=1, client="Ada", role="agent"), client=b"ada")
    rig.say(wire.Relay(kind="whisper", text="secret", id="r1"), client=b"ada")
    rig.say(wire.RelayDone(id="r1", outcome="kept"))
    rig.say(wire.Visit(phase="over", visit="v1", turns=2, questions=("secret",)))
    assert not any("secret" in json.dumps(line) for line in store.lines)
    told = [(line["way"], line["client"], line["type"], line.get("id"), line.get("kind")) for line in store.lines[4:]]
    assert told == [
        ("out", "bot", "relayed", "r1", "whisper"),
        ("out", "Ada", "relay_taken", "r1", None),
        ("in", "Ada", "relay", "r1", "whisper"),
        ("out", "Ada", "relay_done", "r1", None),
        ("in", "bot", "relay_done", "r1", None),
        ("in", "bot", "visit", None, None),
    ]
    assert store.lines[-1]["turns"] == 2


def test_no_audio_unless_it_is_configured():
    store = conversation()
    assert store.recordings == {}
    assert not any("data" in line or "payload" in line for line in store.lines)


def test_audio_is_kept_where_it_is_configured_and_its_file_is_named():
    store = conversation(keep_audio=True)
    named = [line for line in store.lines if line["type"] == "audio_file"]
    assert [line["turn"] for line in named] == ["t"]
    assert np.array_equal(np.concatenate(store.recordings[named[0]["file"]]), tone(200))
    assert store.complete == [named[0]["file"]]


def test_files_rotate_by_size_and_the_oldest_goes(tmp_path):
    writer = SessionLogWriter(JournalConfig(max_file_kb=16, files=3), tmp_path, Counters())
    for number in range(3000):
        writer.line(json.dumps({"number": number, "filler": "x" * 40}).encode())
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sessions.1.jsonl",
        "sessions.2.jsonl",
        "sessions.jsonl",
    ]
    assert all(path.stat().st_size <= 16_000 for path in tmp_path.iterdir())
    order = [
        json.loads(line)["number"]
        for name in ("sessions.2.jsonl", "sessions.1.jsonl", "sessions.jsonl")
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert order == list(range(order[0], 3000))


def test_an_existing_log_goes_on(tmp_path):
    for number in range(2):
        writer = SessionLogWriter(JournalConfig(), tmp_path, Counters())
        writer.line(b'{"run":%d}' % number)
        writer.close()
    assert (tmp_path / "sessions.jsonl").read_text() == '{"run":0}\n{"run":1}\n'


def test_recordings_stay_below_their_limit(tmp_path):
    writer = SessionLogWriter(JournalConfig(audio=True, audio_max_mb=1), tmp_path, Counters())
    for number in range(8):
        writer.audio(f"{number}.wav", 16000, np.zeros(160_000, np.int16))
        writer.audio(f"{number}.wav", 16000, None)
    writer.close()
    kept = list(tmp_path.glob("*.wav"))
    assert sorted(path.name for path in kept) == ["4.wav", "5.wav", "6.wav", "7.wav"]
    with wave.open(str(tmp_path / "7.wav")) as recording:
        assert (recording.getframerate(), recording.getnframes()) == (16000, 160_000)


def test_a_folder_that_cannot_be_written_is_a_configuration_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"journal\.folder"):
        SessionLogWriter(JournalConfig(), tmp_path / "file", Counters())


def test_a_full_disk_is_told_once_and_counted(tmp_path, caplog):
    (tmp_path / "sessions.jsonl").symlink_to("/dev/full")
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(), tmp_path, counters)
    for number in range(50):
        writer.line(b'{"n": %d}' % number)
    writer.close()
    assert counters["journal_failed"] >= 1
    assert [record.getMessage() for record in caplog.records if "cannot be written" in record.getMessage()] == [
        "the session log cannot be written: [Errno 28] No space left on device"
    ]


def told(caplog):
    return [record.getMessage() for record in caplog.records]


def lines_in(folder):
    return [
        line
        for name in ("sessions.2.jsonl", "sessions.1.jsonl", "sessions.jsonl")
        if (folder / name).exists()
        for line in (folder / name).read_text().splitlines()
    ]


class BrokenDisk:
    """Every operation of one kind on a path fails while `error` is set."""

    def __init__(self, monkeypatch, operation):
        self.error = None
        self.tried = 0
        real = getattr(Path, operation)

        def broken(path, *arguments, **options):
            if self.error is not None:
                self.tried += 1
                raise self.error
            return real(path, *arguments, **options)

        monkeypatch.setattr(Path, operation, broken)


@pytest.mark.parametrize("operation", ["replace", "open"])
def test_a_rotation_that_fails_costs_lines_and_nothing_else(tmp_path, monkeypatch, caplog, operation):
    """As on a card that is remounted read-only."""
    disk = BrokenDisk(monkeypatch, operation)
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(max_file_kb=16, files=3), tmp_path, counters)
    drained = drain(writer)
    for number in range(20):
        writer.line(b"%02d" % number + b"x" * 997)
        if number == 12:  # the sixteenth does not fit
            drained()
            disk.error = OSError(errno.EROFS, "Read-only file system")
        if number == 17:
            drained()
            disk.error = None
    writer.close()
    assert disk.tried >= 2
    assert counters["journal_failed"] >= 2
    assert told(caplog) == [
        "the session log cannot be written: [Errno 30] Read-only file system",
        "the session log is being written again",
    ]
    assert [line[:2] for line in lines_in(tmp_path) if line] == [f"{number:02}" for number in (*range(15), 18, 19)]


def drain(writer):
    """What waits until the thread has taken everything and settled."""
    done = threading.Event()
    writer._settle, settle = lambda: (settle(), done.set()), writer._settle

    def wait():
        done.clear()
        writer.line(b"")  # so that it settles once more
        assert done.wait(30)
        while not writer._waiting.empty():
            done.wait(0.01)

    return wait


def test_a_line_that_was_torn_is_ended_before_the_next(tmp_path):
    (tmp_path / "sessions.jsonl").write_bytes(b'{"a":1}\n{"b"')
    files = LineFiles(tmp_path, 100, 2)
    files.write(b'{"c":3}')
    files.close()
    assert (tmp_path / "sessions.jsonl").read_bytes() == b'{"a":1}\n{"b"\n{"c":3}\n'


def test_the_end_of_a_torn_line_counts_towards_the_bound(tmp_path):
    (tmp_path / "sessions.jsonl").write_bytes(b"x" * 12)
    files = LineFiles(tmp_path, 20, 2)
    files.write(b"1234567")  # 12 and 8 would fit, but for the end of the torn line
    files.close()
    assert (tmp_path / "sessions.1.jsonl").read_bytes() == b"x" * 12 + b"\n"
    assert (tmp_path / "sessions.jsonl").read_bytes() == b"1234567\n"


def test_no_file_is_longer_than_its_bound_and_none_is_empty(tmp_path):
    files = LineFiles(tmp_path, 20, 3)
    for line in (b"123456789", b"123456789", b"1", b"x" * 100, b"y" * 19):
        files.write(line)
    files.close()
    assert [(tmp_path / name).read_bytes() for name in ("sessions.2.jsonl", "sessions.1.jsonl", "sessions.jsonl")] == [
        b"1\n",
        b"x" * 100 + b"\n",
        b"y" * 19 + b"\n",
    ]


def test_one_file_is_begun_anew(tmp_path):
    files = LineFiles(tmp_path, 20, 1)
    for line in (b"a" * 15, b"b" * 15):
        files.write(line)
    files.close()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("sessions.jsonl", b"b" * 15 + b"\n")]


class FullFile:
    """A file on a full card. flushed: whether it fails only when it is flushed."""

    closed = False

    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self):
        self.write(b"")

    def close(self):
        self.closed = True
        self.write(b"")  # what is left in the buffer


@pytest.mark.parametrize("failing", ["write", "flush"])
def test_a_file_that_fails_is_closed_and_the_next_line_opens_it_again(tmp_path, failing):
    files = LineFiles(tmp_path, 100, 2)
    assert not files.flush()
    files.write(b"1")
    assert files.flush()
    files.close()
    files._file = broken = FullFile()
    with pytest.raises(OSError, match="No space"):
        files.write(b"2") if failing == "write" else files.flush()
    assert broken.closed
    assert not files.flush()
    files.write(b"3")
    files.close()
    assert (tmp_path / "sessions.jsonl").read_bytes() == b"1\n3\n"


def test_a_torn_line_that_cannot_be_ended_leaves_no_file_open(tmp_path, monkeypatch):
    (tmp_path / "sessions.jsonl").write_bytes(b"torn")
    broken, real = FullFile(), Path.open
    broken.fileno = lambda: os.open(tmp_path / "sessions.jsonl", os.O_RDONLY)
    broken.close = lambda: setattr(broken, "closed", True)
    monkeypatch.setattr(Path, "open", lambda path, mode="r": broken if mode == "ab" else real(path, mode))
    files = LineFiles(tmp_path, 100, 2)
    with pytest.raises(OSError, match="No space"):
        files.open()
    assert broken.closed
    assert not files.flush()


def test_the_folder_is_not_for_everybody(tmp_path):
    old = os.umask(0)
    try:
        SessionLogWriter(JournalConfig(), tmp_path / "a" / "log", Counters()).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a" / "log").stat().st_mode) == 0o750


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_card_that_is_full_at_the_start_does_not_silence_the_voice(tmp_path, monkeypatch, number):
    disk = BrokenDisk(monkeypatch, "mkdir")
    disk.error = OSError(number, os.strerror(number))
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(), tmp_path / "log", counters)
    disk.error = None
    writer.line(b"later")
    writer.close()
    assert counters["journal_failed"] == 1
    assert (tmp_path / "log" / "sessions.jsonl").read_bytes() == b"later\n"


@pytest.fixture
def hanging(monkeypatch):
    """A disk that does not answer until the test is over."""
    released = threading.Event()
    monkeypatch.setattr(LineFiles, "write", lambda *_: released.wait(60))
    monkeypatch.setattr(session_log_writer, "CLOSE_S", 0.05)
    yield released
    released.set()


@pytest.mark.parametrize("waiting", [1, session_log_writer.MAX_WAITING + 10])
def test_a_disk_that_hangs_keeps_nobody_from_ending(tmp_path, hanging, caplog, waiting):
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(), tmp_path, counters)
    for _ in range(waiting):
        writer.line(b"x")
    writer.close()  # returns
    assert not hanging.is_set()
    assert told(caplog) == ["the end of the session log is missing: the disk took longer than 0.05 s"]
    assert counters["journal_failed"] == 1
    assert counters["journal_dropped"] in ((0,) if waiting == 1 else (9, 10))  # the thread holds one, or not yet


@pytest.mark.usefixtures("hanging")
def test_what_waits_is_bounded_in_bytes(tmp_path):
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(audio=True), tmp_path, counters)
    writer.line(b"holds the thread")
    chunk = np.zeros(90_000, np.int16)  # 22 fit, whether or not the thread has taken the line already
    for _ in range(100):
        writer.audio("a.wav", 16000, chunk)
    assert counters["journal_dropped"] == 100 - session_log_writer.MAX_WAITING_BYTES // chunk.nbytes
    writer.close()


@pytest.mark.usefixtures("hanging")
@pytest.mark.parametrize(("more", "dropped"), [(0, 0), (1, 1)])
def test_the_bound_is_reached_to_the_byte(tmp_path, monkeypatch, more, dropped):
    monkeypatch.setattr(session_log_writer, "MAX_WAITING_BYTES", 100)
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(), tmp_path, counters)
    writer.line(b"x" * (100 + more))
    assert counters["journal_dropped"] == dropped
    writer.close()


def test_a_turn_that_goes_on_at_the_end_leaves_a_whole_recording(tmp_path):
    writer = SessionLogWriter(JournalConfig(audio=True), tmp_path, Counters())
    writer.audio("a.wav", 16000, np.ones(160, np.int16))
    writer.close()
    with wave.open(str(tmp_path / "a.wav")) as recording:
        assert recording.getnframes() == 160
    assert writer._recordings._open == {}


def test_what_was_written_makes_room_again(tmp_path):
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(audio=True), tmp_path, counters)
    drained = drain(writer)
    for _ in range(4):
        for _ in range(15):
            writer.audio("a.wav", 16000, np.ones(100_000, np.int16))
        drained()
    writer.audio("a.wav", 16000, None)
    writer.close()
    assert counters["journal_dropped"] == 0
    with wave.open(str(tmp_path / "a.wav")) as recording:
        assert recording.getnframes() == 6_000_000


def test_a_recording_whose_end_found_the_queue_full_is_completed(tmp_path, monkeypatch):
    preroll = threading.Event()
    write = Recordings.write
    monkeypatch.setattr(Recordings, "write", lambda *item: (preroll.wait(30), write(*item)))
    writer = SessionLogWriter(JournalConfig(audio=True), tmp_path, Counters())
    drained = drain(writer)
    writer.audio("a.wav", 16000, np.ones(160, np.int16))
    while writer._put(("", 0, b"x")):
        pass
    writer.audio("a.wav", 16000, None)
    assert list(writer._complete) == ["a.wav"]
    preroll.set()
    while writer._complete:
        drained()
    assert writer._recordings._open == {}
    writer.close()
    with wave.open(str(tmp_path / "a.wav")) as recording:
        assert recording.getnframes() == 160


def test_an_open_recording_never_gives_way_and_one_that_is_complete_does(tmp_path):
    recordings = Recordings(tmp_path, 1000)

    def there():
        return sorted(path.stem for path in tmp_path.iterdir())

    for name in ("long", "short"):
        recordings.write(f"{name}.wav", 16000, b"ab" * 40_000)
    recordings.complete("short.wav")
    os.utime(tmp_path / "long.wav", (1, 1))
    recordings.write("next.wav", 16000, b"ab" * 400)
    assert there() == ["long", "next"]
    recordings.complete("long.wav")
    os.utime(tmp_path / "long.wav", (1, 1))
    recordings.write("last.wav", 16000, b"ab" * 400)
    assert there() == ["last", "next"]
    recordings.close()
    with wave.open(str(tmp_path / "last.wav")) as recording:
        assert recording.getnframes() == 400


def test_a_recording_that_failed_is_given_up_and_the_next_one_is_kept(tmp_path, monkeypatch, caplog):
    disk = BrokenDisk(monkeypatch, "open")
    counters = Counters()
    writer = SessionLogWriter(JournalConfig(audio=True), tmp_path, counters)
    drained = drain(writer)
    drained()
    disk.error = OSError(errno.ENOSPC, "No space left on device")
    writer.audio("a.wav", 16000, np.ones(160, np.int16))
    drained()
    disk.error = None
    for name in ("a.wav", "b.wav"):
        writer.audio(name, 16000, np.ones(160, np.int16))
        writer.audio(name, 16000, None)
    writer.close()
    assert counters["journal_failed"] == 1
    assert [path.name for path in tmp_path.glob("*.wav")] == ["b.wav"]
    assert told(caplog)[0] == "the session log cannot be written: [Errno 28] No space left on device"
