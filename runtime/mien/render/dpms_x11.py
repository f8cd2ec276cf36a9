"""DPMS on X11, through libXext on a separate connection."""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_ubyte, c_uint16, c_void_p
from typing import Any, Final, Self

_ON, _OFF = 0, 3
_INT_P: Final = POINTER(c_int)


class X11Power:
    """The X server's screen. open() returns None if the server or the screen does not support DPMS."""

    def __init__(self, libx11: Any, libxext: Any, display: int) -> None:
        self._x11, self._xext, self._display = libx11, libxext, display

    @classmethod
    def open(cls) -> Self | None:
        """Raises OSError or AttributeError if a library or one of its functions is missing."""
        libx11, libxext = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXext.so.6")
        _declare(libx11, libxext)
        display = libx11.XOpenDisplay(None)
        if not display:
            return None
        power = cls(libx11, libxext, display)
        if not power._is_capable():
            power.close()
            return None
        return power

    def switch(self, on: bool) -> bool:
        """Switch the screen. Returns whether the server confirms the new state."""
        # Forcing a level while DPMS is disabled is an X error, which terminates the process.
        self._xext.DPMSEnable(self._display)
        self._x11.XSync(self._display, 0)
        if self._state()[1]:
            self._xext.DPMSForceLevel(self._display, _ON if on else _OFF)
            self._x11.XSync(self._display, 0)
        return self._state() == (_ON if on else _OFF, True)

    def close(self) -> None:
        """Close the connection."""
        self._x11.XCloseDisplay(self._display)

    def _is_capable(self) -> bool:
        unused = c_int(0), c_int(0)
        return bool(self._xext.DPMSQueryExtension(self._display, byref(unused[0]), byref(unused[1]))
                    and self._xext.DPMSCapable(self._display))  # fmt: skip

    def _state(self) -> tuple[int, bool]:
        level, enabled = c_uint16(0), c_ubyte(0)
        self._xext.DPMSInfo(self._display, byref(level), byref(enabled))
        return level.value, bool(enabled.value)


def _declare(libx11: Any, libxext: Any) -> None:
    """Set the argument types, after Xlib.h and extensions/dpms.h."""
    for function, result, arguments in (
        (libx11.XOpenDisplay, c_void_p, (c_char_p,)),
        (libx11.XCloseDisplay, c_int, (c_void_p,)),
        (libx11.XSync, c_int, (c_void_p, c_int)),
        (libxext.DPMSQueryExtension, c_int, (c_void_p, _INT_P, _INT_P)),
        (libxext.DPMSCapable, c_int, (c_void_p,)),
        (libxext.DPMSEnable, c_int, (c_void_p,)),
        (libxext.DPMSForceLevel, c_int, (c_void_p, c_uint16)),
        (libxext.DPMSInfo, c_int, (c_void_p, POINTER(c_uint16), POINTER(c_ubyte))),
    ):
        function.restype, function.argtypes = result, arguments
