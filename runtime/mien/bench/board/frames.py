"""Frame times by resolution: the shipped avatar talks, drawn offscreen in a process of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from mien.bench.board.figures import fact, spread
from mien.bench.board.report import FrameTime
from mien.bench.board.syllables import syllables
from mien.bench.face_drawing import Drawing
from mien.errors import MienError
from mien.face.offline import motion_frames
from mien.face.opening import load_engines

SIZES: Final = ((180, 320), (360, 640), (720, 1280), (1080, 1920))
MOST_FRAMES: Final = 3000
SPEECH_S: Final = 6.0
STARTING_S: Final = 2.0  # of each size's time: the process starts and reads the avatar
DRAWING_S: Final = 1.0  # the shortest time to draw for
PATIENCE_S: Final = 600.0  # beyond the time it was given


def frame_times(
    seconds: float, tell: Callable[[str], None], sizes: Sequence[tuple[int, int]] = SIZES
) -> tuple[FrameTime, ...]:
    """Measure each size for its part of `seconds`. A size that cannot be drawn has null figures and the reason."""
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
        path = Path(folder, "motion.npy")
        engine, _ = load_engines("")
        np.save(path, motion_frames(engine, [syllables(SPEECH_S, 1)], lambda _: None))
        each_s = max(DRAWING_S, seconds / len(sizes) - STARTING_S)
        found = []
        for width, height in sizes:
            tell(f"frame times: {width}x{height}")
            found.append(_one_size(path, engine.info.frame_hz, width, height, each_s))
    return tuple(found)


def _one_size(motion: Path, frame_hz: int, width: int, height: int, seconds: float) -> FrameTime:
    try:
        drawing = _draw(motion, frame_hz, width, height, seconds)
        device, times_ms, reason = drawing.device, drawing.wall_ms, ""
    except MienError as error:
        device, times_ms, reason = "", [], str(error)
    return FrameTime(
        width=width, height=height, device=fact(device, reason or "the driver gives no name"),
        drawn_ms=spread(times_ms, reason),
    )  # fmt: skip


def _draw(motion: Path, frame_hz: int, width: int, height: int, seconds: float) -> Drawing:
    command = [sys.executable, "-m", "mien.bench.face_drawing", "--motion", str(motion), "--frame-hz", str(frame_hz)]
    command += ["--size", str(width), str(height), "--frames", str(MOST_FRAMES), "--seconds", str(seconds)]
    env = {"SDL_VIDEODRIVER": "offscreen", **os.environ, "OPENBLAS_NUM_THREADS": "1"}
    if env["SDL_VIDEODRIVER"].lower() in ("kmsdrm", "x11", "wayland"):
        env["SDL_VIDEODRIVER"] = "offscreen"  # these wait for the screen, which hides the time that drawing takes
    try:
        made = subprocess.run(command, capture_output=True, env=env, timeout=seconds + PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise MienError(f"not five frames within {seconds + PATIENCE_S:.0f} s") from None
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip().splitlines()
        raise MienError(said[-1] if said else f"drawing ended with {made.returncode}")
    return msgspec.json.decode(made.stdout, type=Drawing)
