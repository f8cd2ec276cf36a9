"""A window or full screen with a GLES 2.0 context, through pygame (SDL).

The environment selects the video driver: SDL_VIDEODRIVER if set, else the desktop, else KMSDRM if a screen is
connected, else SDL's offscreen driver, which needs no display.
"""

import os
import sys
import time
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from mien.errors import DisplayError
from mien.render import inputs
from mien.render.base import Input
from mien.render.hotplug import ScreenWatch, connected_outputs

# Otherwise SDL turns SIGTERM into a window event, and systemctl stop times out.
os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")
# Use EGL and libGLESv2 on X11 too, where SDL would otherwise request an ES profile from GLX.
os.environ.setdefault("SDL_OPENGL_ES_DRIVER", "1")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

# pygame imports setuptools, if installed, for a font that is not used here: most of its import time, and 8 MB.
_BLOCK_PKG_RESOURCES: Final = "pkg_resources" not in sys.modules
if _BLOCK_PKG_RESOURCES:
    sys.modules["pkg_resources"] = None  # type: ignore[assignment]
try:
    import pygame
finally:
    if _BLOCK_PKG_RESOURCES:
        del sys.modules["pkg_resources"]

# Tried in this order until the driver accepts one.
SAMPLE_COUNTS: Final = (4, 2, 0)
# A faster flip did not wait for a display: none refreshes at more than 250 Hz.
_MIN_REFRESH_NS: Final = 4_000_000
_PROBE_FLIPS: Final = 8
_SCREENS_EVERY_NS: Final = 1_000_000_000
_SOFTWARE: Final = ("llvmpipe", "softpipe", "swrast", "swiftshader", "noop")


def choose_driver(environ: Mapping[str, str], has_screen: bool) -> str:
    """The SDL video driver to request; "" leaves the choice to SDL. has_screen: according to the kernel."""
    if environ.get("SDL_VIDEODRIVER"):
        return environ["SDL_VIDEODRIVER"]
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return ""
    return "kmsdrm" if has_screen else "offscreen"


def refresh_of(flips_ns: Sequence[int]) -> int:
    """A display's period in ns from the return times of flips; 0 if they did not wait."""
    period_ns = int(median(later - earlier for earlier, later in pairwise(flips_ns)))
    return period_ns if period_ns >= _MIN_REFRESH_NS else 0


def is_software(device: str) -> bool:
    """Whether the GL renderer of this name runs on the CPU."""
    return any(name in device.lower() for name in _SOFTWARE)


def trusted_refresh(refresh_ns: int, driver: str, device: str) -> int:
    """refresh_ns, or 0 if it is not the display's but the time a software rasteriser takes to copy to a window."""
    return 0 if is_software(device) and driver.lower() != "kmsdrm" else refresh_ns


