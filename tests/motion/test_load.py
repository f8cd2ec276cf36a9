"""Looking up a model by name, by path, by default."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ModelError
from mien.motion import load
from mien.motion.load import SHIPPED, load_engine, shipped_manifest
from mien.motion.prosody import ProsodyStream


def test_a_shipped_model_is_found_by_its_name_and_by_none() -> None:
    assert load_engine(Path(SHIPPED)).info == load_engine().info == load_engine(shipped_manifest()).info


def test_a_name_that_did_not_come_with_mien_is_refused_with_those_that_did() -> None:
    with pytest.raises(ModelError, match=SHIPPED):
        load_engine(Path("mien-imaginary"))
    with pytest.raises(ModelError, match="cannot be read"):
        load_engine(Path("somewhere/mien-imaginary.json"))


def test_without_any_shipped_model_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(load, "_PACKAGE", tmp_path)
    monkeypatch.setattr(load, "_SOURCE", tmp_path)
    with pytest.raises(ModelError, match="reinstall"):
        load_engine()


@pytest.mark.parametrize("delay_frames", [2, 4, 8])
def test_lookahead_is_what_the_manifest_says_everywhere(tmp_path: Path, delay_frames: int) -> None:
    """The same network with another delay in its manifest: frames and prosody follow the manifest."""
    source = shipped_manifest()
    shutil.copy(source.with_suffix(".tflite"), tmp_path)
    content = json.loads(source.read_text())
    lookahead_ms = (delay_frames + 2) * 10.0
    content.update(delay_frames=delay_frames, lookahead_ms=lookahead_ms)
    path = tmp_path / source.name
    path.write_text(json.dumps(content))
    engine = load_engine(path)
    assert engine.info.lookahead_ms == lookahead_ms
    prosody, frames, rows = ProsodyStream(engine.info.lookahead_ms), 0, 0
    for heard_ms in range(20, 400, 20):
        chunk = np.zeros(320, dtype=np.int16)
        frames, rows = frames + len(engine.push(chunk)), rows + len(prosody.push(chunk))
        assert frames == max(0, (heard_ms - int(lookahead_ms)) // 10 + 2)
        assert rows == max(0, (heard_ms - int(lookahead_ms)) // 20 + 1)
