"""The contract of runtime/mien/motion/base.py, over every engine that this machine can load.

An interpreter that is not installed is skipped by name, unless MIEN_INTERPRETERS lists it ("LiteRT,tflite-runtime"):
`make test-matrix` requires both on Python 3.11.
"""

import importlib.util
import os
from collections.abc import Callable

import numpy as np
import pytest

from mien.core.pose import HEAD_CHANNELS, SHAPE_COUNT, SPEECH_INDICES
from mien.motion.base import MotionEngine, MotionFrames, Pcm
from mien.motion.interpreter import LITERT, TFLITE_RUNTIME, Runtime
from mien.motion.load import load_envelope, shipped_manifest
from mien.motion.tflite import TfliteEngine

RUNTIMES = {runtime.name: runtime for runtime in (LITERT, TFLITE_RUNTIME)}
REQUIRED = set(filter(None, os.environ.get("MIEN_INTERPRETERS", "").split(",")))
# How far two interpreters may differ in a blend shape, since their int8 kernels round differently and the states carry
# it on: 99.9 % of the values within TOLERANCE, the rest (mostly of one shape, for a frame or two) within OUTLIER.
# Measured between tflite-runtime 2.14 and LiteRT 2.3: 0.024 and 0.08 on espeak-ng's speech, 0.038 and 0.16 on babble().
TOLERANCE, OUTLIER = 0.04, 0.2


def run_by(runtime: Runtime) -> MotionEngine:
    """The shipped model in that interpreter; skips the test when it is not installed."""
    if runtime.name not in REQUIRED and not importlib.util.find_spec(runtime.module.partition(".")[0]):
        pytest.skip(f"{runtime.name} is not installed (pip install {runtime.distribution})")
    return TfliteEngine(shipped_manifest(), runtimes=(runtime,))


LOADERS: dict[str, Callable[[], MotionEngine]] = {
    **{name: lambda runtime=runtime: run_by(runtime) for name, runtime in RUNTIMES.items()},
    "envelope": load_envelope,
}


@pytest.fixture(params=sorted(LOADERS), scope="module")
def engine(request: pytest.FixtureRequest) -> MotionEngine:
    return LOADERS[request.param]()


def babble(seconds: float, rate_hz: int = 16_000, seed: int = 1) -> Pcm:
    """Synthetic speech: a buzz through two moving resonances, in syllables."""
    draw = np.random.default_rng(seed)
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    syllables = np.clip(np.sin(2 * np.pi * 3.7 * at), 0, 1)
    sound = np.zeros(len(at))
    for partial in range(1, 30):
        formants = np.exp(-(((partial * 120 - 600 - 300 * np.sin(5 * at)) / 300) ** 2))
        sound += formants * np.sin(2 * np.pi * 120 * partial * at)
    return np.asarray((sound * syllables + 0.01 * draw.standard_normal(len(at))) * 4000, dtype=np.int16)


def whole(engine: MotionEngine, pcm: Pcm, chunk: int = 0) -> MotionFrames:
    """All frames of a turn, pushed in chunks of that many samples (0: at once)."""
    size = chunk or max(1, len(pcm))
    parts = [engine.push(pcm[at : at + size]).copy() for at in range(0, len(pcm), size)]
    return np.concatenate([*parts, engine.flush().copy()])


@pytest.mark.parametrize("chunk", [1, 7, 160, 321, 1000, 16_000])
def test_frames_do_not_depend_on_chunks(engine: MotionEngine, chunk: int) -> None:
    pcm = babble(0.9)
    np.testing.assert_array_equal(whole(engine, pcm, chunk), whole(engine, pcm))


