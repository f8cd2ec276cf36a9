"""The renderer: OpenGL ES 2.0, one pass, at most eight draw calls."""

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh, Part
from mien.core.pose import Pose
from mien.errors import DisplayError
from mien.render import gl as gles
from mien.render.background import BackgroundPass
from mien.render.base import RendererInfo
from mien.render.buffers import ATTRIBUTES, STATIC_VERTEX, VertexBuffers
from mien.render.camera import View, frame
from mien.render.drawing import plan
from mien.render.gl import Gl
from mien.render.materials import uniforms
from mien.render.morph import Morpher
from mien.render.program import Program
from mien.render.scene import LIGHTS, Background
from mien.render.textures import upload_texture
from mien.render.transform import RigidTurn, turn_eyes, turn_head
from mien.render.window import Window

_WHITE = np.full((1, 1, 4), 255, dtype=np.uint8)


class GlesRenderer:
    """Draws one avatar in one window. Belongs to the thread that made it."""

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
    ) -> None:
        """Open the window and put the avatar on the GPU. width and height in pixels; 0 takes the screen's own.

        samples: MSAA asked for; less is taken where the driver offers less. Raises DisplayError.
        """
        self._window = Window(width=width, height=height, title=title, fullscreen=fullscreen, samples=samples)
        try:
            self._set_up(mesh, background or Background())
        except BaseException:
            self.close()
            raise

    @property
    def close_requested(self) -> bool:
        """Whether the viewer closed the window or pressed Escape."""
        return self._window.close_requested

    @property
    def driver(self) -> str:
        """SDL's name of the display: "x11", "wayland", "KMSDRM", "offscreen"."""
        return self._window.driver

    def draw(self, pose: Pose) -> None:
        """Draw one pose into the back buffer. Raises DisplayError after close()."""
        if self._closed:
            raise DisplayError("this renderer is closed")
        gl = self._gl
        self._buffers.upload(self._morpher.update(pose))
        turn_head(self._head, pose)
        turn_eyes(self._eyes["eye_left"], self._eyes["eye_right"], pose)
        gl.clear(gles.COLOR_BUFFER_BIT | gles.DEPTH_BUFFER_BIT)
        self._face.use()
        gl.uniform_matrix_4fv(self._at_head, 1, 0, self._head.address)
        for part in self._opaque:
            self._draw_part(part)
        self._backdrop.draw()
        if self._blended:
            self._draw_blended()

    def present(self) -> None:
        """Show what was drawn. Raises DisplayError when the display or the context was lost."""
        if self._closed:
            raise DisplayError("this renderer is closed")
        self._gl.check("drawing a picture")
        if not self.info.vsync:
            self._gl.finish()  # no display to wait for: without this a busy rasteriser falls seconds behind, unseen
        self._window.flip()

    def capture(self) -> NDArray[np.uint8]:
        """The picture last drawn, uint8 (height, width, 3), top row first. Only before present()."""
        if self._closed:
            raise DisplayError("this renderer is closed")
        width, height = self.info.width, self.info.height
        pixels = np.empty((height, width, 4), dtype=np.uint8)
        self._gl.pixel_store_i(gles.PACK_ALIGNMENT, 1)
        self._gl.read_pixels(0, 0, width, height, gles.RGBA, gles.UNSIGNED_BYTE, pixels.ctypes.data)
        self._gl.check("reading the picture back")
        return np.ascontiguousarray(pixels[::-1, :, :3])

    def close(self) -> None:
        """Give the context and the window back; may be called twice."""
        self._closed = True
        self._window.close()

    def _set_up(self, mesh: Mesh, background: Background) -> None:
        self._closed = False
        self._gl = gl = Gl()
        width, height = self._window.size
        self.info = RendererInfo(
            backend="gles",
            width=width,
            height=height,
            version=gl.text(gles.VERSION),
            device=gl.text(gles.RENDERER),
            vsync=self._window.vsync,
        )
        self._morpher = Morpher(mesh)
        parts, indices = plan(mesh.parts, self._morpher.indices)
        self._opaque = tuple(part for part in parts if not part.alpha)
        self._blended = tuple(part for part in parts if part.alpha)
        self.draw_calls = len(parts) + 1
        self._head = RigidTurn(mesh.neck_pivot)
        self._eyes = {"eye_left": RigidTurn(mesh.eye_pivots[0]), "eye_right": RigidTurn(mesh.eye_pivots[1])}
        self._still = RigidTurn(mesh.neck_pivot)
        self._buffers = VertexBuffers(gl, self._morpher.vertices, _still_vertices(mesh, self._morpher.order), indices)
        # A sampler without a texture reads undefined colours on some drivers, even where their share is nought.
        self._textures = [upload_texture(gl, texture) for texture in mesh.textures or (_WHITE,)]
        self._backdrop = BackgroundPass(gl, background)
        self._set_up_face(frame(mesh.frame_center, mesh.frame_height, width / height))
        gl.viewport(0, 0, width, height)
        gl.enable(gles.DEPTH_TEST)
        gl.depth_func(gles.LEQUAL)
        gl.enable(gles.CULL_FACE)
        gl.blend_func(gles.SRC_ALPHA, gles.ONE_MINUS_SRC_ALPHA)
        gl.check("setting up the picture")

    def _set_up_face(self, view: View) -> None:
        gl = self._gl
        self._face = Program(gl, "face", ATTRIBUTES)
        self._face.use()
        at = self._face.uniform
        self._at_head, self._at_part = at("u_head"), at("u_part")
        self._at_material, self._at_wrap = at("u_material"), at("u_wrap")
        gl.uniform_matrix_4fv(at("u_view_projection"), 1, 0, view.matrix.ctypes.data)
        gl.uniform_3f(at("u_camera"), *(float(value) for value in view.position))
        gl.uniform_1i(at("u_texture"), 0)
        for name, value in LIGHTS.items():
            gl.uniform_3f(at(name), *value)
        self._uniforms = {part: uniforms(part) for part in (*self._opaque, *self._blended)}

    def _draw_part(self, part: Part) -> None:
        gl = self._gl
        material, wrap = self._uniforms[part]
        gl.uniform_matrix_4fv(self._at_part, 1, 0, self._eyes.get(part.role, self._still).address)
        gl.uniform_4f(self._at_material, *material)
        gl.uniform_4f(self._at_wrap, *wrap)
        if part.texture >= 0:
            gl.bind_texture(gles.TEXTURE_2D, self._textures[part.texture])
        if part.double_sided:
            gl.disable(gles.CULL_FACE)
        gl.draw_elements(gles.TRIANGLES, part.index_count, gles.UNSIGNED_SHORT, 2 * part.first_index)
        if part.double_sided:
            gl.enable(gles.CULL_FACE)

    def _draw_blended(self) -> None:
        gl = self._gl
        self._face.use()
        gl.enable(gles.BLEND)
        gl.depth_mask(0)
        for part in self._blended:
            self._draw_part(part)
        gl.depth_mask(1)
        gl.disable(gles.BLEND)


def _still_vertices(mesh: Mesh, order: NDArray[np.intp]) -> NDArray[np.void]:
    still = np.empty(len(order), dtype=STATIC_VERTEX)
    still["uv"] = mesh.uvs[order]
    still["color"] = mesh.colors[order]
    still["head"] = mesh.head_weights[order]
    return still
