"""One avatar drawn for a while in a process of its own: a program for the face's benchmark.

python -m mien.bench.face_drawing: prints `Drawing` as JSON. With GALLIUM_NOOP=true in its environment the GPU's driver
does nothing, and what is left is this project's own cost. GALLIUM_THREAD=0 goes with it: Mesa 22.3 crashes otherwise.
"""

import sys
import time
from pathlib import Path

import click
import msgspec
import numpy as np

from mien.avatar.load import load_avatar
from mien.core import bus
from mien.core.pacer import DisplayPacer
from mien.core.pose import new_pose
from mien.core.stats import Counters
from mien.face.director import Director
from mien.face.presenter import Presenter
from mien.face.state import FaceState
from mien.motion.base import MotionFrames
from mien.render.gl import Gl
from mien.render.gles import GlesRenderer
from mien.render.window import Window
from mien.units import NS_PER_MS, NS_PER_S

PICTURE_HZ = 60
MOTION_WIDTH = 55
BINDINGS = ("ctypes", "pyopengl", "pyopengl-checked")
TURN = 10  # pictures through one binding, where two take turns
# Drivers allocate and compile in the first ones.
SETTLING = 30


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """cpu_ms: of the drawing thread, wall_ms: of the clock, each picture. opened_ms: a display, driver included.

    read_ms: the avatar mapped and checked. shown_ms: from then until its first picture was shown. pyopengl_cpu_ms: of
    the pictures that were drawn through PyOpenGL, where the two bindings took turns.
    """

    device: str
    vertices: int
    draw_calls: int
    opened_ms: float
    read_ms: float
    shown_ms: float
    cpu_ms: list[float]
    wall_ms: list[float]
    pyopengl_cpu_ms: list[float] = []


class SteppedClock:
    """A clock that stands still within a picture, so that every run draws the same poses."""

    def __init__(self) -> None:
        self.time_ns = NS_PER_S

    def now_ns(self) -> int:
        """The time of this picture."""
        return self.time_ns


def speaking_presenter(renderer: GlesRenderer, frames: MotionFrames, frame_hz: int, clock: SteppedClock) -> Presenter:
    """A presenter in the middle of a turn with motion `frames`, float32 (N, 55)."""
    state = FaceState(frame_hz=frame_hz, capacity=len(frames))
    until_ns = len(frames) * NS_PER_S // frame_hz
    state.take_anchor(bus.Anchor(epoch=0, media_ns=0, at_ns=clock.now_ns(), until_ns=until_ns, phase="speaking"))
    state.voice_alive(clock.now_ns() + until_ns)
    state.begin_turn(0)
    state.append(frames)
    return Presenter(
        state=state,
        director=Director(seed=1),
        renderer=renderer,
        clock=clock,
        display_latency_ms=0.0,
        pacer=DisplayPacer(NS_PER_S // PICTURE_HZ),
        counters=Counters(),
    )


def open_gl(binding: str) -> Gl:
    """The project's own binding; for the others of BINDINGS one that can be switched to PyOpenGL."""
    if binding == "ctypes":
        return Gl()
    from mien.bench.face_pyopengl import SwitchedGl

    return SwitchedGl(checked=binding == "pyopengl-checked")


def draw(
    avatar: Path | None, frames: MotionFrames, *, frame_hz: int, pictures: int, width: int, height: int, binding: str
) -> Drawing:
    """Draw `pictures` pictures of the motion, which starts anew when it is over. Raises MienError."""
    opening_ns = time.perf_counter_ns()
    Window(width=width, height=height, title="mien", fullscreen=False, samples=0).close()
    started_ns = time.perf_counter_ns()
    mesh = load_avatar(avatar)
    read_ns = time.perf_counter_ns()
    gl = open_gl(binding)
    renderer = GlesRenderer(mesh, width=width, height=height, samples=0, binding=lambda: gl)
    renderer.draw(new_pose())
    renderer.present()
    shown_ns = time.perf_counter_ns()
    clock = SteppedClock()
    turn = max(1, len(frames) * PICTURE_HZ // frame_hz)
    cpu_ms: tuple[list[float], list[float]] = ([], [])
    wall_ms = []
    other = False
    for number in range(pictures + SETTLING):
        if number % turn == 0:
            presenter = speaking_presenter(renderer, frames, frame_hz, clock)
        if binding != "ctypes" and number % TURN == 0:
            other = not other
            gl.use_pyopengl(other)  # type: ignore[attr-defined]
        clock.time_ns += NS_PER_S // PICTURE_HZ
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        presenter.step()
        cpu_took, wall_took = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
        if number >= SETTLING:
            cpu_ms[other].append(cpu_took / NS_PER_MS)
            wall_ms.append(wall_took / NS_PER_MS)
    drawing = Drawing(
        device=renderer.info.device,
        vertices=len(mesh.positions),
        draw_calls=renderer.draw_calls,
        opened_ms=(started_ns - opening_ns) / NS_PER_MS,
        read_ms=(read_ns - started_ns) / NS_PER_MS,
        shown_ms=(shown_ns - read_ns) / NS_PER_MS,
        cpu_ms=cpu_ms[0],
        wall_ms=wall_ms,
        pyopengl_cpu_ms=cpu_ms[1],
    )
    renderer.close()
    return drawing


@click.command()
@click.option("--avatar", type=click.Path(path_type=Path), help="A baked avatar [the shipped one].")
@click.option("--motion", required=True, type=click.Path(path_type=Path), help="An .npy of motion frames (N, 55).")
@click.option("--frame-hz", required=True, type=int)
@click.option("--pictures", required=True, type=int)
@click.option("--size", nargs=2, type=int, required=True)
@click.option("--binding", type=click.Choice(BINDINGS), default="ctypes")
def main(avatar: Path | None, motion: Path, frame_hz: int, pictures: int, size: tuple[int, int], binding: str) -> None:
    """Draw one avatar for a while; see the module."""
    drawing = draw(
        avatar, np.load(motion), frame_hz=frame_hz, pictures=pictures, width=size[0], height=size[1], binding=binding
    )
    sys.stdout.buffer.write(msgspec.json.encode(drawing) + b"\n")


if __name__ == "__main__":
    main()
