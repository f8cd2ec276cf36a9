"""Recordings beside the journal: the oldest give way, no more of them than must, and never one that is open."""

import errno
import os
import wave

import pytest

from mien.voice.session_log_files import Recordings

HEADER_BYTES = 44
SECOND = bytes(2000)  # of mono s16le at 1000 Hz


@pytest.fixture
def folder(tmp_path):
    """Three complete recordings of 1000 bytes each, b the oldest, then a, then c."""
    for age, name in enumerate(("c", "a", "b")):
        path = tmp_path / f"{name}.wav"
        path.write_bytes(bytes(1000))
        os.utime(path, ns=(10**18 - age * 10**9,) * 2)
    return tmp_path


def names(folder):
    return sorted(path.stem for path in folder.glob("*.wav"))


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (3001, ["a", "b", "c", "new"]),
        (3000, ["a", "c", "new"]),
        (2001, ["a", "c", "new"]),
        (2000, ["c", "new"]),
        (1, ["new"]),
        (0, ["new"]),
    ],
)
def test_the_oldest_give_way_until_there_is_room(folder, most, left):
    recordings = Recordings(folder, most)
    recordings.write("new.wav", 1000, SECOND)
    assert names(folder) == left
    recordings.close()


def test_one_that_is_open_stays_and_a_younger_one_goes(folder):
    recordings = Recordings(folder, 10**9)
    recordings.write("turn.wav", 1000, SECOND)
    os.utime(folder / "turn.wav", ns=(10**9,) * 2)
    full = Recordings(folder, 1)
    full._open = recordings._open
    full.write("new.wav", 1000, SECOND)
    assert names(folder) == ["new", "turn"]
    full.close()


def test_what_was_written_is_a_wav_of_its_rate(tmp_path):
    recordings = Recordings(tmp_path, 10**9)
    for _ in range(3):
        recordings.write("turn.wav", 22050, SECOND)
    recordings.complete("turn.wav")
    recordings.complete("turn.wav")  # again does nothing
    with wave.open(str(tmp_path / "turn.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 22050, 3000)
    assert (tmp_path / "turn.wav").stat().st_size == HEADER_BYTES + 3 * len(SECOND)


def test_one_that_failed_is_told_once_and_costs_the_others_nothing(tmp_path):
    (tmp_path / "bad.wav").mkdir()
    recordings = Recordings(tmp_path, 10**9)
    with pytest.raises(OSError, match="directory"):
        recordings.write("bad.wav", 1000, SECOND)
    recordings.write("bad.wav", 1000, SECOND)
    recordings.write("good.wav", 1000, SECOND)
    recordings.close()
    assert (tmp_path / "good.wav").stat().st_size == HEADER_BYTES + len(SECOND)


def test_a_recording_that_cannot_be_written_closes_its_file(tmp_path, monkeypatch):
    recordings = Recordings(tmp_path, 10**9)
    recordings.write("turn.wav", 1000, SECOND)
    recording = recordings._open["turn.wav"]

    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recording.wav, "writeframesraw", fail)
    with pytest.raises(OSError, match="No space left"):
        recordings.write("turn.wav", 1000, SECOND)
    assert recording.file.closed
    recordings.write("turn.wav", 1000, SECOND)  # the rest of it is dropped
    recordings.close()
