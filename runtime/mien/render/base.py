"""The contract of a renderer.

Contract, held by tests/contracts/test_renderer.py over every backend that can load:

- draw() then present() shows one picture. draw() without present() shows nothing.
- draw() does not keep the pose: the caller reuses the vector.
- capture() reads the picture last drawn, between draw() and present().
- close() may be called twice.
- One thread only: GL contexts belong to the thread that made them.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import Pose


@dataclass(frozen=True, slots=True, kw_only=True)
class RendererInfo:
    """What draws. backend: "gles" or "headless". device: the GL renderer's own name, "" without one.

    vsync: present() waits for the display, so that its return tells the display's clock.
    """

    backend: str
    width: int
    height: int
    version: str = ""
    device: str = ""
    vsync: bool = False


class Renderer(Protocol):
    """Draws one avatar."""

    info: RendererInfo

    def draw(self, pose: Pose) -> None:
        """Draw one pose, float32 (CHANNEL_COUNT,). Raises DisplayError when the context is lost."""
        ...

    def present(self) -> None:
        """Show what was drawn; waits for the display where info.vsync says so. Raises DisplayError."""
        ...

    def capture(self) -> NDArray[np.uint8]:
        """The picture last drawn, uint8 (height, width, 3), top row first. Raises DisplayError without pixels."""
        ...

    def close(self) -> None:
        """Give the context and the window back."""
        ...
