"""Draws one avatar in a process of its own, for the face benchmark.

python -m mien.bench.face_drawing prints a `Drawing` as JSON. With GALLIUM_NOOP=true in the environment the GPU driver
does nothing, which leaves mien's own cost. It needs GALLIUM_THREAD=0, because Mesa 22.3 crashes otherwise. No context
is then destroyed: in Mesa 25.0.7 eglDestroyContext crashes under GALLIUM_NOOP, also in a program of EGL calls alone.

For comparison, frames can be drawn through PyOpenGL instead of mien's own binding. It receives ready-made addresses,
and its error checks can be turned off, as its manual recommends for speed.
"""

import ctypes
import importlib
import math
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec
import numpy as np

from mien.avatar.load import load_avatar
from mien.config import Config
from mien.core import bus
from mien.core.pacer import DisplayPacer
from mien.core.pose import new_pose
from mien.core.stats import Counters
from mien.errors import DisplayError
from mien.face.director import Director
from mien.face.overlay.annotations import Annotations
from mien.face.presenter import Presenter
from mien.face.state import CueStore, FaceState
from mien.motion.base import MotionFrames
from mien.render.gl import Gl, GlFunction
from mien.render.gles import GlesRenderer
from mien.render.window import Window
from mien.units import NS_PER_MS, NS_PER_S

DISPLAY_HZ = 60
BUTTONS = ("Opening hours", "Tickets", "Toilets", "Deutsch", "Repeat", "Talk to a person")
BUTTON_TURN = 60  # frames with buttons, then without; the first half of each, in which they fade, does not count
BINDINGS = ("ctypes", "pyopengl", "pyopengl-checked")
TURN = 10  # consecutive frames through one binding, where two alternate
SETTLING = 30  # frames to skip: drivers allocate and compile in them
FEWEST = 5  # frames to draw, however long they take
# The calls of a frame; all others belong to the setup.
PER_FRAME: Final = frozenset((
    "glUseProgram", "glUniform1f", "glUniform3f", "glUniform4f", "glUniformMatrix4fv", "glBindBuffer",
    "glBufferSubData", "glVertexAttribPointer", "glBindTexture", "glEnable", "glDisable", "glDepthMask",
    "glDrawElements", "glDrawArrays", "glClear", "glViewport", "glBindFramebuffer", "glFinish", "glGetError",
))  # fmt: skip


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Times in ms. cpu_ms: of the drawing thread, per frame. wall_ms: elapsed, per frame.

    opened_ms: opening a display with its driver; 0 under GALLIUM_NOOP. read_ms: mapping and checking the avatar.
    shown_ms: from then until its first frame is on screen. pyopengl_cpu_ms: as cpu_ms, of frames drawn through PyOpenGL
    where bindings alternate. buttons_cpu_ms: as cpu_ms, of frames with six buttons, which alternate with those without.
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
    buttons_cpu_ms: list[float] = []


class SteppedClock:
    """A clock that stands still within a frame, so that every run draws the same poses."""

    def __init__(self) -> None:
        self.time_ns = NS_PER_S

    def now_ns(self) -> int:
        """The time of this frame."""
        return self.time_ns


def speaking_presenter(
    renderer: GlesRenderer,
    frames: MotionFrames,
    frame_hz: int,
    clock: SteppedClock,
    annotations: Annotations | None = None,
) -> Presenter:
    """A presenter in the middle of a turn with motion `frames`, float32 (N, 55)."""
    return presenter_of(speaking_state(frames, frame_hz, clock), renderer, clock, annotations)


def speaking_state(frames: MotionFrames, frame_hz: int, clock: SteppedClock) -> FaceState:
    """The state in the middle of a turn with motion `frames`, float32 (N, 55)."""
    state = FaceState(frame_hz=frame_hz, capacity=len(frames))
    until_ns = len(frames) * NS_PER_S // frame_hz
    state.take_anchor(bus.Anchor(epoch=0, media_ns=0, at_ns=clock.now_ns(), until_ns=until_ns, phase="speaking"))
    state.voice_alive(clock.now_ns() + until_ns)
    state.begin_turn(0)
    state.append(frames)
    return state


