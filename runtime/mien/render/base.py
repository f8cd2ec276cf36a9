"""The contract of a renderer.

Contract, held by tests/contracts/test_renderer.py over every backend that can load:

- draw() then present() shows one picture. draw() without present() shows nothing.
- draw() does not keep the pose: the caller reuses the vector.
- capture() and looks_blank() read the picture last drawn, between draw() and present().
- close() may be called twice.
- One thread only: GL contexts belong to the thread that made them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import Pose

ALL_HEARD: Final = 256.0  # a progress that makes every word bright


@dataclass(frozen=True, slots=True, kw_only=True)
class RendererInfo:
    """What draws. backend: "gles" or "headless". device: the GL renderer's own name, "" without one.

    vsync: present() waits for the display, so that its return tells the display's clock. refresh_ns: the display's
    period as measured at opening; 0 where present() waits for nothing. flip_depth: refreshes from the start of a
    drawing until it is seen: 2 on KMSDRM, where SDL's flip returns when the picture before it has appeared. software:
    the processor draws. quality: the tier drawn in now, "" where there are none.
    """

    backend: str
    width: int
    height: int
    version: str = ""
    device: str = ""
    vsync: bool = False
    refresh_ns: int = 0
    flip_depth: int = 1
    software: bool = False
    quality: str = ""


class Overlay(Protocol):
    """Flat pictures over the face, in layers; pixels of the upright screen, from its upper left corner.

    A picture is uint8 (h, w, 4): ink, the ink's shade, the number of the word that the pixel belongs to, and plate.
    """

    width: int
    height: int

    @property
    def stale(self) -> bool:
        """Whether what is to be shown differs from what was drawn last."""
        ...

    def load(self, layer: int, picture: NDArray[np.uint8]) -> None:
        """Put a picture into a layer, which stays hidden until placed. Raises ValueError if larger than reserved."""
        ...

    def place(
        self, layer: int, left: int, top: int, opacity: float, progress: float = ALL_HEARD, ahead: float = 1.0
    ) -> None:
        """Show a layer, its upper left corner there. opacity: 0..1, of all of it. progress: words with a lower number
        are bright, the one in which it lies partly. ahead: how strong the ink of those to come is, 0..1."""
        ...

    def hide(self, layer: int) -> None:
        """Show nothing of a layer."""
        ...


class Renderer(Protocol):
    """Draws one avatar. close_requested: whoever looks at the window wants it closed."""

    info: RendererInfo

    @property
    def close_requested(self) -> bool:
        """Whether the viewer closed the window or pressed Escape."""
        ...

    def set_presence(self, presence: float) -> None:
        """How much the face is there, from the next draw() on: 1 in full colour, 0 dim and grey."""
        ...

    def open_overlay(self, sizes: Sequence[tuple[int, int]]) -> Overlay:
        """Reserve layers, once: the width and height of the largest picture of each. Raises DisplayError."""
        ...

    def rested(self) -> None:
        """Nothing was drawn for a while, on purpose: the time until the next present() says nothing of the display or
        of what a frame costs."""
        ...

    def draw(self, pose: Pose) -> None:
        """Draw one pose, float32 (CHANNEL_COUNT,). Raises DisplayError when the context is lost."""
        ...

    def present(self) -> None:
        """Show what was drawn; waits for the display where info.vsync says so. Raises DisplayError."""
        ...

    def capture(self) -> NDArray[np.uint8]:
        """The picture last drawn, uint8 (height, width, 3), top row first. Raises DisplayError without pixels."""
        ...

    def looks_blank(self) -> bool:
        """Whether a few pixels of the picture last drawn are all but one colour; False without pixels."""
        ...

    def close(self) -> None:
        """Give the context and the window back."""
        ...
