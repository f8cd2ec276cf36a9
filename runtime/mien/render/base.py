"""The contract of a renderer.

tests/contracts/test_renderer.py runs it over every backend that can load:

- draw() followed by present() shows one frame. draw() alone shows nothing.
- draw() keeps no reference to the pose: the caller reuses the vector.
- capture() and looks_blank() read the frame last drawn, between draw() and present().
- blank() keeps the screen dark until the next draw() and present().
- close() may be called twice.
- All calls come from one thread, because a GL context belongs to the thread that created it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import Pose

ALL_HEARD: Final = 256.0  # the progress at which every word is bright
AS_PICTURE: Final = -1.0  # the progress of an image whose channels are a premultiplied picture


@dataclass(frozen=True, slots=True, kw_only=True)
class RendererInfo:
    """backend: "gles" or "headless". device: the GL renderer string, "" without GL.

    vsync: present() waits for the display, so that its return marks a refresh. refresh_ns: the display's period as
    measured at opening; 0 if present() does not wait. flip_depth: refreshes from drawing a frame until it is seen: 2 on
    KMSDRM, where SDL's flip returns when the previous frame has appeared. software: rendering runs on the CPU.
    quality: the name of the current quality tier, "" if there are none.
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


@dataclass(frozen=True, slots=True)
class Pointer:
    """A finger or the mouse. x, y: 0..1 of the upright screen, from its upper left corner. finger: which of several."""

    phase: Literal["down", "move", "up"]
    x: float
    y: float
    by: Literal["touch", "mouse"]
    finger: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """A key went down; a key that is held counts once. name: a digit, next, previous, choose, other."""

    name: str


Input: TypeAlias = Pointer | Key


class Overlay(Protocol):
    """Layers of 2D images over the face, positioned in pixels of the upright screen from its upper left corner.

    An image is uint8 (h, w, 4): ink, shadow, number of the word that the pixel belongs to, plate; or a premultiplied
    picture, if it is placed with the progress AS_PICTURE.
    """

    width: int
    height: int

    @property
    def stale(self) -> bool:
        """Whether the layers have changed since they were drawn last."""
        ...

    def load(self, layer: int, image: NDArray[np.uint8]) -> None:
        """Load an image into a layer, hidden until placed. Raises ValueError if it is larger than reserved."""
        ...

    def place(
        self, layer: int, left: int, top: int, opacity: float, progress: float = ALL_HEARD, ahead: float = 1.0
    ) -> None:
        """Show a layer with its upper left corner at (left, top).

        opacity: of the whole layer, 0..1. progress: words with a lower number are bright; its fraction applies to the
        next word. ahead: ink opacity of later words, 0..1.
        """
        ...

    def hide(self, layer: int) -> None:
        """Hide a layer."""
        ...


class Renderer(Protocol):
    """Draws one avatar."""

    info: RendererInfo

    @property
    def close_requested(self) -> bool:
        """Whether the viewer closed the window or pressed Escape."""
        ...

    def take_inputs(self) -> Sequence[Input]:
        """What fingers, mouse and keys did since the last call; the oldest are lost if too much came.

        Raises DisplayError.
        """
        ...

    def set_presence(self, presence: float) -> None:
        """Set the presence from the next draw() on: 1 in full colour .. 0 dim and grey."""
        ...

    def set_brightness(self, brightness: float) -> None:
        """Set the factor applied to the whole frame from the next draw() on: 1 unchanged .. 0 black."""
        ...

    def blank(self) -> bool:
        """Keep the screen dark: switched off if the display supports it, otherwise black. draw() ends it.

        Call it about once a second while the screen stays dark. Returns whether it is switched off. Raises
        DisplayError.
        """
        ...

    def open_overlay(self, sizes: Sequence[tuple[int, int]]) -> Overlay:
        """Create the overlay, once. sizes: maximum width and height of each layer's images. Raises DisplayError."""
        ...

    def rested(self) -> None:
        """Report a deliberate pause: the time until the next present() must not count as frame time."""
        ...

    def draw(self, pose: Pose) -> None:
        """Draw one pose, float32 (CHANNEL_COUNT,). Raises DisplayError when the context is lost."""
        ...

    def present(self) -> None:
        """Show the frame last drawn; waits for the display if info.vsync. Raises DisplayError."""
        ...

    def capture(self) -> NDArray[np.uint8]:
        """The frame last drawn, uint8 (height, width, 3), top row first. Raises DisplayError without pixels."""
        ...

    def looks_blank(self) -> bool:
        """Whether sampled pixels of the frame last drawn have nearly one colour; False without pixels."""
        ...

    def close(self) -> None:
        """Release the context and the window."""
        ...
