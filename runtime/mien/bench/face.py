"""The face benchmark: time per frame, memory, a comparison of GL bindings."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.avatar.baked import SUFFIX
from mien.bench.face_drawing import BUTTON_TURN, Drawing
from mien.bench.face_touch import touch_latencies_ms
from mien.bench.pipeline import SETTINGS
from mien.bench.qemu import DEFAULT_BUILD, DEFAULT_ROOT, CannotCount, count_instructions
from mien.bench.rows import Report, Row, machine, percentile_row
from mien.bench.session import running_session
from mien.bench.speech import utterances
from mien.errors import MienError
from mien.face.offline import motion_frames
from mien.host.memory import pss_mb
from mien.motion.load import load_engine
from mien.render.draw_calls import MAX_DRAW_CALLS

SIZE = (180, 320)  # small, so that the software rasteriser does not dominate
FRAMES = 600
RASTERISED_FRAMES = 240
COUNTED_FRAMES = (10, 50)
ROUNDS = 3  # interleaved, because the load of a shared machine drifts
CPU_BAR_MS = {True: 1.0, False: 1.5}  # True: the shipped avatar; False: another
SHOWN_BAR_MS = 300.0
TOUCHES = 60
TOUCH_BAR_MS = 100.0
BUTTON_FRAMES = 6000
BUTTONS_BAR = 1.1
PSS_BAR_MB = 110.0
NOOP = {"GALLIUM_NOOP": "true", "GALLIUM_THREAD": "0"}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Motion:
    """Recorded motion to draw: an .npy of frames, float32 (N, 55), at frame_hz."""

    path: Path
    frame_hz: int


def run_face(others: Sequence[Path], progress: Progress) -> Report:
    """Measure the shipped avatar, then each of `others` (baked or .glb). Raises MienError."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
        motion = _motion(Path(folder))
        for number, avatar in enumerate([None, *others]):
            name = avatar.stem if avatar else "default"
            baked = _baked(avatar, Path(folder, f"{number}{SUFFIX}"))
            progress(f"{name}: CPU outside the driver")
            rows += _cost_rows(name, baked, motion)
            progress(f"{name}: frames by llvmpipe")
            rows += _frame_rows(name, baked, motion)
        progress("touches")
        latencies_ms = touch_latencies_ms(TOUCHES)
        rows.append(percentile_row("from a touch until its button is drawn, p95", latencies_ms, 95, bar=TOUCH_BAR_MS))
        progress("memory of the face process")
        rows.append(_memory_row())
        progress("aarch64 instructions")
        rows.append(instruction_row(motion))
    return Report(benchmark="face", rows=tuple(rows), machine=machine())


def _motion(folder: Path) -> Motion:
    engine = load_engine(None)
    frames = motion_frames(engine, utterances(6), lambda _: None)
    path = folder / "motion.npy"
    np.save(path, frames)
    return Motion(path, engine.info.frame_hz)


def _baked(avatar: Path | None, scratch: Path) -> Path | None:
    if avatar is None or avatar.suffix == SUFFIX:
        return avatar
    from mien.avatar.bake.pipeline import bake_glb
    from mien.avatar.baked import write_baked

    write_baked(bake_glb(avatar), scratch)
    return scratch


