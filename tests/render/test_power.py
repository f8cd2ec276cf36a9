"""The screen's power switch, with doubles of the X server and of the kernel's mode setting."""

import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from mien.render import dpms_x11, power
from mien.render.dpms_kms import KmsPower, _Connector, _Property, _Resources
from mien.render.dpms_x11 import X11Power

OFF, ON = 3, 0


class Server:
    """An X server with DPMS, through libX11 and libXext. force: whether it obeys."""

    def __init__(self, *, display: int = 7, extension: bool = True, capable: bool = True, force: bool = True) -> None:
        self.level, self.enabled, self.closed, self.errors = ON, False, False, 0
        self.x11 = SimpleNamespace(XOpenDisplay=lambda _: display, XCloseDisplay=self._close, XSync=lambda *_: 0)
        self.xext = SimpleNamespace(DPMSQueryExtension=lambda *_: int(extension), DPMSCapable=lambda _: int(capable))
        self.xext.DPMSEnable, self.xext.DPMSForceLevel, self.xext.DPMSInfo = self._enable, self._force, self._info
        self._forces = force

    def _close(self, _: int) -> None:
        self.closed = True

    def _enable(self, _: int) -> int:
        self.enabled = True
        return 1

    def _force(self, _: int, level: int) -> int:
        assert self.enabled, "an X error, which would end the process"
        self.level = level if self._forces else self.level
        return 1

    def _info(self, _: int, level: Any, enabled: Any) -> int:
        level._obj.value, enabled._obj.value = self.level, int(self.enabled)
        return 1

    def open(self, monkeypatch: pytest.MonkeyPatch) -> X11Power | None:
        libraries = {"libX11.so.6": self.x11, "libXext.so.6": self.xext}
        monkeypatch.setattr(dpms_x11.ctypes, "CDLL", libraries.__getitem__)
        monkeypatch.setattr(dpms_x11, "_declare", lambda *_: None)
        return X11Power.open()


def test_an_x_servers_screen_is_switched_and_asked_whether_it_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    switch = server.open(monkeypatch)
    assert switch is not None
    assert switch.switch(False)
    assert server.level == OFF
    assert switch.switch(True)
    assert server.level == ON
    switch.close()
    assert server.closed


def test_a_server_that_does_not_follow_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    switch = Server(force=False).open(monkeypatch)
    assert switch is not None
    assert not switch.switch(False)


@pytest.mark.parametrize("lacks", [{"display": 0}, {"extension": False}, {"capable": False}])
def test_a_server_without_dpms_has_no_switch(lacks: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(**lacks)
    assert server.open(monkeypatch) is None
    assert server.closed == ("display" not in lacks)


class Kernel:
    """Mode setting with connectors: {id: (connected, encoder, property names)}. Checks that everything is freed."""

    def __init__(self, connectors: dict[int, tuple[int, int, list[bytes]]], refuses: tuple[int, ...] = ()) -> None:
        self.levels: dict[tuple[int, int], int] = {}
        self.lent = 0
        self._connectors, self._refuses = connectors, refuses
        self._names: dict[int, bytes] = {}

    def drmModeGetResources(self, descriptor: int) -> Any:
        assert descriptor == 9
        ids = (ctypes.c_uint32 * len(self._connectors))(*self._connectors)
        return self._lend(_Resources(count_connectors=len(ids), connectors=ids))

    def drmModeGetConnectorCurrent(self, _: int, number: int) -> Any:
        connection, encoder, names = self._connectors[number]
        props = (ctypes.c_uint32 * len(names))(*(100 * number + at for at in range(len(names))))
        self._names.update(zip(props, names, strict=True))
        return self._lend(_Connector(connector_id=number, encoder_id=encoder, connection=connection,
                                     count_props=len(names), props=props))  # fmt: skip

    def drmModeGetProperty(self, _: int, prop: int) -> Any:
        return self._lend(_Property(prop_id=prop, name=self._names[prop]))

    def drmModeConnectorSetProperty(self, _: int, connector: int, prop: int, value: int) -> int:
        self.levels[connector, prop] = value
        return -13 if connector in self._refuses else 0

    def _lend(self, what: ctypes.Structure) -> Any:
        self.lent += 1
        return ctypes.pointer(what)

    def _back(self, _: Any) -> None:
        self.lent -= 1

    drmModeFreeResources = drmModeFreeConnector = drmModeFreeProperty = _back


def test_the_connectors_with_a_screen_are_switched_by_their_dpms_property_and_no_others() -> None:
    kernel = Kernel({1: (1, 5, [b"EDID", b"DPMS"]), 2: (2, 0, [b"DPMS"]), 3: (1, 0, [b"DPMS"]), 4: (1, 6, [b"DPMS"])})
    switch = KmsPower(kernel, 9)
    assert switch.switch(False)
    assert kernel.levels == {(1, 101): OFF, (4, 400): OFF}
    assert switch.switch(True)
    assert kernel.levels == {(1, 101): ON, (4, 400): ON}
    assert kernel.lent == 0


def test_a_kernel_that_refuses_one_of_them_is_not_believed_of_all() -> None:
    assert not KmsPower(Kernel({1: (1, 5, [b"DPMS"]), 2: (1, 5, [b"DPMS"])}, refuses=(2,)), 9).switch(False)


def test_no_connector_with_the_property_is_no_switch() -> None:
    switch = KmsPower(Kernel({1: (1, 5, [b"EDID"])}), 9)
    assert not switch._found
    assert not switch.switch(False)


@pytest.mark.parametrize("driver", ["offscreen", "wayland", "dummy", ""])
def test_where_nobody_can_switch_a_screen_it_says_so(driver: str) -> None:
    assert not power.power_of(driver).switch(False)


def test_a_library_that_is_missing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise OSError("libXext.so.6: cannot open shared object file")

    monkeypatch.setitem(power._BY_DRIVER, "x11", missing)
    assert not power.power_of("x11").switch(False)


def test_offscreen_sdl_has_no_descriptor_of_a_screen() -> None:
    assert KmsPower.open() is None
