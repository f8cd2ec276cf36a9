"""The shipped phone models, and artefacts that do not fit."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from mien.errors import ModelError
from mien.motion.load import shipped_manifest
from mien.motion.manifest import read_manifest
from mien.motion.phone_classes import NAMES
from mien.motion.phone_model import PhoneManifest, PhoneModel, load_phone_model, phone_manifest_path

SHIPPED = ("mien-standard",)


def load(path: Path) -> PhoneModel | None:
    manifest = read_manifest(path)
    return load_phone_model(path, manifest.sha256, manifest.delay_frames)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    source = shipped_manifest()
    for path in (source, phone_manifest_path(source), phone_manifest_path(source).with_suffix(".bin")):
        shutil.copy(path, tmp_path)
    return tmp_path / source.name


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_ones_load_and_answer(name: str) -> None:
    model = load(shipped_manifest(name))
    assert model is not None
    model.hear(np.zeros(model.manifest.width, np.int8))
    likelihoods = model.likelihoods()
    assert likelihoods.shape == (2, len(NAMES))
    assert likelihoods.max(axis=1).tolist() == [1.0, 1.0]
    assert likelihoods.min() > 0


def test_a_network_without_one_is_not_guided(copied: Path) -> None:
    phone_manifest_path(copied).unlink()
    assert load(copied) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("network_sha256", "0"), ("sha256", "0"), ("format", 9), ("classes", ["a"]), ("delay_frames", 1), ("hidden", 3)],
)
def test_what_does_not_fit_is_refused_by_its_field(copied: Path, field: str, value: object) -> None:
    path = phone_manifest_path(copied)
    words = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**words, field: value}), "utf-8")
    with pytest.raises(ModelError, match="finite numbers" if field == "hidden" else rf"\$\.{field}"):
        load(copied)


def test_noise_is_refused(copied: Path) -> None:
    phone_manifest_path(copied).write_text("{")
    with pytest.raises(ModelError, match="not a phone model's manifest"):
        load(copied)


def test_each_belongs_to_its_network() -> None:
    for name in SHIPPED:
        path = shipped_manifest(name)
        assert (
            msgspec.json.decode(phone_manifest_path(path).read_bytes())["network_sha256"] == read_manifest(path).sha256
        )


def small_model() -> PhoneModel:
    """A model of a network of two values, with three hidden values; weights by chance."""
    random = np.random.default_rng(3)
    manifest = cast("PhoneManifest", SimpleNamespace(width=2, hidden=3, delay_frames=0))
    shapes = ((6, 3), (3,), (3, 2 * len(NAMES)), (2 * len(NAMES),))
    layers = tuple(random.normal(0, 3, shape).astype(np.float32) for shape in shapes)
    return PhoneModel(manifest, cast("Any", layers))


def expected(model: PhoneModel, taps: list[tuple[int, int]]) -> Any:
    hidden = np.maximum(np.array(taps, np.float32).reshape(-1) @ model._enter + model._enter_bias, 0)
    scores = (hidden @ model._leave + model._leave_bias).reshape(2, -1)
    return np.exp(0.3 * np.maximum(scores - scores.max(axis=1, keepdims=True), -10.0))


def test_the_likelihoods_are_those_of_the_last_three_steps() -> None:
    model = small_model()
    one, two, three = (1, -2), (3, 4), (-5, 6)
    for state, taps in ((one, [one] * 3), (two, [one, one, two]), (three, [one, two, three]), (one, [two, three, one])):
        model.hear(np.array(state, np.int8))
        found = model.likelihoods()
        np.testing.assert_allclose(found, expected(model, taps), rtol=1e-4)
        assert found.max() == 1.0
        assert found.min() >= np.exp(np.float32(-3.0))
    model.reset()
    model.hear(np.array(two, np.int8))
    np.testing.assert_allclose(model.likelihoods(), expected(model, [two] * 3), rtol=1e-4)