def _cost_rows(name: str, avatar: Path | None, motion: Motion) -> Iterator[Row]:
    cpu_ms = [value for _ in range(ROUNDS) for value in _draw(avatar, motion, FRAMES // ROUNDS, NOOP).cpu_ms]
    what = f"{name}: CPU per frame, outside the driver"
    yield percentile_row(f"{what}, median", cpu_ms, 50, bar=CPU_BAR_MS[avatar is None])
    yield percentile_row(f"{what}, p95", cpu_ms, 95)
    if avatar is None:
        yield _buttons_row(motion)
        yield _binding_row("the same through PyOpenGL without error checks", "pyopengl", motion)
        yield _binding_row("the same through PyOpenGL with its defaults", "pyopengl-checked", motion)


def _buttons_row(motion: Motion) -> Row:
    """The CPU time per frame with six buttons, relative to that without, alternating in one process."""
    drawn = _draw(None, motion, BUTTON_FRAMES, NOOP, "ctypes", "--buttons")
    bare_ms, shown_ms = (_block_medians(values) for values in (drawn.cpu_ms, drawn.buttons_cpu_ms))
    return Row(
        name="the same with six buttons shown",
        value=round(float(np.median(shown_ms / bare_ms)), 3),
        unit="times",
        samples=len(drawn.buttons_cpu_ms),
        bar=BUTTONS_BAR,
        note=f"{np.median(shown_ms):.3f} ms against {np.median(bare_ms):.3f} ms; {len(bare_ms)} pairs of half seconds",
    )


def _block_medians(values_ms: list[float]) -> NDArray[np.float64]:
    """The medians of the half seconds of frames, each of which is followed by one of the other kind."""
    medians: NDArray[np.float64] = np.median(np.reshape(values_ms, (-1, BUTTON_TURN // 2)), axis=1)
    return medians


def _binding_row(name: str, binding: str, motion: Motion) -> Row:
    """The CPU time per frame through PyOpenGL, relative to mien's own binding, interleaved in one process."""
    if not find_spec("OpenGL"):
        return Row(name=name, value=None, unit="times", note="pip install PyOpenGL PyOpenGL-accelerate")
    drawn = _draw(None, motion, FRAMES, NOOP, binding)
    own_ms, other_ms = (float(np.median(values)) for values in (drawn.cpu_ms, drawn.pyopengl_cpu_ms))
    return Row(
        name=name,
        value=round(other_ms / own_ms, 3),
        unit="times",
        samples=len(drawn.pyopengl_cpu_ms),
        note=f"{other_ms:.3f} ms against {own_ms:.3f} ms, interleaved",
    )


def _frame_rows(name: str, avatar: Path | None, motion: Motion) -> Iterator[Row]:
    drawn = [_draw(avatar, motion, RASTERISED_FRAMES // ROUNDS, {}) for _ in range(ROUNDS)]
    wall_ms = [value for drawing in drawn for value in drawing.wall_ms]
    what = f"{name}: frame of {SIZE[0]}x{SIZE[1]} with {drawn[0].device.split(' ')[0]}"
    yield percentile_row(f"{what}, median", wall_ms, 50)
    yield percentile_row(f"{what}, p99", wall_ms, 99)
    yield percentile_row(f"{name}: display opened, median", [drawing.opened_ms for drawing in drawn], 50)
    yield percentile_row(
        f"{name}: mapped, checked and shown on it, median",
        [drawing.read_ms + drawing.shown_ms for drawing in drawn],
        50,
        bar=SHOWN_BAR_MS,
    )
    yield Row(name=f"{name}: draw calls", value=drawn[0].draw_calls, unit="", bar=MAX_DRAW_CALLS)


def _draw(
    avatar: Path | None,
    motion: Motion,
    frames: int,
    environment: dict[str, str],
    binding: str = "ctypes",
    *options: str,
) -> Drawing:
    command = [sys.executable, "-m", "mien.bench.face_drawing", *_drawing_arguments(motion)]
    command += ["--frames", str(frames), "--binding", binding, *options]
    if avatar is not None:
        command += ["--avatar", str(avatar)]
    env = {**os.environ, "SDL_VIDEODRIVER": "offscreen", **environment}
    made = subprocess.run(command, capture_output=True, env=env)
    if made.returncode:
        raise MienError(f"drawing ended with {made.returncode}: {made.stderr.decode(errors='replace').strip()[-400:]}")
    return msgspec.json.decode(made.stdout, type=Drawing)


def _drawing_arguments(motion: Motion) -> list[str]:
    return ["--motion", str(motion.path), "--frame-hz", str(motion.frame_hz), "--size", *map(str, SIZE)]


def instruction_row(motion: Motion) -> Row:
    """The aarch64 instructions per frame. When they cannot be counted here, the row's note says what is missing."""
    name = "default: aarch64 instructions per frame (cortex-a53)"
    build = Path(os.environ.get("MIEN_QEMU", DEFAULT_BUILD))
    root = Path(os.environ.get("MIEN_AARCH64_ROOT", DEFAULT_ROOT))
    arguments = ["-m", "mien.bench.face_drawing", *_drawing_arguments(motion)]
    environment = {"SDL_VIDEODRIVER": "offscreen", **NOOP}
    try:
        few, many = (
            count_instructions([*arguments, "--frames", str(frames)], environment, build=build, root=root)
            for frames in COUNTED_FRAMES
        )
    except CannotCount as missing:
        return Row(name=name, value=None, unit="million", note=str(missing))
    frames = COUNTED_FRAMES[1] - COUNTED_FRAMES[0]
    return Row(name=name, value=round((many - few) / frames / 1e6, 3), unit="million", samples=frames)


def _memory_row() -> Row:
    with running_session(SETTINGS) as session:
        for pcm in utterances(2):
            session.client.say(pcm)
        face = session.stack.face
        assert face is not None
        return Row(
            name="memory of mien-face, speaking", value=round(pss_mb(face.pid), 1), unit="MB PSS", bar=PSS_BAR_MB
        )
