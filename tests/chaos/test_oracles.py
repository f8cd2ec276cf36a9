"""The oracles of logs, memory and recovery, on synthetic data; the recording that is read while it grows."""

import time

import numpy as np
import pytest

from chaos.ear import MARGIN_FRAMES, Ear
from chaos.logs import MOST_LINES, LogOracle
from chaos.processes import unit_number
from chaos.resources import ResourceOracle, Usage, read_usage
from chaos.violation import Verdicts
from mien.audio.wavfile import WavWriter
from mien.bench.coded import RATE_HZ, samples
from mien.core import wire

MB = 1_000_000
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1\nzmq.error.ZMQError: Too many open files\n'


@pytest.fixture
def wrong():
    return []


def log_oracle(tmp_path, wrong, excused=lambda _: False):
    return LogOracle("voice", tmp_path / "voice.log", lambda *what: wrong.append(what[:2]), excused)


def test_a_traceback_is_noticed_and_named_by_its_error(tmp_path, wrong):
    oracle = log_oracle(tmp_path, wrong)
    oracle.step()
    (tmp_path / "voice.log").write_text(f"mien.voice: ready\n{TRACEBACK}")
    oracle.step()
    oracle.step()
    assert wrong == [("log", "voice ZMQError")]


def test_a_traceback_that_a_fault_explains_is_none(tmp_path, wrong):
    (tmp_path / "voice.log").write_text(TRACEBACK)
    log_oracle(tmp_path, wrong, lambda tail: "Too many" in tail).step()
    assert wrong == []


def test_ordinary_lines_are_well_and_a_flood_is_not(tmp_path, wrong):
    oracle = log_oracle(tmp_path, wrong)
    for second in range(100):
        oracle.take("a line\n" * 20, float(second))
    assert wrong == []
    oracle.take("a line\n" * MOST_LINES, 100.5)
    assert wrong == [("log", "voice flood")]


def test_limits_are_those_of_the_units():
    assert unit_number("voice", "MemoryMax", 0) == 128 << 20
    assert unit_number("face", "MemoryMax", 0) == 384 << 20
    assert unit_number("voice", "NoSuchKey", 7) == 7


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (Usage(100 * MB, 90 * MB, 20, 8, 0), []),
        (Usage(140 * MB, 90 * MB, 20, 8, 0), ["memory"]),
        (Usage(90 * MB, 140 * MB, 20, 8, 0), ["memory"]),
        (Usage(90 * MB, 80 * MB, 20, 33, 0), ["threads"]),
        (Usage(90 * MB, 80 * MB, 20, 8, 1), []),
    ],
)
def test_what_is_over_the_limit_is_noticed(wrong, usage, told):
    oracle = ResourceOracle("voice", lambda *what: wrong.append(what[0]))
    oracle.take(usage)
    assert wrong == told


def test_what_is_left_over_is_told_against_the_lowest_rest(wrong):
    oracle = ResourceOracle("voice", lambda *what: wrong.append(what[0]))
    assert oracle.left_over(Usage(0, 0, 500, 8, 0)) == ""
    oracle.set_rest(Usage(0, 0, 30, 8, 0))
    oracle.set_rest(Usage(0, 0, 25, 8, 0))
    assert oracle.left_over(Usage(0, 0, 29, 8, 0)) == ""
    assert "30 descriptors instead of 25" in oracle.left_over(Usage(0, 0, 30, 8, 0))
    assert "13 threads instead of 8" in oracle.left_over(Usage(0, 0, 25, 13, 0))
    assert "1 children" in oracle.left_over(Usage(0, 0, 25, 8, 1))
    assert oracle.left_over(Usage(23 * MB, 0, 25, 8, 0)) == ""
    assert "25 MB more RSS" in oracle.left_over(Usage(25 * MB, 0, 25, 8, 0))


def test_a_process_is_read_and_one_that_is_gone_is_none():
    import os

    usage = read_usage(os.getpid())
    assert usage is not None
    assert usage.rss >= usage.pss > MB
    assert usage.descriptors > 2
    assert read_usage(2**22 + 1) is None


def test_violations_are_counted_by_kind_and_bounded():
    verdicts = Verdicts(most=3)
    for number in range(10):
        verdicts.add("turns", f"kind {number % 5}", "what")
    assert len(verdicts.found) == 3
    assert sum(verdicts.counts.values()) == 10
    assert verdicts.first.key == "turns/kind 0"


class Recording:
    """A file as the WAV sink writes it."""

    def __init__(self, path, opened_ns):
        path.with_name(f"{path.name}.opened_ns").write_text(f"{opened_ns}\n")
        self.writer = WavWriter(path, RATE_HZ)

    def add(self, pcm):
        self.writer.append(pcm)
        self.writer.repair_header()


def test_the_recording_is_compared_with_what_finished_told(tmp_path, wrong, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    ear = Ear(16, lambda *what: wrong.append(what[:2]))
    recording = Recording(tmp_path / "heard.wav", 1)
    ear.follow(tmp_path / "heard.wav")
    for number, told_ms in ((1, 1000.0), (2, 940.0)):
        ear.begin(number, f"bot-{number}")
        ear.sent(number, RATE_HZ)
        recording.add(samples(number, 0, RATE_HZ))
        ear.over(number, wire.Finished(turn=f"bot-{number}", played_ms=told_ms, interrupted=False, reason="played"))
    recording.add(np.zeros(MARGIN_FRAMES, np.int16))
    ear.step()
    now[0] += 30.0
    ear.step()
    assert wrong == [("played_ms", "recording")]
    assert ear.compared == 2


def test_a_recording_that_is_begun_anew_is_read_anew(tmp_path, wrong):
    ear = Ear(16, lambda *what: wrong.append(what[:2]))
    ear.follow(tmp_path / "heard.wav")
    for number in (1, 2):
        recording = Recording(tmp_path / "heard.wav", number)
        ear.begin(number, f"bot-{number}")
        ear.sent(number, 500)
        recording.add(samples(number, 0, 500))
        recording.add(np.zeros(2 * MARGIN_FRAMES, np.int16))
        ear.step()
        assert ear.heard.heard_ms(number) == 500 * 1000 / RATE_HZ
    assert wrong == []
