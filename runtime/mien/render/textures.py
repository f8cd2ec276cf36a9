"""Texture upload within the limits of GLES 2.0."""

import numpy as np
from numpy.typing import NDArray

from mien.errors import DisplayError
from mien.render import gl as gles
from mien.render.gl import Gl


def upload_texture(gl: Gl, pixels: NDArray[np.uint8]) -> int:
    """Upload uint8 (H, W, 4). Returns the texture's GL name. Raises DisplayError if the GPU cannot hold it.

    Only power-of-two sizes get mipmaps and repeat, as GLES 2.0 requires.
    """
    height, width = pixels.shape[:2]
    limit = gl.integer(gles.MAX_TEXTURE_SIZE)
    if max(width, height) > limit:
        raise DisplayError(f"a texture of {width}x{height} exceeds this GPU's limit of {limit}: bake smaller textures")
    name = gl.new_texture()
    gl.bind_texture(gles.TEXTURE_2D, name)
    gl.pixel_store_i(gles.UNPACK_ALIGNMENT, 1)
    levels = mipmaps(pixels) if _is_power_of_two(width) and _is_power_of_two(height) else [pixels]
    for number, level in enumerate(levels):
        _upload_level(gl, number, np.ascontiguousarray(level))
    wrap = gles.REPEAT if len(levels) > 1 else gles.CLAMP_TO_EDGE
    for parameter, value in (
        (gles.TEXTURE_MIN_FILTER, gles.LINEAR_MIPMAP_LINEAR if len(levels) > 1 else gles.LINEAR),
        (gles.TEXTURE_MAG_FILTER, gles.LINEAR),
        (gles.TEXTURE_WRAP_S, wrap),
        (gles.TEXTURE_WRAP_T, wrap),
    ):
        gl.tex_parameter_i(gles.TEXTURE_2D, parameter, value)
    return name


def mipmaps(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The texture, uint8 (H, W, 4), and its mipmap levels down to 1x1. H and W are powers of two.

    Replaces glGenerateMipmap, for which llvmpipe keeps 15 MB of compiled code.
    """
    levels = [pixels]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_half(levels[-1]))
    return levels


def _half(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    total = pixels.astype(np.uint16)
    count = 1
    if total.shape[0] > 1:
        total, count = total[0::2] + total[1::2], 2 * count
    if total.shape[1] > 1:
        total, count = total[:, 0::2] + total[:, 1::2], 2 * count
    return ((total + count // 2) // count).astype(np.uint8)


def _upload_level(gl: Gl, number: int, pixels: NDArray[np.uint8]) -> None:
    height, width = pixels.shape[:2]
    address = pixels.ctypes.data
    gl.tex_image_2d(gles.TEXTURE_2D, number, gles.RGBA, width, height, 0, gles.RGBA, gles.UNSIGNED_BYTE, address)


def _is_power_of_two(value: int) -> bool:
    return value & (value - 1) == 0
