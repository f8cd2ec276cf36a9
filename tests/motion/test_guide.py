"""The shipped engine with text: what it changes, and when it must change nothing."""

import shutil
import subprocess
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.client.phones import phones_of_text
from mien.client.wav import wav_chunks
from mien.motion.base import MotionFrames, Pcm
from mien.motion.guidance import SpokenWord
from mien.motion.guide import Guide
from mien.motion.load import load_engine, shipped_manifest
from mien.motion.phone_classes import NAMES
from mien.motion.phone_model import PhoneModel
from mien.motion.tflite import TfliteEngine

STEP = 320


@pytest.fixture(scope="module")
def engine() -> TfliteEngine:
    return TfliteEngine(shipped_manifest())


def vowels(seconds: float) -> Pcm:
    """A buzz like a vowel whose formants wander."""
    at = np.arange(int(seconds * 16_000)) / 16_000
    sound = np.zeros(len(at))
    for partial in range(1, 30):
        hz = partial * (120 + 8 * np.sin(9 * at))
        shape = np.exp(-(((hz - 700 - 200 * np.sin(11 * at)) / 250) ** 2)) + 0.3 * np.exp(-(((hz - 1400) / 300) ** 2))
        sound += shape * np.sin(2 * np.pi * np.cumsum(hz) / 16_000)
    return np.asarray(sound * 3000, dtype=np.int16)


def spoken(text: str) -> Pcm:
    """espeak-ng's speech at 16 kHz."""
    done = subprocess.run(["espeak-ng", "-v", "en-us", "--stdout", text], capture_output=True, check=True)
    pcm = [np.frombuffer(bytes(chunk), "<i2") for chunk in wav_chunks(done.stdout, 16_000)]
    return np.concatenate(pcm).astype(np.int16)


def said(*words: str) -> list[SpokenWord]:
    return [SpokenWord(tuple(word.split())) for word in words]


def moved(
    engine: TfliteEngine, pcm: Pcm, at: dict[int, list[SpokenWord]] | None = None, step: int = STEP
) -> MotionFrames:
    """The frames of a turn. at: the words given before each chunk of that number."""
    engine.reset()
    frames = []
    for number, first in enumerate(range(0, len(pcm), step)):
        if at and number in at:
            engine.guide(at[number])
        frames.append(engine.push(pcm[first : first + step]).copy())
    return np.concatenate([*frames, engine.flush().copy()])


def test_without_text_the_frames_are_those_of_the_sound(engine: TfliteEngine) -> None:
    plain = moved(engine, vowels(1.0))
    np.testing.assert_array_equal(moved(engine, vowels(1.0), {0: []}), plain)
    assert engine.guided.frames == 0


def test_text_does_not_outlive_its_turn(engine: TfliteEngine) -> None:
    plain = moved(engine, vowels(1.0))
    moved(engine, vowels(1.0), {0: said("m a m a")})
    np.testing.assert_array_equal(moved(engine, vowels(1.0)), plain)


def test_frames_do_not_depend_on_chunks_with_text_either(engine: TfliteEngine) -> None:
    text = {0: said("a", "m a", "a")}
    whole = moved(engine, vowels(1.0), text, step=16_000)
    np.testing.assert_array_equal(moved(engine, vowels(1.0), text), whole)
    np.testing.assert_array_equal(moved(engine, vowels(1.0), text, step=97), whole)


def test_late_text_changes_nothing_before_it_came(engine: TfliteEngine) -> None:
    pcm = vowels(1.2)
    plain, late = moved(engine, pcm), moved(engine, pcm, {30: said("a", "a")})
    np.testing.assert_array_equal(late[:50], plain[:50])


