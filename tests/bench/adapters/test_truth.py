import numpy as np

from mien.bench.adapters.truth import BLOCK, decode
from mien.bench.coded import samples

SILENCE = np.zeros(1600, np.int16)
OPENED_NS = 5_000_000_000


def test_two_turns_with_their_times() -> None:
    recording = np.concatenate((SILENCE, samples(3, 0, 8000), SILENCE, samples(4, 0, 4000)))
    heard = decode(recording, OPENED_NS, 16000)
    assert (heard[3].frames, heard[4].frames) == (8000, 4000)
    assert heard[3].first_ns == OPENED_NS + 100_000_000
    assert heard[4].last_ns == OPENED_NS + (len(recording) - 1) * 1_000_000_000 // 16000


def test_a_turn_longer_than_the_code_s_period_and_than_a_block() -> None:
    heard = decode(samples(9, 0, BLOCK + 50_000), OPENED_NS, 16000)
    assert (heard[9].frames, heard[9].lost, heard[9].repeated) == (BLOCK + 50_000, 0, 0)


def test_a_pause_loses_nothing() -> None:
    heard = decode(np.concatenate((samples(5, 0, 4000), SILENCE, samples(5, 4000, 4000))), OPENED_NS, 16000)
    assert (heard[5].frames, heard[5].lost, heard[5].repeated) == (8000, 0, 0)


def test_lost_and_repeated_samples_are_counted() -> None:
    lost = decode(np.concatenate((samples(5, 0, 4000), samples(5, 4500, 4000))), OPENED_NS, 16000)
    assert (lost[5].frames, lost[5].lost) == (8500, 500)
    twice = decode(np.concatenate((samples(5, 0, 4000), samples(5, 3000, 2000))), OPENED_NS, 16000)
    assert (twice[5].frames, twice[5].repeated) == (5000, 1000)
