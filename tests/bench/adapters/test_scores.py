from dataclasses import replace

import pytest

from mien.bench.adapters.driver import Segment, Verdict
from mien.bench.adapters.plan import plain_plan, turn_of
from mien.bench.adapters.scores import Memory, Outcome, incomplete, position_error_ms, rows_of, silence_ms, words_right
from mien.bench.adapters.truth import HeardSegment
from mien.bench.coded import samples

RATE_HZ = 16000
MS = RATE_HZ // 1000


def _segment(length_ms: int = 900) -> Segment:
    (_, segment), *_ = plain_plan(1, 0, RATE_HZ)
    return replace(segment, pcm=samples(turn_of(0), 0, length_ms * MS))


def _outcome(heard_ms: int, position_ms: float | None, words: tuple[str, ...] | None = None, **more: int) -> Outcome:
    heard = HeardSegment(heard_ms * MS, 50_000_000, 50_000_000 + heard_ms * 1_000_000, **more)
    cut = None if heard_ms == 900 else 500_000_000
    return Outcome(_segment(), Verdict(0, cut, position_ms, cut is not None, words), 1, heard)


@pytest.mark.parametrize(("heard", "told"), [(900, 900.0), (420, 420.0)])
def test_a_true_position_has_no_error(heard: int, told: float) -> None:
    assert position_error_ms(_outcome(heard, told), RATE_HZ) == 0
    assert position_error_ms(_outcome(heard, told + 30), RATE_HZ) == 30
    assert position_error_ms(_outcome(heard, None), RATE_HZ) is None


def test_the_word_that_was_cut_may_be_reported_or_not() -> None:
    assert words_right(_outcome(420, 420, ("w0-0",)), RATE_HZ)
    assert words_right(_outcome(420, 420, ("w0-0", "w0-1")), RATE_HZ)


def test_words_that_nobody_heard_are_wrong() -> None:
    assert not words_right(_outcome(420, 420, ()), RATE_HZ)
    assert not words_right(_outcome(420, 420, ("w0-0", "w0-1", "w0-2")), RATE_HZ)
    assert not words_right(_outcome(420, 420, ("w0-1",)), RATE_HZ)


def test_silence_is_measured_from_the_framework_s_interruption() -> None:
    assert silence_ms(_outcome(480, 480)) == 30
    assert silence_ms(_outcome(900, 900)) is None


def test_gaps_and_early_ends_are_faults() -> None:
    assert not incomplete(_outcome(900, 900))
    assert incomplete(_outcome(900, 900, lost=400))
    assert incomplete(_outcome(900, 900, repeated=1))
    early = _outcome(700, 700)
    assert incomplete(replace(early, verdict=Verdict(0, None, 700, False)))
    assert incomplete(replace(early, heard=None, verdict=Verdict(0, None, 0, False)))


def test_hangs_and_miscounts_miss_their_bars() -> None:
    good = _outcome(900, 900)
    bad = [replace(good, verdict=None), replace(good, finishes=2), good]
    rows = {row.name: row for row in rows_of("x", RATE_HZ, bad, [good], [good], Memory(10, 11))}
    assert rows["x: segments that hung"].reached is False
    assert rows["x: segments not finished exactly once"].note == "0 (2)"
    assert rows["x: growth of memory over the script"].reached is True
    assert rows["x: first sound added to mien.client's, p95"].value == 0
    assert rows["x: words"].note == "the framework is told none"
