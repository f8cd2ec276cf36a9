import numpy as np

from mien.bench.adapters.plan import make_plan, plain_plan, turn_of
from mien.bench.coded import find_runs


def test_the_same_seed_gives_the_same_script() -> None:
    first, again = make_plan(7, 40, 16000, True), make_plan(7, 40, 16000, True)
    assert [gap for gap, _ in first] == [gap for gap, _ in again]
    assert all(np.array_equal(a.pcm, b.pcm) and a.words == b.words for (_, a), (_, b) in zip(first, again, strict=True))
    assert any(a.pcm.size != b.pcm.size for (_, a), (_, b) in zip(first, make_plan(8, 40, 16000, True), strict=True))


def test_the_script_holds_every_kind_of_trouble() -> None:
    segments = [segment for _, segment in make_plan(1, 200, 24000, True)]
    interrupted = sum(segment.interrupt_after_ms is not None for segment in segments)
    assert 40 < interrupted < 90
    assert sum(segment.pause_after_ms is not None for segment in segments) > 10
    assert sum(segment.lose_face for segment in segments) > 3
    assert 30 < sum(segment.paced for segment in segments) < 90
    assert not any(segment.pause_after_ms is not None for _, segment in make_plan(1, 200, 24000, False))


def test_words_cover_the_segment_and_the_sound_names_its_turn() -> None:
    (_, segment), *_ = plain_plan(1, 12, 16000)
    assert segment.words[0].start_ms == 0
    assert segment.words[-1].end_ms == 900
    assert {run.turn for run in find_runs(segment.pcm)} == {turn_of(12)}
