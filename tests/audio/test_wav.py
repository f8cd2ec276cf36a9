import os
import resource
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from mien.audio.base import Pcm
from mien.audio.wav import WavSink
from mien.audio.wavfile import MAX_FRAMES, WavWriter
from mien.core.clock import ManualClock
from mien.errors import SinkError

RATE_HZ = 8000


def read(path: Path) -> Pcm:
    """Read by the standard library, independently of our own writer."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        frames = file.readframes(file.getnframes())
        assert len(frames) == 2 * file.getnframes()
    return np.frombuffer(frames, "<i2")


def ramp(start: int, frames: int) -> Pcm:
    return np.arange(start, start + frames, dtype=np.int16)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(start_ns=55_555)


@pytest.fixture
def sink(clock: ManualClock, tmp_path: Path) -> WavSink:
    return WavSink(clock, RATE_HZ, RATE_HZ, tmp_path / "heard.wav")


def test_what_was_heard_is_in_the_file(sink: WavSink, clock: ManualClock, tmp_path: Path) -> None:
    sink.write(ramp(1, 400))
    clock.advance_ms(25)
    sink.write(ramp(401, 400))
    clock.advance_ms(75)
    sink.close()
    assert np.array_equal(read(tmp_path / "heard.wav"), ramp(1, 800))


def test_file_time_is_wall_time_since_the_first_write(sink: WavSink, clock: ManualClock, tmp_path: Path) -> None:
    clock.advance_ms(5000)
    first_ns = clock.now_ns()
    sink.write(ramp(1, 80))
    clock.advance_ms(250)
    sink.write(ramp(1000, 80))
    clock.advance_ms(10.1)
    sink.write(ramp(2000, 80))
    clock.advance_ms(10)
    sink.close()
    heard = read(tmp_path / "heard.wav")
    assert sink.opened_ns == first_ns
    assert np.array_equal(heard[:80], ramp(1, 80))
    assert not np.any(heard[80:2000])
    assert np.array_equal(heard[2000:2080], ramp(1000, 80))
    assert np.array_equal(heard[2080:], ramp(2000, 80))


def test_only_what_was_taken_is_written(clock: ManualClock, tmp_path: Path) -> None:
    sink = WavSink(clock, RATE_HZ, 100, tmp_path / "heard.wav")
    assert sink.write(ramp(0, 1000)) == 100
    clock.advance_ms(20)
    sink.close()
    assert np.array_equal(read(tmp_path / "heard.wav"), ramp(0, 100))


def test_drop_takes_back_what_was_not_heard(sink: WavSink, clock: ManualClock, tmp_path: Path) -> None:
    sink.write(ramp(1, 4000))
    clock.advance_ms(100)
    sink.drop()
    assert np.array_equal(read(tmp_path / "heard.wav"), ramp(1, 800))
    clock.advance_ms(50)
    sink.write(ramp(9000, 80))
    clock.advance_ms(10)
    sink.close()
    heard = read(tmp_path / "heard.wav")
    assert np.array_equal(heard[:800], ramp(1, 800))
    assert not np.any(heard[800:1200])
    assert np.array_equal(heard[1200:], ramp(9000, 80))


def test_closing_early_keeps_what_was_heard(sink: WavSink, clock: ManualClock, tmp_path: Path) -> None:
    sink.write(ramp(1, 4000))
    clock.advance_ms(100)
    sink.close()
    assert np.array_equal(read(tmp_path / "heard.wav"), ramp(1, 800))


def test_an_unused_sink_leaves_an_empty_file(sink: WavSink, tmp_path: Path) -> None:
    sink.close()
    assert len(read(tmp_path / "heard.wav")) == 0


def test_the_file_can_be_read_while_it_grows(sink: WavSink, clock: ManualClock, tmp_path: Path) -> None:
    for step in range(100):
        sink.write(ramp(80 * step, 80))
        clock.advance_ms(10)
        assert 80 * step - len(read(tmp_path / "heard.wav")) <= RATE_HZ
    sink.close()
    assert np.array_equal(read(tmp_path / "heard.wav"), ramp(0, 8000))


def test_a_killed_process_leaves_a_readable_file(tmp_path: Path) -> None:
    script = """
import sys, pathlib, numpy
from mien.audio.wav import WavSink
from mien.core.clock import ManualClock
clock = ManualClock()
sink = WavSink(clock, 8000, 800, pathlib.Path(sys.argv[1]))
for _ in range(35):
    sink.write(numpy.full(800, 7, numpy.int16))
    clock.advance_ms(100)
print("up", flush=True)
sys.stdin.read()
"""
    path = tmp_path / "heard.wav"
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
    heard = read(path)
    assert 2.4 * RATE_HZ < len(heard) <= 3.5 * RATE_HZ
    assert np.all(heard == 7)


def test_a_file_that_cannot_be_made_is_named(clock: ManualClock, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"missing/heard.wav: cannot be written \(No such file"):
        WavSink(clock, RATE_HZ, 100, tmp_path / "missing" / "heard.wav")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_a_sink_error(clock: ManualClock) -> None:
    with pytest.raises(SinkError, match="/dev/full: cannot be written"):
        WavSink(clock, RATE_HZ, 100, Path("/dev/full"))


def test_the_four_gigabytes_of_a_wav_file_are_a_sink_error(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "long.wav", 48000)
    writer.resize(MAX_FRAMES - 10)
    writer.append(ramp(0, 10))
    with pytest.raises(SinkError, match="4 GiB"):
        writer.append(ramp(0, 1))
    with pytest.raises(SinkError, match="4 GiB"):
        writer.resize(MAX_FRAMES + 1)
    writer.close()
    with wave.open(str(tmp_path / "long.wav")) as file:
        assert file.getnframes() == MAX_FRAMES


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_sink_that_was_lost_to_a_full_disk_is_closed_without_a_word(clock: ManualClock, sink: WavSink) -> None:
    sink.write(ramp(0, 80))
    sink._writer._file.close()
    sink._writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115  as a disk that has filled up since
    clock.advance_ms(5)
    with pytest.raises(SinkError, match="No space left"):
        sink.write(ramp(80, 80))
    sink.close()
    sink.close()
    with pytest.raises(SinkError, match="is closed"):
        sink.delay_frames()


@pytest.mark.parametrize("spare_bytes", [0, 100], ids=["nothing fits", "a part fits"])
def test_a_disk_that_fills_up_costs_nothing_that_was_heard(
    clock: ManualClock, sink: WavSink, tmp_path: Path, spare_bytes: int
) -> None:
    """What the disk refused was cut off the end of the file once more (found by make chaos, seed 31)."""
    pcm = np.arange(1, 401, dtype=np.int16)
    sink.write(pcm)
    clock.advance_ms(10)
    path = tmp_path / "heard.wav"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + spare_bytes, limits[1]))
    try:
        with pytest.raises(SinkError, match="cannot be written"):
            sink.write(pcm)
        sink.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    heard = np.frombuffer(path.read_bytes()[44:], "<i2")
    assert np.array_equal(heard, pcm[: len(heard)])
    assert len(heard) == 10 * RATE_HZ // 1000


def test_a_disk_that_is_full_at_the_first_write_is_a_sink_error(sink: WavSink) -> None:
    """The file with the start time raised OSError, which ended the voice (found by make chaos, seed 33)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        with pytest.raises(SinkError, match="cannot be written"):
            sink.write(ramp(1, 100))
        sink.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
