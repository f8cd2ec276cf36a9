"""Pixels of a real GLES context (llvmpipe): what turns, opens and shines can be seen."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.core.mesh import TOON_GLOSS, Mesh, Part
from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.errors import DisplayError
from mien.render import program
from mien.render.draw_calls import MAX_DRAW_CALLS
from mien.render.gles import GlesRenderer
from mien.render.scene import Background


def rendered(renderer: GlesRenderer, **channels: float) -> np.ndarray:
    pose = new_pose()
    for name, value in channels.items():
        pose[CHANNEL_INDEX[name]] = value
    renderer.draw(pose)
    pixels = renderer.capture().astype(int)
    renderer.present()
    return pixels


def red(pixels: np.ndarray) -> np.ndarray:
    return (pixels[..., 0] > 60) & (pixels[..., 0] > 1.6 * pixels[..., 2])


def blue(pixels: np.ndarray) -> np.ndarray:
    return (pixels[..., 2] > 60) & (pixels[..., 2] > 1.6 * pixels[..., 0])


def white(pixels: np.ndarray) -> np.ndarray:
    return (pixels.min(axis=-1) > 170) & (np.ptp(pixels, axis=-1) < 60)


def middle(mask: np.ndarray) -> tuple[float, float]:
    """Mean column and row of the marked pixels."""
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


def test_head_above_shoulders_eyes_on_the_head_background_calm(gles: GlesRenderer) -> None:
    pixels = rendered(gles)
    assert red(pixels).sum() > 500
    assert blue(pixels).sum() > 500
    assert middle(red(pixels))[1] < middle(blue(pixels))[1]
    assert white(pixels).sum() > 50
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert not red(corners).any()
    assert np.ptp(corners[0] - corners[1]) < 20


def test_the_jaw_opens_downwards(gles: GlesRenderer) -> None:
    def lowest(pixels: np.ndarray) -> int:
        return int(np.flatnonzero(red(pixels).any(axis=1)).max())

    assert lowest(rendered(gles, jawOpen=1.0)) > lowest(rendered(gles)) + 3


def test_the_head_turns_and_the_shoulders_stay(gles: GlesRenderer) -> None:
    before, after = rendered(gles), rendered(gles, headYaw=0.5)
    assert middle(white(after))[0] > middle(white(before))[0] + 5
    lowest_rows = slice(130, 160)
    assert np.abs(before[lowest_rows] - after[lowest_rows]).max() <= 2


def test_eyes_turn_without_the_head(gles: GlesRenderer) -> None:
    before = rendered(gles)
    after = rendered(gles, eyeLookOutLeft=1.0, eyeLookInRight=1.0)
    assert np.abs(before - after).sum() > 0
    changed = np.abs(before - after).max(axis=-1) > 8
    assert changed[: before.shape[0] // 4].sum() == 0
    assert middle(white(after))[0] < middle(white(before))[0] - 0.5


def test_the_same_pose_gives_the_same_pixels_whatever_came_before(gles: GlesRenderer) -> None:
    first = rendered(gles, jawOpen=0.4, eyeBlinkLeft=0.7)
    for weight in (0.1, 0.9, 0.3, 0.0, 1.0):
        rendered(gles, jawOpen=weight, breath=weight, mouthSmileLeft=1 - weight)
    np.testing.assert_array_equal(rendered(gles, jawOpen=0.4, eyeBlinkLeft=0.7), first)


def test_few_draw_calls(gles: GlesRenderer) -> None:
    assert gles.draw_calls <= MAX_DRAW_CALLS


def test_a_window_without_a_shader_error_says_what_the_driver_is(gles: GlesRenderer) -> None:
    assert gles.info.version.startswith("OpenGL ES")
    assert gles.info.device
    assert (gles.info.width, gles.info.height) == (120, 160)
    assert gles.driver == "offscreen"
    assert gles.info.flip_depth == 1


def test_textures_and_blended_parts_are_drawn(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    green = np.zeros((4, 8, 4), dtype=np.uint8)
    green[...] = (20, 255, 20, 128)
    skin, *others = mesh.parts
    textured = replace(mesh, textures=(green,), parts=(replace(skin, texture=0, alpha=True), *others))
    renderer = GlesRenderer(textured, width=120, height=160)
    try:
        pixels = rendered(renderer)
    finally:
        renderer.close()
    greenish = (pixels[..., 1] > 1.3 * pixels[..., 0]) & (pixels[..., 1] > 50)
    assert greenish.sum() > 300
    assert pixels[..., 1][greenish].max() < 230


def test_a_drawn_head_has_two_tones(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbouring pixels of a sphere differ a little everywhere, or much at one edge."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    steps = {}
    for gloss in (20.0, TOON_GLOSS):
        parts = tuple(replace(part, gloss=gloss, specular=0.0) if part.role == "skin" else part for part in mesh.parts)
        renderer = GlesRenderer(replace(mesh, parts=parts), width=120, height=160)
        try:
            red = rendered(renderer)[86:96, 55:86, 0].astype(int)
        finally:
            renderer.close()
        steps[gloss] = np.abs(np.diff(red, axis=1)).max()
    assert steps[TOON_GLOSS] > 2 * steps[20.0]


def test_a_texture_beyond_the_gpu_is_refused(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    huge = np.zeros((1, 40_000, 4), dtype=np.uint8)
    with pytest.raises(DisplayError, match="40000x1"):
        GlesRenderer(replace(mesh, textures=(huge,)), width=64, height=64)


def test_a_shader_that_does_not_compile_is_a_display_error_with_the_drivers_log(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    read = program.read_shader
    monkeypatch.setattr(program, "read_shader", lambda name: read(name).replace("gl_FragColor =", "gl_Nonsense ="))
    with pytest.raises(DisplayError, match=r"face\.frag|background\.frag") as caught:
        GlesRenderer(mesh, width=64, height=64)
    assert "gl_Nonsense" in str(caught.value)


def test_one_eye_turns_without_the_other(gles: GlesRenderer) -> None:
    change = np.abs(rendered(gles) - rendered(gles, eyeLookUpLeft=1.0)).max(axis=-1) > 8
    assert change[:, 60:].sum() > 10
    assert change[:, :60].sum() == 0


@pytest.mark.parametrize("quality", ["reduced", "low"])
def test_lower_quality_is_the_same_frame_less_sharp(mesh: Mesh, gles: GlesRenderer, quality: str) -> None:
    full = rendered(gles, jawOpen=0.5)
    gles.close()
    renderer = GlesRenderer(mesh, width=120, height=160, quality=quality)
    try:
        less = rendered(renderer, jawOpen=0.5)
        again = rendered(renderer, jawOpen=0.5)
    finally:
        renderer.close()
    np.testing.assert_array_equal(less, again)
    assert 0 < np.abs(full - less).mean() < 4
    edges = np.abs(np.diff(full, axis=1)).max(axis=-1)[:, :-1] > 20
    assert np.abs(full - less)[:, 1:-1][~edges].mean() < 2


def test_automatic_quality_gives_way_when_frames_are_slow(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    renderer = GlesRenderer(mesh, width=64, height=64, quality="auto", budget_ms=1e-6)
    try:
        assert renderer.quality == "full"
        qualities = set()
        for number in range(250):
            rendered(renderer, jawOpen=(number % 10) / 10)
            qualities.add(renderer.quality)
    finally:
        renderer.close()
    assert "reduced" in qualities


def test_captured_edges_are_smooth_where_several_samples_were_taken(mesh: Mesh, gles: GlesRenderer) -> None:
    smooth = rendered(gles)
    gles.close()
    renderer = GlesRenderer(mesh, width=120, height=160, samples=0)
    try:
        jagged = rendered(renderer)
    finally:
        renderer.close()
    row = slice(20, 40)
    steps = [np.abs(np.diff(pixels[row], axis=1)).max(axis=(1, 2)).mean() for pixels in (smooth, jagged)]
    assert steps[0] < 0.9 * steps[1]
    assert np.abs(smooth - jagged).mean() < 2


@pytest.mark.parametrize("quality", ["full", "reduced"])
@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_screen_that_hangs_turned_shows_the_frame_turned(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, quarter_turns: int, quality: str
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")

    def absent(width: int, height: int, turns: int) -> np.ndarray:
        renderer = GlesRenderer(mesh, width=width, height=height, quarter_turns=turns, quality=quality)
        try:
            renderer.set_presence(0.0)
            return rendered(renderer, headYaw=0.4, jawOpen=0.5)
        finally:
            renderer.close()

    upright = absent(120, 160, 0)
    size = (160, 120) if quarter_turns % 2 else (120, 160)
    shown = absent(*size, quarter_turns)
    expected = np.rot90(upright, -quarter_turns)
    difference = np.abs(shown - expected)
    assert difference.mean() < 1.0
    assert (difference.max(axis=-1) > 40).mean() < 0.005


def test_an_unknown_quality_is_refused(mesh: Mesh) -> None:
    with pytest.raises(ValueError, match="reduced"):
        GlesRenderer(mesh, width=64, height=64, quality="ultra")


@pytest.mark.parametrize("quality", ["full", "low"])
def test_an_absent_face_is_dim_and_grey(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, quality: str) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    renderer = GlesRenderer(mesh, width=240, height=320, quality=quality)
    try:
        present = rendered(renderer)
        renderer.set_presence(0.0)
        absent = rendered(renderer)
        renderer.set_presence(1.0)
        back = rendered(renderer)
    finally:
        renderer.close()
    assert np.ptp(absent, axis=-1).max() <= 12
    assert absent.mean() < 0.8 * present.mean()
    np.testing.assert_array_equal(back, present)


def test_a_face_is_not_blank_and_nothing_is(mesh: Mesh, gles: GlesRenderer) -> None:
    rendered(gles)
    gles.draw(new_pose())
    assert not gles.looks_blank()
    gles.close()
    void = Background(top=(0, 0, 0), bottom=(0, 0, 0), glow=(0, 0, 0))
    nothing = replace(mesh, parts=())
    renderer = GlesRenderer(nothing, width=64, height=64, background=void)
    try:
        renderer.draw(new_pose())
        assert renderer.looks_blank()
    finally:
        renderer.close()


_UNDER_ES2 = """
import numpy as np
from rigs.head_mesh import make_mesh
from mien.core.pose import new_pose
from mien.render.gles import GlesRenderer
renderer = GlesRenderer(make_mesh(), width=120, height=160)
pose = new_pose()
pose[:52] = 0.4
renderer.draw(pose)
np.save({saved!r}, renderer.capture())
renderer.present()
print(renderer.info.version)
"""


def draw_in_a_process(tmp_path: Path, name: str, **environ: str) -> tuple[str, np.ndarray]:
    saved = tmp_path / f"{name}.npy"
    script = _UNDER_ES2.format(saved=str(saved))
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SDL_VIDEODRIVER": "offscreen", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout, np.load(saved).astype(int)


def test_es_2_0_alone_draws_the_same_frame(tmp_path: Path) -> None:
    _, newest = draw_in_a_process(tmp_path, "newest")
    version, oldest = draw_in_a_process(tmp_path, "oldest", MESA_GLES_VERSION_OVERRIDE="2.0")
    assert "OpenGL ES 2.0" in version
    assert np.abs(newest - oldest).max() <= 2


def test_sigterm_ends_a_process_that_shows_a_face() -> None:
    script = (
        "import time\nfrom rigs.head_mesh import make_mesh\nfrom mien.core.pose import new_pose\n"
        "from mien.render.gles import GlesRenderer\n"
        "renderer = GlesRenderer(make_mesh(), width=64, height=64)\nprint('open', flush=True)\n"
        "while True:\n    renderer.draw(new_pose()); renderer.present(); time.sleep(0.02)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SDL_VIDEODRIVER": "offscreen"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "open" not in (line := process.stdout.readline()):
            assert line, "the process ended before it showed a face"
        process.terminate()
        assert process.wait(timeout=20) == -signal.SIGTERM


def test_a_part_may_be_seen_from_both_sides(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    head = mesh.indices[: mesh.parts[0].index_count].reshape(-1, 3)
    front = head[(mesh.positions[head][..., 2] > 0.02).all(axis=1)]
    facing_away = np.ascontiguousarray(front[:, ::-1]).ravel()

    def skin_pixels(double_sided: bool) -> int:
        part = Part(name="mask", role="skin", first_index=0, index_count=len(facing_away), double_sided=double_sided)
        renderer = GlesRenderer(replace(mesh, indices=facing_away, parts=(part,)), width=120, height=160)
        try:
            return int(red(rendered(renderer)).sum())
        finally:
            renderer.close()

    assert skin_pixels(False) == 0
    assert skin_pixels(True) > 100
