"""The session log: what is in it, what never is, and that it stays within its bounds."""

import json
import wave

import numpy as np
import pytest

from mien.config import JournalConfig
from mien.core import wire
from mien.core.stats import Counters
from mien.errors import ConfigError
from mien.voice.journal_writer import JournalWriter
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
    shelf = ListShelf()
    rig = VoiceRig(shelf=shelf, **options)
    rig.say(wire.Hello(protocol=1, client="bot"))
    rig.say(wire.Caption(turn="t", text="Hello"))
    rig.speak(ms=200)
    rig.step(100)
    rig.say(wire.Interrupt())
    rig.audio("t", seq=99)
    rig.step(100)
    rig.voice.leave(b"a")
    return shelf


def test_every_event_is_there_with_its_times():
    shelf = conversation()
    types = [(line["way"], line["type"]) for line in shelf.lines if line["type"] != "progress"]
    assert types == [("out", "welcome"), ("in", "hello"), ("in", "caption"), ("in", "audio"), ("in", "end"),
                     ("out", "started"), ("out", "interrupted"), ("in", "interrupt"), ("out", "error"),
                     ("out", "finished"), ("in", "gone")]
    assert {line["client"] for line in shelf.lines} == {"bot"}
    assert len({line["session"] for line in shelf.lines}) == 1
    times = [line["mono_ns"] for line in shelf.lines]
    assert times == sorted(times)
    assert all(line["utc"].endswith("Z") for line in shelf.lines)


def test_no_audio_unless_it_is_configured():
    shelf = conversation()
    assert shelf.recordings == {}
    assert not any("data" in line or "payload" in line for line in shelf.lines)


def test_audio_is_kept_where_it_is_configured_and_its_file_is_named():
    shelf = conversation(keep_audio=True)
    named = [line for line in shelf.lines if line["type"] == "audio_file"]
    assert [line["turn"] for line in named] == ["t"]
    assert np.array_equal(np.concatenate(shelf.recordings[named[0]["file"]]), tone(200))
    assert shelf.complete == [named[0]["file"]]


def test_files_rotate_by_size_and_the_oldest_goes(tmp_path):
    writer = JournalWriter(JournalConfig(max_file_kb=16, files=3), tmp_path, Counters())
    for number in range(3000):
        writer.line(json.dumps({"number": number, "filler": "x" * 40}).encode())
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sessions.1.jsonl", "sessions.2.jsonl", "sessions.jsonl"]
    assert all(path.stat().st_size <= 16_000 for path in tmp_path.iterdir())
    order = [json.loads(line)["number"] for name in ("sessions.2.jsonl", "sessions.1.jsonl", "sessions.jsonl")
             for line in (tmp_path / name).read_text().splitlines()]
    assert order == list(range(order[0], 3000))


def test_an_existing_log_goes_on(tmp_path):
    for number in range(2):
        writer = JournalWriter(JournalConfig(), tmp_path, Counters())
        writer.line(b'{"run":%d}' % number)
        writer.close()
    assert (tmp_path / "sessions.jsonl").read_text() == '{"run":0}\n{"run":1}\n'


def test_recordings_stay_below_their_limit(tmp_path):
    writer = JournalWriter(JournalConfig(audio=True, audio_max_mb=1), tmp_path, Counters())
    for number in range(8):
        writer.audio(f"{number}.wav", 16000, np.zeros(160_000, np.int16))
        writer.audio(f"{number}.wav", 16000, None)
    writer.close()
    kept = list(tmp_path.glob("*.wav"))
    assert sum(path.stat().st_size for path in kept) <= 1_000_000 + 320_044
    with wave.open(str(tmp_path / "7.wav")) as recording:
        assert (recording.getframerate(), recording.getnframes()) == (16000, 160_000)


def test_a_folder_that_cannot_be_written_is_a_configuration_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"journal\.folder"):
        JournalWriter(JournalConfig(), tmp_path / "file", Counters())


def test_a_full_disk_is_told_once_and_counted(tmp_path, caplog):
    (tmp_path / "sessions.jsonl").symlink_to("/dev/full")
    counters = Counters()
    writer = JournalWriter(JournalConfig(), tmp_path, counters)
    for number in range(50):
        writer.line(b'{"n": %d}' % number)
    writer.close()
    assert counters["journal_failed"] >= 1
    assert [record.getMessage() for record in caplog.records if "cannot be written" in record.getMessage()] == [
        "the session log cannot be written: [Errno 28] No space left on device"]
