"""The face benchmark: identical frames through every binding, instruction counts as QEMU prints them."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mien.avatar.load import load_avatar
from mien.bench.face import Motion, instruction_row
from mien.bench.face_drawing import BINDINGS, Drawing, SwitchedGl
from mien.bench.qemu import CannotCount, count_instructions, total_instructions
from mien.core.pose import new_pose
from mien.errors import MienError
from mien.render.draw_calls import MAX_DRAW_CALLS
from mien.render.gles import GlesRenderer


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_process_without_a_driver_draws_and_reports_its_cost(tmp_path: Path, binding: str) -> None:
    motion = tmp_path / "motion.npy"
    np.save(motion, np.random.default_rng(1).random((20, 55), dtype=np.float32) * 0.3)
    made = subprocess.run(
        [sys.executable, "-m", "mien.bench.face_drawing", "--motion", str(motion), "--frame-hz", "100",
         "--frames", "25", "--size", "90", "160", "--binding", binding],
        env={**os.environ, "SDL_VIDEODRIVER": "offscreen", "GALLIUM_NOOP": "true", "GALLIUM_THREAD": "0"},
        capture_output=True, timeout=60)  # fmt: skip
    assert made.returncode == 0, made.stderr.decode()
    drawing = msgspec.json.decode(made.stdout, type=Drawing)
    assert drawing.device == "NOOP"
    assert len(drawing.cpu_ms) + len(drawing.pyopengl_cpu_ms) == len(drawing.wall_ms) == 25
    assert bool(drawing.pyopengl_cpu_ms) == (binding != "ctypes")
    assert min(drawing.cpu_ms) > 0
    assert 1 < drawing.draw_calls <= MAX_DRAW_CALLS


def test_pyopengl_draws_the_same_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    gl, pose, frames = SwitchedGl(checked=True), new_pose(), []
    renderer = GlesRenderer(load_avatar(), width=60, height=90, samples=0, binding=lambda: gl)
    own = gl.draw_elements
    try:
        for other in (False, True):
            gl.use_pyopengl(other)
            assert (gl.draw_elements is own) != other
            pose[:52] = 0.1
            renderer.draw(pose)
            pose[:52] = 0.3
            renderer.draw(pose)
            frames.append(renderer.capture())
            renderer.present()
    finally:
        renderer.close()
    np.testing.assert_array_equal(*frames)


@pytest.mark.parametrize(
    ("log", "count"),
    [("cpu 0 insns: 12\ncpu 1 insns: 5\ntotal insns: 17\n", 17), ("insns: 31234567\n", 31234567)],
)
def test_the_plugins_count_is_read(log: str, count: int) -> None:
    assert total_instructions(log) == count


def test_a_plugin_that_counted_nothing_is_an_error() -> None:
    with pytest.raises(MienError, match="counted nothing"):
        total_instructions("plugin: not found")


def test_without_qemus_plugin_the_row_is_empty_and_says_what_to_build(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIEN_QEMU", str(tmp_path))
    row = instruction_row(Motion(tmp_path / "motion.npy", 100))
    assert row.value is None
    assert "--enable-plugins" in row.note


def test_without_an_arm64_root_the_row_is_empty_and_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tests/plugin").mkdir(parents=True)
    for name in ("qemu-aarch64", "tests/plugin/libinsn.so"):
        (tmp_path / name).touch()
    monkeypatch.setenv("MIEN_QEMU", str(tmp_path))
    monkeypatch.setenv("MIEN_AARCH64_ROOT", str(tmp_path / "no-root"))
    row = instruction_row(Motion(tmp_path / "motion.npy", 100))
    assert row.value is None
    assert "make image" in row.note


@pytest.fixture
def fake_emulator(tmp_path: Path) -> tuple[Path, Path]:
    """A QEMU build that logs its arguments as a count of 4711, and an arm64 root with a BLAS."""
    build, root = tmp_path / "qemu", tmp_path / "root"
    (build / "tests/tcg/plugins").mkdir(parents=True)
    (build / "tests/tcg/plugins/libinsn.so").touch()
    emulator = build / "qemu-aarch64"
    emulator.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" >"${0%/*}/arguments"\n'
        'while [ "$1" != -D ]; do shift; done\necho "insns: 4711" >"$2"\n'
    )
    emulator.chmod(0o755)
    for path in ("usr/bin/python3", "usr/lib/aarch64-linux-gnu/openblas-pthread/libblas.so.3"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return build, root


def test_a_program_runs_in_the_root_with_the_plugin(fake_emulator: tuple[Path, Path]) -> None:
    build, root = fake_emulator
    assert count_instructions(["-c", "pass"], {"LAMP": "on"}, build=build, root=root, cpu="cortex-a72") == 4711
    arguments = (build / "arguments").read_text().splitlines()
    assert arguments[:4] == ["-cpu", "cortex-a72", "-L", str(root)]
    assert f"{build / 'tests/tcg/plugins/libinsn.so'},inline=on" in arguments
    assert "LAMP=on" in arguments
    assert any(word.startswith("LD_LIBRARY_PATH=") and "openblas-pthread" in word for word in arguments)
    assert arguments[-3:] == [str(root / "usr/bin/python3"), "-c", "pass"]


def test_a_root_without_blas_cannot_count(fake_emulator: tuple[Path, Path]) -> None:
    build, root = fake_emulator
    (root / "usr/lib/aarch64-linux-gnu/openblas-pthread/libblas.so.3").unlink()
    with pytest.raises(CannotCount, match="no BLAS"):
        count_instructions([], {}, build=build, root=root)
