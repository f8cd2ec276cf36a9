"""A picture as JPEG, through SDL_image."""

import io

import numpy as np
from numpy.typing import NDArray


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """picture: uint8 (height, width, 3), top row first."""
    import pygame

    file = io.BytesIO()
    pygame.image.save(pygame.surfarray.make_surface(picture.swapaxes(0, 1)), file, "thumbnail.jpg")
    return file.getvalue()