def test_late_text_is_aligned_as_if_it_had_come_in_time(engine: TfliteEngine) -> None:
    pcm = vowels(1.2)
    text = said("a", "a", "a")
    early, late = moved(engine, pcm, {0: text}), moved(engine, pcm, {30: text})
    np.testing.assert_allclose(late[-30:], early[-30:], atol=0.02)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_right_text_is_believed_and_another_is_not(engine: TfliteEngine) -> None:
    pcm = spoken("Would anybody remember more about my umbrella and the maps from the museum?")
    trusted = {}
    for text in (
        "Would anybody remember more about my umbrella and the maps from the museum?",
        "Seventy kids are singing in the sunset, eating candy, dancing in the street.",
    ):
        words = [SpokenWord(tuple(word.phones.split())) for word in phones_of_text(text, "en-US")]
        moved(engine, pcm, {0: words})
        trusted[text] = engine.guided.trusted / engine.guided.frames
    right, other = trusted.values()
    assert right > 0.7
    assert other < 0.5


def test_hostile_text_crashes_nothing_and_is_counted(engine: TfliteEngine) -> None:
    words = [SpokenWord(("💩",)), SpokenWord(()), SpokenWord(("m",) * 5000), SpokenWord(("a",), 9.0, 1.0)]
    frames = moved(engine, vowels(0.5), {0: words, 5: said(*["m a"] * 10_000)})
    assert np.isfinite(frames).all()
    report = engine.guided
    assert (report.unknown, report.untimed) == (1, 1)
    assert report.dropped > 0


def test_the_envelope_takes_text_and_ignores_it() -> None:
    from mien.motion.load import load_envelope

    envelope = load_envelope()
    envelope.guide(said("m a"))
    assert envelope.guided.frames == 0
    assert load_engine().guided.words == 0


class HearingModel:
    """A phone model that only says what it was given."""

    def __init__(self) -> None:
        self.manifest = SimpleNamespace(delay_frames=0, width=1)
        self.heard: list[int] = []
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def hear(self, state: NDArray[np.int8]) -> None:
        self.heard.append(int(state[0]))

    def likelihoods(self) -> NDArray[np.float32]:
        return np.ones((2, len(NAMES)), np.float32)


def stepped(guide: Guide, first: int, count: int) -> None:
    for number in range(first, first + count):
        shapes = np.zeros((2, 52), np.float32)
        guide.step(np.array([number % 100], np.int8), shapes, np.zeros(2, np.bool_))


@pytest.mark.parametrize(("before", "kept"), [(0, 0), (30, 30), (100, 100), (130, 100)])
def test_text_that_comes_late_is_aligned_with_what_was_heard_of_the_last_two_seconds(before: int, kept: int) -> None:
    model = HearingModel()
    guide = Guide(cast("PhoneModel", model))
    stepped(guide, 0, before)
    assert model.heard == []
    guide.add(said("m a", "m a"))
    assert model.heard == [number % 100 for number in range(before - kept, before)]
    guide.add(said("m a"))
    stepped(guide, before, 2)
    assert model.heard[kept:] == [number % 100 for number in range(before, before + 2)]
    guide.reset()
    assert model.resets == 1
    stepped(guide, 0, 5)
    assert len(model.heard) == kept + 2


@pytest.mark.parametrize("delay_frames", [0, 1, 5])
def test_what_is_heard_before_the_networks_delay_is_no_frame(
    monkeypatch: pytest.MonkeyPatch, delay_frames: int
) -> None:
    model = HearingModel()
    model.manifest.delay_frames = delay_frames
    guide = Guide(cast("PhoneModel", model))
    frames: list[int] = []
    guide.add(said("m a"))
    monkeypatch.setattr(guide.aligner, "step", lambda _, frame: frames.append(frame))
    stepped(guide, 0, 5)
    assert frames == list(range(10 - delay_frames))


def test_the_newest_state_is_what_the_phone_model_hears(engine: TfliteEngine) -> None:
    assert engine.text_guide is not None
    width = engine.text_guide._model.manifest.width
    newest = engine.newest_state(engine.text_guide._model.manifest.state)
    engine.reset()
    engine.push(vowels(0.1))
    before = newest().copy()
    engine.push(vowels(0.2))
    assert (newest().dtype, newest().shape) == (np.int8, (width,))
    assert (newest() != before).any()
    assert engine._hidden is not None
    np.testing.assert_array_equal(newest(), engine._hidden())
