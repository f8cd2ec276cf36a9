"""The motion benchmark: speed on one core, in the 20 ms chunks of the bus."""

import time
from collections.abc import Callable

import numpy as np

from mien.bench.rows import Report, Row, machine
from mien.bench.speech import RATE_HZ, utterances
from mien.motion.base import Pcm
from mien.motion.load import load_engine
from mien.motion.prosody import ProsodyStream

CHUNK = RATE_HZ // 50
RUNS = 5
BAR = 100.0
Progress = Callable[[str], None]


def run_motion(count: int, progress: Progress) -> Report:
    """Measure the speed relative to real time by CPU time: the engine alone, then together with prosody."""
    progress("motion speed")
    engine = load_engine(None)
    prosody = ProsodyStream(engine.info.lookahead_ms)
    speech = np.concatenate(utterances(count))
    chunks = [speech[at : at + CHUNK] for at in range(0, len(speech), CHUNK)]
    alone = [_times_real_time(chunks, engine.push) for _ in range(RUNS)]
    engine.reset()

    def both(chunk: Pcm) -> None:
        engine.push(chunk)
        prosody.push(chunk)

    beside = [_times_real_time(chunks, both) for _ in range(RUNS)]
    rows = (_row("motion, times faster than real time (features included)", alone, BAR),
            _row("motion and prosody, times faster than real time", beside, None))  # fmt: skip
    return Report(benchmark="motion", rows=rows, machine=machine())


def _times_real_time(chunks: list[Pcm], push: Callable[[Pcm], object]) -> float:
    started_s = time.process_time()
    for chunk in chunks:
        push(chunk)
    return sum(len(chunk) for chunk in chunks) / RATE_HZ / (time.process_time() - started_s)


def _row(name: str, ratios: list[float], bar: float | None) -> Row:
    return Row(name=name, value=round(float(np.median(ratios)), 1), unit="x", bar=bar, at_most=False,
               samples=len(ratios))  # fmt: skip
