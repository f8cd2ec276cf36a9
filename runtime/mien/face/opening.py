"""Opens what the configuration names: motion engines, avatar, renderer, calibration bar."""

import logging
import os
from pathlib import Path
from typing import Final

from mien.config import Config
from mien.core.clock import Clock
from mien.core.mesh import Mesh
from mien.errors import AvatarError, DisplayError, ModelError
from mien.face.calibration import Calibration
from mien.motion.base import MotionEngine
from mien.render.base import Renderer
from mien.render.scene import Background

log = logging.getLogger("mien.face")

SAMPLES: Final = 4  # of MSAA


def load_engines(model: str) -> tuple[MotionEngine, MotionEngine]:
    """The engine to use and its fallback. Logs an error if the model cannot be used."""
    from mien.motion.envelope import EnvelopeEngine
    from mien.motion.load import load_engine

    spare = EnvelopeEngine()
    try:
        return load_engine(Path(model) if model else None), spare
    except ModelError as error:
        log.error("no motion model, the jaw follows loudness instead: %s", error)
        return spare, EnvelopeEngine()


def load_face(avatar: str) -> Mesh:
    """The configured avatar, or the default one if that fails, which is logged. Raises AvatarError."""
    from mien.avatar.load import load_avatar

    if avatar:
        try:
            return load_avatar(Path(avatar))
        except AvatarError as error:
            log.error("face.avatar cannot be used, showing the default avatar: %s", error)
    return load_avatar()


def load_background(asked: str) -> Background | None:
    """The configured background; None, which leaves it to the avatar, if it cannot be used, which is logged."""
    from mien.face.backdrop import read_background

    try:
        return read_background(asked)
    except DisplayError as error:
        log.error("face.background cannot be used, showing the avatar's own: %s", error)
        return None


def open_renderer(config: Config, clock: Clock) -> Renderer:
    """The configured renderer with the avatar loaded. Raises DisplayError or AvatarError."""
    face = config.face
    if face.renderer == "headless":
        from mien.render.headless import HeadlessRenderer

        return HeadlessRenderer(face.width, face.height, clock)
    from mien.render.gles import GlesRenderer
    from mien.render.hotplug import connected_outputs
    from mien.render.window import choose_driver

    mesh, background = load_face(face.avatar), load_background(face.background)

    def opened(samples: int) -> Renderer:
        return GlesRenderer(
            mesh,
            width=face.width,
            height=face.height,
            title="mien",
            fullscreen=face.fullscreen,
            samples=samples,
            quality="auto",
            budget_ms=1000 / face.fps,
            background=background,
            display=face.display,
            quarter_turns=face.quarter_turns,
        )

    # In software rendering, four samples per pixel triple the cost. Offscreen rendering is known to be in software, and
    # not opening a second context saves 16 MB.
    offscreen = choose_driver(os.environ, bool(connected_outputs())) == "offscreen"
    renderer = opened(0 if offscreen else SAMPLES)
    if renderer.info.software and not offscreen:
        renderer.close()
        renderer = opened(0)
    return renderer


def open_calibration(config: Config, renderer: Renderer) -> Calibration | None:
    """The calibration bar, if enabled and the renderer has pixels. Raises DisplayError."""
    if not config.face.calibration or renderer.info.backend != "gles":
        return None
    from mien.render.screen_passes import Bar

    log.warning("calibration: a bar flashes at the bottom of the screen; set face.calibration = false to turn it off")
    return Calibration(Bar(renderer.info.width, renderer.info.height).paint)