class Window:
    """SDL's only window. size: actual size in pixels. driver: SDL's driver name. samples: MSAA, 0 for none.

    refresh_ns: the display's measured period if flip() waits for it; otherwise 0.
    """

    def __init__(
        self, *, width: int, height: int, title: str, fullscreen: bool, samples: int = 4, display: int = 0
    ) -> None:
        """Open the window and make its context current. width and height 0: the screen's size. display: from 0.

        Raises DisplayError without a display or a GLES context, with SDL's reason.
        """
        self._open = True
        self._inputs: deque[Input] = deque(maxlen=inputs.MOST)
        self.close_requested = False
        self._init_video()
        self.driver = str(pygame.display.get_driver())
        screens = pygame.display.get_num_displays()
        if display >= screens:
            self.close()
            raise DisplayError(
                f"face.display is {display}, counted from 0; {screens} screens are connected; connect it or change it"
            )
        self._display = display
        self.samples = self._set_mode((width, height), fullscreen, samples)
        pygame.display.set_caption(title)
        if fullscreen:
            pygame.mouse.set_visible(False)
        self.size: tuple[int, int] = pygame.display.get_window_size()
        self._screens = ScreenWatch() if self.driver.lower() == "kmsdrm" else None
        self._screens_due_ns = 0
        self.refresh_ns = 0 if self.driver in ("offscreen", "dummy") else self._measure_refresh()

    def flip(self) -> None:
        """Show the back buffer, then poll the window system's events.

        Raises DisplayError if the window is lost, or if a screen was plugged in and the display must be reopened.
        """
        try:
            pygame.display.flip()
        except pygame.error as error:
            raise DisplayError(f"the {self.driver} display is gone: {error}") from error
        self.poll()

    def poll(self) -> None:
        """Poll the window system's events without showing anything. Raises DisplayError as flip() does."""
        try:
            self._take_events()
        except pygame.error as error:
            raise DisplayError(f"the {self.driver} display is gone: {error}") from error
        if self._screens is not None:
            self._look_for_screens(self._screens)

    def take_inputs(self) -> list[Input]:
        """What was done since the last call, in the driver's orientation. Raises DisplayError as flip() does."""
        self.poll()
        taken = list(self._inputs)
        self._inputs.clear()
        return taken

    def close(self) -> None:
        """Give the window back; may be called twice."""
        if self._open:
            self._open = False
            pygame.display.quit()

    def _look_for_screens(self, screens: ScreenWatch) -> None:
        now_ns = time.monotonic_ns()
        if now_ns < self._screens_due_ns:
            return
        self._screens_due_ns = now_ns + _SCREENS_EVERY_NS
        if screens.plugged_in():
            raise DisplayError("a screen was plugged in: the display is opened again")

    def _init_video(self) -> None:
        wanted = choose_driver(os.environ, bool(connected_outputs()))
        given = os.environ.get("SDL_VIDEODRIVER")
        if wanted:
            os.environ["SDL_VIDEODRIVER"] = wanted
        try:
            pygame.display.init()
        except pygame.error as error:
            raise DisplayError(
                f"no {wanted or 'desktop'} display: {error}; connect a screen (and add the user to the groups video "
                "and render), or set SDL_VIDEODRIVER=offscreen"
            ) from error
        finally:
            if wanted and given is None:
                del os.environ["SDL_VIDEODRIVER"]

    def _set_mode(self, size: tuple[int, int], fullscreen: bool, samples: int) -> int:
        flags = pygame.OPENGL | pygame.DOUBLEBUF | (pygame.FULLSCREEN if fullscreen else 0)
        reason = ""
        for count in SAMPLE_COUNTS:
            if count > samples:
                continue
            _ask_for_context(count)
            try:
                with warnings.catch_warnings():  # KMSDRM lacks adaptive vsync, about which pygame warns each time
                    warnings.filterwarnings("ignore", "adaptive vsync")
                    pygame.display.set_mode(size, flags, display=self._display, vsync=1)
            except pygame.error as error:
                reason = str(error)
            else:
                return count
        self.close()
        raise DisplayError(f"the {self.driver} display provides no GLES 2.0 context: {reason}; on Debian: "
                           "apt install libegl1 libgles2 libgl1-mesa-dri")  # fmt: skip

    def _measure_refresh(self) -> int:
        pygame.display.flip()
        times_ns = [time.monotonic_ns()]
        for _ in range(_PROBE_FLIPS):
            pygame.display.flip()
            times_ns.append(time.monotonic_ns())
        return refresh_of(times_ns)

    def _take_events(self) -> None:
        for event in pygame.event.get():
            escaped = event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE
            if event.type == pygame.QUIT or escaped:
                self.close_requested = True
            elif (done := inputs.read(pygame.event.event_name(event.type), event, self.size, _key_name)) is not None:
                self._inputs.append(done)


def _key_name(key: int) -> str:
    return str(pygame.key.name(key))


def _ask_for_context(samples: int) -> None:
    for attribute, value in (
        (pygame.GL_CONTEXT_PROFILE_MASK, pygame.GL_CONTEXT_PROFILE_ES),
        (pygame.GL_CONTEXT_MAJOR_VERSION, 2),
        (pygame.GL_CONTEXT_MINOR_VERSION, 0),
        (pygame.GL_DEPTH_SIZE, 16),
        (pygame.GL_MULTISAMPLEBUFFERS, 1 if samples else 0),
        (pygame.GL_MULTISAMPLESAMPLES, samples),
    ):
        pygame.display.gl_set_attribute(attribute, value)
