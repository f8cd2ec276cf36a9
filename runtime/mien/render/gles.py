"""The OpenGL ES 2.0 renderer: one pass, at most eight draw calls."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh
from mien.core.pose import Pose
from mien.errors import DisplayError
from mien.render import gl as gles
from mien.render.base import Input, RendererInfo
from mien.render.buffers import VertexBuffers, static_vertices
from mien.render.camera import View, frame, turned
from mien.render.draw_calls import VARIANTS, drawn_by, plan
from mien.render.face_pass import FacePass
from mien.render.gl import Gl
from mien.render.inputs import upright
from mien.render.morph import Morpher
from mien.render.overlay import OverlayPass
from mien.render.power import ScreenPower, power_of
from mien.render.quality import TIERS, QualityGovernor, Tier
from mien.render.readback import Readback, is_blank
from mien.render.scene import Background, background_of, head_of
from mien.render.screen_passes import BackgroundPass, DimPass, enable_corners
from mien.render.target import RenderTarget
from mien.render.textures import upload_texture
from mien.render.transform import RigidTurn, turn_eyes, turn_head
from mien.render.window import Window, is_software, trusted_refresh
from mien.units import NS_PER_MS

QUALITIES = ("auto", *(tier.name for tier in TIERS))
_WHITE = np.full((1, 1, 4), 255, dtype=np.uint8)


class GlesRenderer:
    """Draws one avatar in one window. Use it only on the thread that created it."""

    def __init__(
        self,
        mesh: Mesh,
        *,
        width: int,
        height: int,
        title: str = "mien",
        fullscreen: bool = False,
        background: Background | None = None,
        samples: int = 4,
        quality: str = "full",
        budget_ms: float = 1000 / 60,
        quarter_turns: int = 0,
        display: int = 0,
        binding: Callable[[], Gl] = Gl,
    ) -> None:
        """Open the window and upload the avatar to the GPU. width, height: in pixels; 0 takes the screen's size.

        samples: of MSAA; fewer if the driver offers fewer. quality: one of QUALITIES; "auto" picks the sharpest tier
        that keeps frames within budget_ms. display: which of several screens, from 0. quarter_turns: rotates the output
        clockwise for a rotated screen; sizes and capture() keep the driver's orientation. background: None for that of
        the avatar. binding: creates the GL binding. Raises DisplayError, and ValueError for an unknown quality.
        """
        if quality not in QUALITIES:
            raise ValueError(f"unknown quality {quality!r}; choose one of {', '.join(QUALITIES)}")
        self._governor = QualityGovernor(budget_ms) if quality == "auto" else None
        self._tier = next((tier for tier in TIERS if tier.name == quality), TIERS[0])
        self._target: RenderTarget | None = None
        self._quarter_turns = quarter_turns
        self._binding = binding
        self._begun_ns = self._presented_ns = 0
        self._rested = False
        self._brightness = 1.0
        self._dim: DimPass | None = None
        self._power: ScreenPower | None = None
        self._dark: bool | None = None
        self._presence = -1.0
        self._overlay: OverlayPass | None = None
        self._window = Window(
            width=width, height=height, title=title, fullscreen=fullscreen, samples=samples, display=display
        )
        try:
            self._set_up(mesh, background or background_of(mesh))
        except BaseException:
            self.close()
            raise

    @property
    def close_requested(self) -> bool:
        """Whether the viewer closed the window or pressed Escape."""
        return self._window.close_requested

    @property
    def driver(self) -> str:
        """SDL's driver name: "x11", "wayland", "KMSDRM", "offscreen"."""
        return self._window.driver

    @property
    def quality(self) -> str:
        """The name of the current quality tier."""
        return self._tier.name

    def take_inputs(self) -> Sequence[Input]:
        """What fingers, mouse and keys did since the last call. Raises DisplayError if the display was lost."""
        self._require_open()
        return [upright(done, self._quarter_turns) for done in self._window.take_inputs()]

    def set_presence(self, presence: float) -> None:
        """Set the presence from the next draw() on: 1 in full colour .. 0 dim and grey.

        Costs nothing while the value stays the same. Raises DisplayError after close().
        """
        self._require_open()
        if presence == self._presence:
            return
        self._presence = presence
        for face_pass in self._passes:
            face_pass.set_presence(presence)
        for backdrop in (self._backdrop, self._composite):
            if backdrop is not None:
                backdrop.set_presence(presence)

    def set_brightness(self, brightness: float) -> None:
        """Set the factor applied to the whole frame from the next draw() on. Raises DisplayError."""
        self._require_open()
        self._brightness = brightness
        if brightness < 1.0 and self._dim is None:
            self._dim = DimPass(self._gl)

    def blank(self) -> bool:
        """Keep the screen dark. Returns whether it is switched off. Raises DisplayError if it was lost meanwhile."""
        self._require_open()
        if self._dark is None:
            self._gl.clear(gles.COLOR_BUFFER_BIT)
            self._window.flip()
            self._power = self._power or power_of(self._window.driver)
            self._dark = self._power.switch(False)
        else:
            self._window.poll()
        return self._dark

    def open_overlay(self, sizes: Sequence[tuple[int, int]]) -> OverlayPass:
        """Create the overlay, once; layers are hidden until placed. Raises DisplayError."""
        self._require_open()
        self._overlay = OverlayPass(self._gl, (self.info.width, self.info.height), sizes, self._quarter_turns)
        self.draw_calls += 1
        return self._overlay

    def rested(self) -> None:
        """Report a deliberate pause: the quality is not judged by the next frame."""
        self._require_open()
        self._rested = True

    def draw(self, pose: Pose) -> None:
        """Draw one pose into the back buffer. Raises DisplayError after close()."""
        self._require_open()
        self._end_dark()
        self._begun_ns = time.monotonic_ns()
        self._buffers.upload(self._morpher.update(pose))
        turn_head(self._head, pose)
        turn_eyes(self._left, self._right, pose, self._eye_range)
        if self._target is None or self._composite is None:
            self._draw_direct()
        else:
            self._draw_scaled(self._target, self._composite)
        if self._overlay is not None:
            self._overlay.draw()
        if self._dim is not None and self._brightness < 1.0:
            self._dim.draw(self._brightness)

    def present(self) -> None:
        """Show the frame last drawn. Raises DisplayError if the display or the context was lost."""
        self._require_open()
        self._gl.check("drawing a frame")
        if not self.info.vsync:
            # Without a display to wait for, a software rasteriser falls seconds behind and keeps 2 MB per frame.
            self._gl.finish()
        self._window.flip()
        if self._governor is not None:
            self._govern(self._governor)

    def capture(self) -> NDArray[np.uint8]:
        """The frame last drawn, uint8 (height, width, 3), top row first. Only before present()."""
        self._require_open()
        return self._readback.whole()

    def looks_blank(self) -> bool:
        """Whether the frame last drawn has nearly one colour, by one column and one row. Only before present().

        Waits for the GPU, so do not call it for every frame.
        """
        self._require_open()
        return is_blank(self._readback.cross())

    def close(self) -> None:
        """Release the context and the window; may be called twice."""
        self._closed = True
        if self._power is not None:
            self._end_dark()
            self._power.close()
            self._power = None
        self._window.close()

    def _end_dark(self) -> None:
        if self._dark and self._power is not None:
            self._power.switch(True)
        self._dark = None

    def _set_up(self, mesh: Mesh, background: Background) -> None:
        self._closed = False
        self._gl = gl = self._binding()
        width, height = self._window.size
        device = gl.text(gles.RENDERER)
        refresh_ns = trusted_refresh(self._window.refresh_ns, self._window.driver, device)
        self.info = RendererInfo(
            backend="gles",
            width=width,
            height=height,
            version=gl.text(gles.VERSION),
            device=device,
            vsync=refresh_ns > 0,
            refresh_ns=refresh_ns,
            flip_depth=2 if self._window.driver.lower() == "kmsdrm" else 1,
            software=is_software(device),
        )
        self._readback = Readback(gl, width, height, multisampled=self._window.samples > 0)
        self._head = RigidTurn(mesh.neck_pivot)
        self._left, self._right = RigidTurn(mesh.eye_pivots[0]), RigidTurn(mesh.eye_pivots[1])
        self._eye_range = mesh.eye_range
        self._morpher = Morpher(mesh)
        parts, indices = plan(mesh.parts, self._morpher.indices)
        self.draw_calls = len(parts) + 1
        self._buffers = VertexBuffers(gl, self._morpher.vertices, static_vertices(mesh, self._morpher.order), indices)
        # On some drivers a sampler without a texture yields undefined colours even when their weight is zero.
        textures = [upload_texture(gl, texture) for texture in mesh.textures or (_WHITE,)]
        view = self._view_of(mesh)
        head = head_of(mesh)
        self._passes = tuple(
            FacePass(gl, variant, parts, textures, view, head) for variant in VARIANTS if drawn_by(variant, parts)
        )
        blended = {part: face_pass for face_pass in self._passes for part in face_pass.blended}
        self._blended = tuple((blended[part], part) for part in parts if part in blended)
        enable_corners(gl)
        self._background = background
        self._picture = 0 if background.picture is None else upload_texture(gl, background.picture)
        self._backdrop = self._new_backdrop(composite=False)
        self._composite: BackgroundPass | None = None
        self.set_presence(1.0)
        self._set_state()
        self._use_tier(self._tier)
        gl.check("setting up the scene")

    def _new_backdrop(self, *, composite: bool) -> BackgroundPass:
        width, height = self.info.width, self.info.height
        aspect = height / width if self._quarter_turns % 2 else width / height
        return BackgroundPass(
            self._gl,
            self._background,
            composite=composite,
            quarter_turns=self._quarter_turns,
            picture=self._picture,
            aspect=aspect,
        )

    def _view_of(self, mesh: Mesh) -> View:
        width, height = self.info.width, self.info.height
        aspect = height / width if self._quarter_turns % 2 else width / height
        floor = float(mesh.positions[:, 1].min())
        return turned(frame(mesh.frame_center, mesh.frame_height, aspect, floor, mesh.frame_width), self._quarter_turns)

    def _set_state(self) -> None:
        gl = self._gl
        gl.viewport(0, 0, self.info.width, self.info.height)
        gl.clear_color(0.0, 0.0, 0.0, 0.0)
        gl.enable(gles.DEPTH_TEST)
        gl.depth_func(gles.LEQUAL)
        gl.enable(gles.CULL_FACE)
        gl.blend_func_separate(gles.SRC_ALPHA, gles.ONE_MINUS_SRC_ALPHA, gles.ONE, gles.ONE_MINUS_SRC_ALPHA)

    def _draw_direct(self) -> None:
        self._gl.clear(gles.COLOR_BUFFER_BIT | gles.DEPTH_BUFFER_BIT)
        self._draw_opaque()
        self._backdrop.draw()
        self._draw_blended()

    def _draw_scaled(self, target: RenderTarget, composite: BackgroundPass) -> None:
        gl = self._gl
        target.bind()
        gl.viewport(0, 0, target.width, target.height)
        gl.clear(gles.COLOR_BUFFER_BIT | gles.DEPTH_BUFFER_BIT)
        self._draw_opaque()
        self._draw_blended()
        gl.bind_framebuffer(gles.FRAMEBUFFER, 0)
        gl.viewport(0, 0, self.info.width, self.info.height)
        gl.clear(gles.COLOR_BUFFER_BIT | gles.DEPTH_BUFFER_BIT)
        composite.draw(target.texture)

    def _draw_opaque(self) -> None:
        for face_pass in self._passes:
            face_pass.draw(self._head, self._left, self._right)

    def _draw_blended(self) -> None:
        for face_pass, part in self._blended:
            face_pass.draw_blended(part)

    def _govern(self, governor: QualityGovernor) -> None:
        now_ns = time.monotonic_ns()
        since_ns = self._presented_ns if self.info.vsync and self._presented_ns else self._begun_ns
        self._presented_ns = now_ns
        if self._rested:
            self._rested = False
            return
        tier = governor.add((now_ns - since_ns) / NS_PER_MS)
        if tier is not self._tier:
            self._use_tier(tier)

    def _use_tier(self, tier: Tier) -> None:
        self._tier = tier
        self.info = replace(self.info, quality=tier.name)
        if self._target is not None:
            self._target.close()
            self._target = None
        if tier.scale < 1.0:
            width, height = (max(1, round(side * tier.scale)) for side in (self.info.width, self.info.height))
            self._target = RenderTarget(self._gl, width, height)
            if self._composite is None:
                self._composite = self._new_backdrop(composite=True)
                self._composite.set_presence(self._presence)

    def _require_open(self) -> None:
        if self._closed:
            raise DisplayError("this renderer is closed")
