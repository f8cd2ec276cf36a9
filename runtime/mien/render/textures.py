"""Textures on the GPU, within what GLES 2.0 promises."""

import numpy as np
from numpy.typing import NDArray

from mien.errors import DisplayError
from mien.render import gl as gles
from mien.render.gl import Gl


def upload_texture(gl: Gl, pixels: NDArray[np.uint8]) -> int:
    """Upload uint8 (H, W, 4) and return the texture's name. Raises DisplayError when the GPU cannot hold it.

    Only sizes that are powers of two get mipmaps and repeat: GLES 2.0 knows no others.
    """
    height, width = pixels.shape[:2]
    limit = gl.integer(gles.MAX_TEXTURE_SIZE)
    if max(width, height) > limit:
        raise DisplayError(f"a texture of {width}x{height} is larger than this GPU's {limit}: bake the avatar smaller")
    data = np.ascontiguousarray(pixels)
    name = gl.new_texture()
    gl.bind_texture(gles.TEXTURE_2D, name)
    gl.pixel_store_i(gles.UNPACK_ALIGNMENT, 1)
    gl.tex_image_2d(
        gles.TEXTURE_2D, 0, gles.RGBA, width, height, 0, gles.RGBA, gles.UNSIGNED_BYTE, data.ctypes.data
    )
    mipmapped = _is_power_of_two(width) and _is_power_of_two(height)
    wrap = gles.REPEAT if mipmapped else gles.CLAMP_TO_EDGE
    for parameter, value in (
        (gles.TEXTURE_MIN_FILTER, gles.LINEAR_MIPMAP_LINEAR if mipmapped else gles.LINEAR),
        (gles.TEXTURE_MAG_FILTER, gles.LINEAR),
        (gles.TEXTURE_WRAP_S, wrap),
        (gles.TEXTURE_WRAP_T, wrap),
    ):
        gl.tex_parameter_i(gles.TEXTURE_2D, parameter, value)
    if mipmapped:
        gl.generate_mipmap(gles.TEXTURE_2D)
    return name


def _is_power_of_two(value: int) -> bool:
    return value & (value - 1) == 0
