"""The network between features, states, poses, with a scripted interpreter."""

from typing import Any

import numpy as np
import pytest

from mien.core.pose import SHAPE_COUNT
from mien.errors import ModelError
from mien.motion import tflite
from mien.motion.interpreter import Opened, open_interpreter
from mien.motion.load import shipped_manifest
from mien.motion.manifest import read_manifest
from mien.motion.tflite import Network, TfliteEngine

MANIFEST = read_manifest(shipped_manifest())


class Scripted:
    """The shipped model's tensors with scripted results. taken, given: tensor details by name."""

    def __init__(self) -> None:
        real = open_interpreter(shipped_manifest().with_suffix(".tflite").read_bytes()).interpreter
        self.taken = {detail["name"]: dict(detail) for detail in real.get_input_details()}
        self.given = {detail["name"]: dict(detail) for detail in real.get_output_details()}
        self.fed: list[dict[int, np.ndarray]] = []
        self._feeding: dict[int, np.ndarray] = {}
        self.answer = np.zeros((1, 2 * SHAPE_COUNT), np.int8)
        self.memory = 5

    def get_input_details(self) -> list[dict[str, Any]]:
        return list(self.taken.values())

    def get_output_details(self) -> list[dict[str, Any]]:
        return list(self.given.values())

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self._feeding[index] = value.copy()

    def invoke(self) -> None:
        self.fed.append(self._feeding)
        self._feeding = {}

    def get_tensor(self, index: int) -> np.ndarray:
        if index == self.given[MANIFEST.output]["index"]:
            return self.answer
        detail = next(found for found in self.given.values() if found["index"] == index)
        return np.full(detail["shape"], self.memory, np.int8)


def stepped(script: Scripted, features: np.ndarray | None = None) -> np.ndarray:
    out = np.empty((2, SHAPE_COUNT), np.float32)
    bands = MANIFEST.features.bands
    Network(MANIFEST, script).step(np.zeros((2, bands), np.float32) if features is None else features, out)
    return out


def test_features_are_rounded_to_the_inputs_scale_and_held_in_its_range() -> None:
    script = Scripted()
    entry = script.taken[MANIFEST.input]
    entry["quantization"] = (0.5, 3)
    features = np.zeros((2, MANIFEST.features.bands), np.float32)
    features[0, :5] = (1.0, 1.2, 1.3, 1e6, -1e6)
    features[1, -1] = -2.0
    stepped(script, features)
    fed = script.fed[0][entry["index"]][0]
    assert fed[:5].tolist() == [5, 5, 6, 127, -128]
    assert (fed[5], fed[-1]) == (3, -1)


def test_answers_are_scaled_about_their_zero() -> None:
    script = Scripted()
    script.given[MANIFEST.output]["quantization"] = (0.01, -28)
    script.answer = np.arange(-28, 2 * SHAPE_COUNT - 28, dtype=np.int8)[None]
    np.testing.assert_allclose(stepped(script).reshape(-1), 0.01 * np.arange(2 * SHAPE_COUNT), rtol=1e-5)


def test_states_begin_at_their_zero_and_go_round() -> None:
    script = Scripted()
    state = script.taken[MANIFEST.states[0].name]
    for found in (state, script.given[f"{MANIFEST.states[0].name}_next"]):
        found["quantization"] = (0.1, 9)
    network, features = Network(MANIFEST, script), np.zeros((2, MANIFEST.features.bands), np.float32)
    out = np.empty((2, SHAPE_COUNT), np.float32)
    for _ in range(2):
        network.step(features, out)
    network.reset()
    network.step(features, out)
    assert [int(fed[state["index"]].flat[0]) for fed in script.fed] == [9, 5, 9]


@pytest.mark.parametrize("quantization", [(0.2, 0), (0.1, 1)])
def test_a_state_that_comes_back_at_another_scale_is_refused(quantization: tuple[float, int]) -> None:
    """Otherwise the state would drift at every step unnoticed."""
    script = Scripted()
    name = MANIFEST.states[-1].name
    script.taken[name]["quantization"] = (0.1, 0)
    script.given[f"{name}_next"]["quantization"] = (0.1, 0)
    Network(MANIFEST, script)
    script.given[f"{name}_next"]["quantization"] = quantization
    with pytest.raises(ModelError, match=f"state '{name}' has different scales at input and output"):
        Network(MANIFEST, script)


def test_tensors_that_are_not_the_manifests_are_refused_by_name() -> None:
    for where, name in (("taken", MANIFEST.input), ("given", MANIFEST.output)):
        wrong_shape, wrong_type, missing = Scripted(), Scripted(), Scripted()
        getattr(wrong_shape, where)[name]["shape"] = [1, 7]
        getattr(wrong_type, where)[name]["dtype"] = np.float32
        getattr(missing, where)["other"] = getattr(missing, where).pop(name) | {"name": "other"}
        told = ((wrong_shape, r"is int8 \(1, 7\)"), (wrong_type, "is float32"), (missing, "has no tensor"))
        for script, says in told:
            with pytest.raises(ModelError, match=says):
                Network(MANIFEST, script)
    for where in ("taken", "given"):
        more = Scripted()
        getattr(more, where)["more"] = {"name": "more"}
        with pytest.raises(ModelError, match="tensors differ from those in its manifest"):
            Network(MANIFEST, more)


def faces(monkeypatch: pytest.MonkeyPatch, answer: np.ndarray, scale: float = 0.01) -> np.ndarray:
    """The engine's frames for one output of the network, `scale` per unit: (2, channels)."""
    script = Scripted()
    script.given[MANIFEST.output]["quantization"] = (scale, 0)
    script.answer = answer.reshape(1, -1).astype(np.int8)
    monkeypatch.setattr(tflite, "open_interpreter", lambda *_, **__: Opened(script, "scripted"))
    engine = TfliteEngine(shipped_manifest())
    frames = np.concatenate([engine.push(np.zeros(320, np.int16)).copy() for _ in range(20)])
    assert (frames == frames[:2][np.arange(len(frames)) % 2]).all()
    return frames[:2]


def test_a_face_that_only_flickers_is_at_rest_and_one_that_moves_is_shown_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = np.zeros((2, SHAPE_COUNT))
    answer[0, :3] = 2
    answer[1, :3] = (4, 1, -5)
    at_rest, moving = faces(monkeypatch, answer)
    assert not at_rest.any()
    np.testing.assert_allclose(moving[:3], [0.04, 0.01, 0.0], rtol=1e-5)
    answer[0, :3] = 1
    np.testing.assert_allclose(faces(monkeypatch, answer, tflite.REST)[0, :3], 0.03, rtol=1e-5)


def test_shapes_are_held_between_none_and_all(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = np.zeros((2, SHAPE_COUNT))
    answer[:, 0], answer[:, 1], answer[:, 2] = 127, -128, 50
    for frame in faces(monkeypatch, answer):
        np.testing.assert_allclose(frame[:3], [1.0, 0.0, 0.5], rtol=1e-5)
        assert not frame[SHAPE_COUNT:].any()
