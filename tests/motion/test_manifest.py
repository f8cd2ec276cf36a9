"""Mismatched manifests are refused with a message that names the location, then the remedy."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from mien.errors import ModelError
from mien.motion.interpreter import RUNTIMES, Runtime, open_interpreter
from mien.motion.load import load_engine, shipped_manifest
from mien.motion.manifest import read_manifest
from mien.motion.tflite import TfliteEngine


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
        open_interpreter(b"", runtimes=(Runtime("none", "none", "no_such_runtime.interpreter"),))


def test_without_a_runtime_an_unsupported_architecture_is_told_which_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(ModelError, match="there is none for riscv64, but for x86_64 and aarch64"):
        open_interpreter(b"", runtimes=())


def test_an_interpreter_beside_a_numpy_that_it_was_not_built_for_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise SystemError("CreateWrapperFromBuffer returned a result with an exception set")

    monkeypatch.setitem(sys.modules, "old_runtime", SimpleNamespace(Interpreter=refuse))
    with pytest.raises(ModelError, match="old does not work with the numpy that is installed"):
        open_interpreter(b"", runtimes=(Runtime("old", "old", "old_runtime"),))


def test_the_first_runtime_that_is_installed_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "first_runtime", SimpleNamespace(Interpreter=lambda **_: MagicMock()))
    runtimes = (Runtime("lost", "lost", "no_such_runtime"), Runtime("first", "none", "first_runtime"), *RUNTIMES)
    assert open_interpreter(b"", runtimes=runtimes).name == "first"
    assert RUNTIMES[0].name == "LiteRT"
