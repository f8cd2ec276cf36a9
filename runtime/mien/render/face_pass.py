"""Draws the parts of the avatar that share one variant of the face shaders."""

from mien.core.mesh import Part
from mien.render import gl as gles
from mien.render.buffers import ATTRIBUTES
from mien.render.camera import View
from mien.render.draw_calls import drawn_by, uniforms
from mien.render.gl import Gl
from mien.render.program import Program
from mien.render.scene import LIGHTS, Ellipsoid
from mien.render.transform import RigidTurn

# Moves shells that lie tenths of a millimetre above a surface towards the camera, against z-fighting.
_SHELL_LIFT_M = 0.0012


class FacePass:
    """Draws opaque and blended parts with one program. Leaves the vertex buffers bound.

    The renderer calls draw_blended() for each part of `blended`, back to front over all passes.
    """

    def __init__(
        self, gl: Gl, variant: str, parts: tuple[Part, ...], textures: list[int], view: View, head: Ellipsoid
    ) -> None:
        """variant: a key of VARIANTS. parts: all parts of the avatar; those of the variant are drawn.

        head: casts a shadow on neck and shoulders.
        """
        self._gl = gl
        self._program = Program(gl, "face", ATTRIBUTES, (variant,) if variant else ())
        mine = drawn_by(variant, parts)
        self._opaque = tuple(part for part in mine if not part.alpha)
        self.blended = tuple(part for part in mine if part.alpha)
        self._textures = textures
        self._uniforms = {part: uniforms(part) for part in mine}
        self._program.use()
        at = self._program.uniform
        self._at_turns = tuple(at(name) for name in ("u_head", "u_left", "u_right"))
        self._at_material, self._at_wrap, self._at_lift = at("u_material"), at("u_wrap"), at("u_lift")
        self._at_presence = at("u_presence")
        gl.uniform_matrix_4fv(at("u_view_projection"), 1, 0, view.matrix.ctypes.data)
        gl.uniform_3f(at("u_camera"), *(float(value) for value in view.position))
        gl.uniform_3f(at("u_head_center"), *head.center)
        gl.uniform_3f(at("u_head_scale"), *(1.0 / radius for radius in head.radii))
        gl.uniform_1i(at("u_texture"), 0)
        for name, value in LIGHTS.items():
            gl.uniform_3f(at(name), *value)

    def set_presence(self, presence: float) -> None:
        """Fade to a dim grey, 1 .. 0."""
        self._program.use()
        self._gl.uniform_1f(self._at_presence, presence)

    def draw(self, head: RigidTurn, left: RigidTurn, right: RigidTurn) -> None:
        """Draw the opaque parts with these rotations of the head and the eyes."""
        if self._opaque or self.blended:
            self._program.use()
            for at, turn in zip(self._at_turns, (head, left, right), strict=True):
                if at >= 0:
                    self._gl.uniform_matrix_4fv(at, 1, 0, turn.address)
            for part in self._opaque:
                self._draw_part(part)

    def draw_blended(self, part: Part) -> None:
        """Draw one of the translucent parts, `blended`, with the rotations of the last draw()."""
        gl = self._gl
        self._program.use()
        gl.uniform_1f(self._at_lift, _SHELL_LIFT_M)
        gl.enable(gles.BLEND)
        gl.depth_mask(0)
        self._draw_part(part)
        gl.depth_mask(1)
        gl.disable(gles.BLEND)
        gl.uniform_1f(self._at_lift, 0.0)

    def _draw_part(self, part: Part) -> None:
        gl = self._gl
        material, wrap = self._uniforms[part]
        gl.uniform_4f(self._at_material, *material)
        gl.uniform_3f(self._at_wrap, *wrap)
        if part.texture >= 0:
            gl.bind_texture(gles.TEXTURE_2D, self._textures[part.texture])
        if part.double_sided:
            gl.disable(gles.CULL_FACE)
        gl.draw_elements(gles.TRIANGLES, part.index_count, gles.UNSIGNED_SHORT, 2 * part.first_index)
        if part.double_sided:
            gl.enable(gles.CULL_FACE)