def test_frames_do_not_depend_on_ragged_chunks(engine: MotionEngine) -> None:
    pcm, draw = babble(2.3), np.random.default_rng(3)
    cuts = np.sort(draw.integers(0, len(pcm), 40))
    parts = [engine.push(part).copy() for part in np.split(pcm, cuts)]
    np.testing.assert_array_equal(np.concatenate([*parts, engine.flush()]), whole(engine, pcm))


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 161, 320, 333, 1600, 16_001])
def test_every_frame_is_returned_exactly_once(engine: MotionEngine, samples: int) -> None:
    frames = whole(engine, babble(2)[:samples], 100)
    assert frames.shape == (-(-samples * engine.info.frame_hz // engine.info.rate_hz), SHAPE_COUNT + len(HEAD_CHANNELS))
    assert frames.dtype == np.float32


def test_a_frame_comes_no_later_than_the_lookahead_says(engine: MotionEngine) -> None:
    engine.reset()
    pcm, frames, info = babble(1.5), 0, engine.info
    for at in range(0, len(pcm), 80):
        frames += len(engine.push(pcm[at : at + 80]))
        seen_ms = (at + 80) * 1000 / info.rate_hz - info.lookahead_ms
        due = int(seen_ms * info.frame_hz / 1000 + 1e-9) + 1 if seen_ms >= 0 else 0
        assert frames >= due
    engine.reset()


def test_a_frame_depends_on_nothing_beyond_the_lookahead(engine: MotionEngine) -> None:
    pcm, info = babble(1.5), engine.info
    changed = pcm.copy()
    cut = 16_000
    changed[cut:] = babble(1.5, seed=9)[::-1][cut:]
    settled = int((cut * 1000 / info.rate_hz - info.lookahead_ms) * info.frame_hz / 1000)
    one, other = whole(engine, pcm), whole(engine, changed)
    np.testing.assert_array_equal(one[:settled], other[:settled])
    assert not np.array_equal(one, other)


def test_values_stay_in_range_and_speech_moves_the_jaw(engine: MotionEngine) -> None:
    frames = whole(engine, babble(2))
    assert np.isfinite(frames).all()
    assert frames[:, :SHAPE_COUNT].min() >= 0
    assert frames[:, :SHAPE_COUNT].max() <= 1
    assert np.abs(frames[:, SHAPE_COUNT:]).max() <= 0.5
    assert np.ptp(frames[:, SPEECH_INDICES], axis=0).max() > 0.1


def test_digital_silence_is_a_still_face(engine: MotionEngine) -> None:
    settled = whole(engine, np.zeros(32_000, dtype=np.int16))[30:, SPEECH_INDICES]
    assert np.ptp(settled, axis=0).max() < 0.01
    assert settled[:, :].max() < 0.1


def test_the_face_comes_to_rest_after_speech(engine: MotionEngine) -> None:
    frames = whole(engine, np.concatenate([babble(1.0), np.zeros(24_000, dtype=np.int16)]))
    assert np.ptp(frames[-60:, SPEECH_INDICES], axis=0).max() < 0.02


def test_reset_and_flush_start_a_new_turn(engine: MotionEngine) -> None:
    pcm = babble(0.7)
    first = whole(engine, pcm)
    engine.push(babble(0.31, seed=5))
    engine.reset()
    np.testing.assert_array_equal(whole(engine, pcm), first)


def test_full_scale_noise_and_clipping_give_no_nonsense(engine: MotionEngine) -> None:
    draw = np.random.default_rng(2)
    harsh = draw.choice(np.array([-32768, 32767], dtype=np.int16), 16_000)
    frames = whole(engine, harsh)
    assert np.isfinite(frames).all()
    assert frames.min() >= -0.5
    assert frames.max() <= 1


def test_the_interpreters_agree() -> None:
    assert set(RUNTIMES) >= REQUIRED
    litert, tflite_runtime = run_by(LITERT), run_by(TFLITE_RUNTIME)
    pcm = np.concatenate([babble(6, seed=seed) // scale for seed, scale in ((1, 1), (4, 3), (9, 12))])
    difference = np.abs(whole(litert, pcm) - whole(tflite_runtime, pcm))
    assert np.percentile(difference, 99.9) <= TOLERANCE
    assert difference.max() <= OUTLIER


def test_an_engine_names_its_interpreter(engine: MotionEngine) -> None:
    name = engine.info.interpreter
    assert any(name.startswith(f"{runtime} ") for runtime in RUNTIMES) if engine.info.backend == "tflite" else not name
