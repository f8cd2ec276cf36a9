"""DPMS on KMSDRM: sets the connectors' property through SDL's descriptor, which is the DRM master."""

import ctypes
from collections.abc import Iterator
from ctypes import POINTER, c_char, c_int, c_uint32, c_uint64, c_void_p
from typing import Any, Final, Self

from mien.errors import DisplayError
from mien.render.sdl import drm_descriptor

_ON, _OFF = 0, 3
_CONNECTED: Final = 1


class _Resources(ctypes.Structure):
    """The leading fields of drmModeRes (xf86drmMode.h)."""

    _fields_ = (("count_fbs", c_int), ("fbs", c_void_p), ("count_crtcs", c_int), ("crtcs", c_void_p),
                ("count_connectors", c_int), ("connectors", POINTER(c_uint32)))  # fmt: skip


class _Connector(ctypes.Structure):
    """The leading fields of drmModeConnector."""

    _fields_ = (("connector_id", c_uint32), ("encoder_id", c_uint32), ("kind", c_uint32), ("kind_id", c_uint32),
                ("connection", c_int), ("width_mm", c_uint32), ("height_mm", c_uint32), ("subpixel", c_int),
                ("count_modes", c_int), ("modes", c_void_p), ("count_props", c_int), ("props", POINTER(c_uint32)),
                ("prop_values", POINTER(c_uint64)))  # fmt: skip


class _Property(ctypes.Structure):
    """The leading fields of drmModePropertyRes."""

    _fields_ = (("prop_id", c_uint32), ("flags", c_uint32), ("name", c_char * 32))


class KmsPower:
    """The connectors on which SDL draws. open() returns None if none of them supports DPMS."""

    def __init__(self, libdrm: Any, descriptor: int) -> None:
        """libdrm: the library; replaced in tests."""
        self._drm, self._descriptor = libdrm, descriptor
        self._found = list(self._switches())

    @classmethod
    def open(cls) -> Self | None:
        """Raises OSError or AttributeError if libdrm or one of its functions is missing."""
        libdrm = ctypes.CDLL("libdrm.so.2")
        _declare(libdrm)
        try:
            descriptor = drm_descriptor()
        except DisplayError:
            return None
        power = cls(libdrm, descriptor)
        return power if power._found else None

    def switch(self, on: bool) -> bool:
        """Switch all connectors. Returns whether the kernel accepted it for every one."""
        level = _ON if on else _OFF
        took = [self._drm.drmModeConnectorSetProperty(self._descriptor, connector, dpms, level) == 0
                for connector, dpms in self._found]  # fmt: skip
        return all(took) and bool(took)

    def close(self) -> None:
        """Nothing to release: SDL owns the descriptor."""

    def _switches(self) -> Iterator[tuple[int, int]]:
        """Connectors with a screen, each with its DPMS property."""
        resources = self._drm.drmModeGetResources(self._descriptor)
        if not resources:
            return
        try:
            for at in range(resources.contents.count_connectors):
                yield from self._switch_of(resources.contents.connectors[at])
        finally:
            self._drm.drmModeFreeResources(resources)

    def _switch_of(self, connector_id: int) -> Iterator[tuple[int, int]]:
        connector = self._drm.drmModeGetConnectorCurrent(self._descriptor, connector_id)
        if not connector:
            return
        try:
            seen = connector.contents
            if seen.connection == _CONNECTED and seen.encoder_id:
                for at in range(seen.count_props):
                    if self._name_of(seen.props[at]) == b"DPMS":
                        yield connector_id, seen.props[at]
        finally:
            self._drm.drmModeFreeConnector(connector)

    def _name_of(self, prop_id: int) -> bytes:
        found = self._drm.drmModeGetProperty(self._descriptor, prop_id)
        if not found:
            return b""
        try:
            return bytes(found.contents.name)
        finally:
            self._drm.drmModeFreeProperty(found)


def _declare(libdrm: Any) -> None:
    """Set the argument types, after xf86drmMode.h."""
    for function, result, arguments in (
        (libdrm.drmModeGetResources, POINTER(_Resources), (c_int,)),
        (libdrm.drmModeFreeResources, None, (POINTER(_Resources),)),
        (libdrm.drmModeGetConnectorCurrent, POINTER(_Connector), (c_int, c_uint32)),
        (libdrm.drmModeFreeConnector, None, (POINTER(_Connector),)),
        (libdrm.drmModeGetProperty, POINTER(_Property), (c_int, c_uint32)),
        (libdrm.drmModeFreeProperty, None, (POINTER(_Property),)),
        (libdrm.drmModeConnectorSetProperty, c_int, (c_int, c_uint32, c_uint32, c_uint64)),
    ):
        function.restype, function.argtypes = result, arguments
