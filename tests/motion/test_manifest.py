"""Mismatched manifests are refused with a message that names the location, then the remedy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mien.errors import ModelError
from mien.motion.load import load_engine, shipped_manifest
from mien.motion.manifest import read_manifest
from mien.motion.tflite import TfliteEngine, open_interpreter


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The manifest path of a copy of the shipped model, which tests may modify."""
    source = shipped_manifest()
    shutil.copy(source.with_suffix(".tflite"), tmp_path)
    return Path(shutil.copy(source, tmp_path))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_shipped_model_loads_and_says_what_it_is() -> None:
    engine = load_engine()
    assert engine.info.backend == "tflite"
    assert engine.info.rate_hz == 16_000
    assert 0 < engine.info.lookahead_ms <= 100


def test_the_shipped_artefact_is_small() -> None:
    assert shipped_manifest().with_suffix(".tflite").stat().st_size < 1_000_000


def test_an_artefact_of_another_hash_is_refused(model: Path) -> None:
    artefact = model.with_suffix(".tflite")
    artefact.write_bytes(artefact.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="sha256"):
        TfliteEngine(model)


def test_a_truncated_artefact_with_a_matching_hash_is_refused(model: Path) -> None:
    import hashlib

    artefact = model.with_suffix(".tflite")
    artefact.write_bytes(b"not a model")
    edit(model, lambda m: m.update(sha256=hashlib.sha256(b"not a model").hexdigest()))
    with pytest.raises(ModelError, match="cannot run"):
        TfliteEngine(model)


@pytest.mark.parametrize(
    "field", ["sha256", "frame_hz", "lookahead_ms", "outputs", "states", "features", "quantization", "delay_frames"]
)
def test_a_missing_field_is_named(model: Path, field: str) -> None:
    edit(model, lambda m: m.pop(field))
    with pytest.raises(ModelError, match=field):
        TfliteEngine(model)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.update(quantization="float32"), r"\$\.quantization"),
        (lambda m: m["outputs"].reverse(), r"\$\.outputs"),
        (lambda m: m.update(frame_hz=60), r"\$\.frame_hz"),
        (lambda m: m.update(lookahead_ms=1.0), r"\$\.lookahead_ms"),
        (lambda m: m.update(format=99), r"\$\.format"),
        (lambda m: m.update(model="../elsewhere.tflite"), r"\$\.model"),
        (lambda m: m["features"].update(bands="many"), r"features\.bands"),
        (lambda m: m["features"].update(bands=20), "band_mean"),
        (lambda m: m.update(band_mean=None) or m["features"].update(bands=20), "features"),
        (lambda m: m["band_mean"].update(decay=1.5), r"\$\.band_mean"),
        (lambda m: m["band_mean"]["reference"].pop(), r"\$\.band_mean"),
        (lambda m: m["states"].pop(), "states"),
        (lambda m: m["states"][0].update(shape=[1, 3, 5]), "state_0"),
        (lambda m: m["states"][0].update(name="memory"), "memory"),
        (lambda m: m.update(surprise=1), "surprise"),
    ],
)
def test_a_wrong_field_is_named(model: Path, change: Callable[[dict[str, Any]], object], named: str) -> None:
    edit(model, change)
    with pytest.raises(ModelError, match=named):
        TfliteEngine(model)


def test_a_manifest_that_is_no_json_or_not_there(model: Path, tmp_path: Path) -> None:
    model.write_text("{")
    with pytest.raises(ModelError, match="not a motion manifest"):
        read_manifest(model)
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(tmp_path / "none.json")


def test_a_missing_artefact_is_named(model: Path) -> None:
    model.with_suffix(".tflite").unlink()
    with pytest.raises(ModelError, match="tflite"):
        TfliteEngine(model)


def test_without_a_runtime_the_error_says_what_to_install() -> None:
    with pytest.raises(ModelError, match="install tflite-runtime"):
        open_interpreter(b"", runtimes=("no_such_runtime.interpreter",))