def presenter_of(
    state: FaceState, renderer: GlesRenderer, clock: SteppedClock, annotations: Annotations | None = None
) -> Presenter:
    """A presenter of this state."""
    return Presenter(
        state=state,
        director=Director(seed=1),
        renderer=renderer,
        clock=clock,
        display_latency_ms=0.0,
        pacer=DisplayPacer(NS_PER_S // DISPLAY_HZ),
        counters=Counters(),
        annotations=annotations,
    )


def draw_with_buttons(motion: MotionFrames, *, frame_hz: int, frames: int, width: int, height: int) -> Drawing:
    """Draw the shipped avatar with six buttons and without them in turn. Raises MienError."""
    mesh = load_avatar(None)
    renderer = GlesRenderer(mesh, width=width, height=height, samples=0)
    clock = SteppedClock()
    annotations = Annotations(Config(), renderer, CueStore(), Counters())
    cpu_ms: tuple[list[float], list[float]] = ([], [])
    turn = max(1, len(motion) * DISPLAY_HZ // frame_hz) // (2 * BUTTON_TURN) * (2 * BUTTON_TURN)
    for number in range(frames):
        if number % turn == 0:
            state = speaking_state(motion, frame_hz, clock)
            presenter = presenter_of(state, renderer, clock, annotations)
        shown = number // BUTTON_TURN % 2 == 1
        if number % BUTTON_TURN == 0:
            items = tuple((str(index), text) for index, text in enumerate(BUTTONS)) if shown else ()
            state.set_choices(bus.Choices(epoch=0, number=number + 1, items=items))
        clock.time_ns += NS_PER_S // DISPLAY_HZ
        cpu = time.thread_time_ns()
        presenter.step()
        took_ms = (time.thread_time_ns() - cpu) / NS_PER_MS
        if annotations.worker is not None:
            annotations.worker.do()
        if number % BUTTON_TURN >= BUTTON_TURN // 2:
            cpu_ms[shown].append(took_ms)
    return Drawing(
        device=renderer.info.device,
        vertices=len(mesh.positions),
        draw_calls=renderer.draw_calls,
        opened_ms=0.0,
        read_ms=0.0,
        shown_ms=0.0,
        cpu_ms=cpu_ms[0],
        wall_ms=[],
        buttons_cpu_ms=cpu_ms[1],
    )


class SwitchedGl(Gl):
    """A Gl whose per-frame calls can be switched to OpenGL.GLES2 and back within one process and context.

    Two processes differ by more than the two bindings do.
    """

    def __init__(self, *, checked: bool) -> None:
        """checked: call glGetError after every call, PyOpenGL's default. It can be set once per process.

        Raises DisplayError when PyOpenGL is not installed.
        """
        super().__init__()
        functions = _gles2(checked)
        self._own = {name: call for name, call in vars(self).items() if getattr(call, "__name__", "") in PER_FRAME}
        self._other = {name: _adapted(functions, call) for name, call in self._own.items()}

    def use_pyopengl(self, wanted: bool) -> None:
        """Switch the binding from the next call on."""
        vars(self).update(self._other if wanted else self._own)


def _gles2(checked: bool) -> Any:
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    try:
        opengl = importlib.import_module("OpenGL")
        opengl.ERROR_CHECKING = checked  # type: ignore[attr-defined]
        if not checked:
            # Without checks PyOpenGL 3.1.10 has no checker, but its GLES 2 module calls it regardless.
            importlib.import_module("OpenGL.error")._ErrorChecker = lambda *_: None  # type: ignore[attr-defined]
        return importlib.import_module("OpenGL.GLES2")
    except ImportError as error:
        raise DisplayError(f"no PyOpenGL ({error}): pip install PyOpenGL PyOpenGL-accelerate") from None


def _adapted(functions: Any, own: Any) -> GlFunction:
    function: GlFunction = getattr(functions, own.__name__)
    return _with_address(function) if own.argtypes and own.argtypes[-1] is ctypes.c_void_p else function


def _with_address(function: GlFunction) -> GlFunction:
    """Wrap the last argument, an address, in the c_void_p that PyOpenGL requires."""
    made: dict[int, ctypes.c_void_p] = {}

    def call(*arguments: Any) -> Any:
        *others, address = arguments
        pointer = made.get(address)
        if pointer is None:
            pointer = made[address] = ctypes.c_void_p(address)
        return function(*others, pointer)

    return call


def has_driver() -> bool:
    """Whether frames go to a GPU driver. Without one, contexts must not be destroyed (above)."""
    return os.environ.get("GALLIUM_NOOP", "").lower() not in ("true", "yes", "1")


def open_gl(binding: str) -> Gl:
    """mien's own binding for "ctypes", otherwise one that can be switched to PyOpenGL."""
    if binding == "ctypes":
        return Gl()
    return SwitchedGl(checked=binding == "pyopengl-checked")


def draw(
    avatar: Path | None,
    motion: MotionFrames,
    *,
    frame_hz: int,
    frames: int,
    width: int,
    height: int,
    binding: str,
    seconds: float = math.inf,
) -> Drawing:
    """Draw `frames` frames of the motion, which repeats, or fewer if `seconds` pass before. Raises MienError."""
    opening_ns = time.perf_counter_ns()
    if has_driver():
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
    turn = max(1, len(motion) * DISPLAY_HZ // frame_hz)
    cpu_ms: tuple[list[float], list[float]] = ([], [])
    wall_ms: list[float] = []
    other = False
    settled, end_ns = SETTLING, time.perf_counter_ns() + seconds * NS_PER_S
    for number in range(frames + SETTLING):
        if time.perf_counter_ns() > end_ns:
            settled = min(settled, number)
            if len(wall_ms) >= FEWEST:
                break
        if number % turn == 0:
            presenter = speaking_presenter(renderer, motion, frame_hz, clock)
        if binding != "ctypes" and number % TURN == 0:
            other = not other
            gl.use_pyopengl(other)  # type: ignore[attr-defined]
        clock.time_ns += NS_PER_S // DISPLAY_HZ
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        presenter.step()
        cpu_took, wall_took = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
        if number >= settled:
            cpu_ms[other].append(cpu_took / NS_PER_MS)
            wall_ms.append(wall_took / NS_PER_MS)
    drawing = Drawing(
        device=renderer.info.device,
        vertices=len(mesh.positions),
        draw_calls=renderer.draw_calls,
        opened_ms=(started_ns - opening_ns) / NS_PER_MS if has_driver() else 0.0,
        read_ms=(read_ns - started_ns) / NS_PER_MS,
        shown_ms=(shown_ns - read_ns) / NS_PER_MS,
        cpu_ms=cpu_ms[0],
        wall_ms=wall_ms,
        pyopengl_cpu_ms=cpu_ms[1],
    )
    if has_driver():
        renderer.close()
    return drawing


@click.command()
@click.option("--avatar", type=click.Path(path_type=Path), help="A baked avatar [the shipped one].")
@click.option("--motion", required=True, type=click.Path(path_type=Path), help="An .npy of motion frames (N, 55).")
@click.option("--frame-hz", required=True, type=int)
@click.option("--frames", required=True, type=int)
@click.option("--size", nargs=2, type=int, required=True)
@click.option("--binding", type=click.Choice(BINDINGS), default="ctypes")
@click.option("--buttons", is_flag=True, help="With six buttons and without, in turn.")
@click.option("--seconds", type=float, default=math.inf, help="Stop after this time.")
def main(
    avatar: Path | None,
    motion: Path,
    frame_hz: int,
    frames: int,
    size: tuple[int, int],
    binding: str,
    buttons: bool,
    seconds: float,
) -> None:
    """Draw one avatar and print the timings as JSON."""
    width, height = size
    if buttons:
        drawing = draw_with_buttons(np.load(motion), frame_hz=frame_hz, frames=frames, width=width, height=height)
    else:
        drawing = draw(
            avatar,
            np.load(motion),
            frame_hz=frame_hz,
            frames=frames,
            width=width,
            height=height,
            binding=binding,
            seconds=seconds,
        )
    sys.stdout.buffer.write(msgspec.json.encode(drawing) + b"\n")
    if not has_driver():
        sys.stdout.flush()
        os._exit(0)  # without SDL's own closing at exit


if __name__ == "__main__":
    main()
