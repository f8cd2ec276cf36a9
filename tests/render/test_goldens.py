"""Frames against golden images, tolerant of noise and small shifts of edges. Under GLES 2.0 too.

A change of light, camera or avatar is meant to fail here; tests/rigs/golden_scenes.py says how to draw them anew.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from rigs.golden_scenes import GOLDENS, SCENES, read

# Mean colour of 4x4 blocks, in steps of 255: below what is noticed side by side.
MOST_ANYWHERE, MOST_ON_AVERAGE = 24.0, 1.5
MOST_BYTES = 300_000


def blocks(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    return pixels[:height, :width].astype(float).reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))


@pytest.fixture(scope="module", params=[{}, {"MESA_GLES_VERSION_OVERRIDE": "2.0"}], ids=["newest", "2.0"])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[np.uint8]]:
    """Every scene, drawn by a process of its own with that version of GLES."""
    saved = tmp_path_factory.mktemp("goldens") / "drawn.npz"
    made = subprocess.run(
        [sys.executable, "-m", "rigs.golden_scenes", str(saved)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **request.param},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert made.returncode == 0, made.stderr
    with np.load(saved) as images:
        if request.param:
            assert "OpenGL ES 2.0" in str(images["version"])
        return {name: images[name] for name in SCENES}


@pytest.mark.parametrize("scene", SCENES)
def test_an_image_looks_like_its_golden(drawn: dict[str, NDArray[np.uint8]], scene: str) -> None:
    golden = read(scene)
    assert drawn[scene].shape == golden.shape
    difference = np.abs(blocks(drawn[scene]) - blocks(golden))
    assert difference.max() < MOST_ANYWHERE
    assert difference.mean() < MOST_ON_AVERAGE


@pytest.mark.parametrize(("one", "other"), [("hand-built", "hand-built-speaking"), ("default", "default-speaking"),
                                            ("default", "default-blink"), ("default", "default-happy"),
                                            ("default", "default-live"), ("default", "default-muted"),
                                            ("default-live", "default-muted")])  # fmt: skip
def test_a_plain_change_would_be_noticed(one: str, other: str) -> None:
    assert np.abs(blocks(read(one)) - blocks(read(other))).max() > MOST_ANYWHERE


def test_another_light_would_be_noticed() -> None:
    golden = read("default")
    brighter = np.clip(golden * 1.05, 0, 255).astype(np.uint8)
    assert np.abs(blocks(golden) - blocks(brighter)).mean() > MOST_ON_AVERAGE


def test_the_goldens_are_these_and_small() -> None:
    files = {path.stem: path.stat().st_size for path in GOLDENS.iterdir()}
    assert set(files) == set(SCENES)
    assert sum(files.values()) < MOST_BYTES
