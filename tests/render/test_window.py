"""Where the window opens."""

import pytest

from mien.errors import DisplayError
from mien.render.window import Window, choose_driver, refresh_of, trusted_refresh


@pytest.mark.parametrize(
    ("environ", "has_screen", "driver"),
    [
        ({"SDL_VIDEODRIVER": "wayland", "DISPLAY": ":0"}, True, "wayland"),
        ({"DISPLAY": ":0"}, True, ""),
        ({"WAYLAND_DISPLAY": "wayland-0"}, False, ""),
        ({}, True, "kmsdrm"),
        ({}, False, "offscreen"),
    ],
)
def test_the_driver_follows_the_machine(environ: dict[str, str], has_screen: bool, driver: str) -> None:
    assert choose_driver(environ, has_screen) == driver


def test_a_display_that_is_not_there_is_a_display_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(DisplayError, match="SDL_VIDEODRIVER=offscreen"):
        Window(width=64, height=64, title="t", fullscreen=False)


def test_offscreen_never_claims_to_wait_for_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    window = Window(width=64, height=48, title="t", fullscreen=False)
    try:
        assert window.driver == "offscreen"
        assert window.size == (64, 48)
        assert window.refresh_ns == 0
        assert not window.close_requested
    finally:
        window.close()
        window.close()


@pytest.mark.parametrize(("flips_ms", "period_ms"), [
    ([0, 16.7, 33.4, 50.1], 16.7), ([0, 20, 40, 80, 100], 20), ([0, 0.01, 0.02, 0.03], 0), ([0, 0.1, 16.7, 16.8], 0),
])  # fmt: skip
def test_the_refresh_is_read_from_flips_that_waited(flips_ms: list[float], period_ms: float) -> None:
    assert refresh_of([int(time_ms * 1e6) for time_ms in flips_ms]) == pytest.approx(period_ms * 1e6, rel=1e-6)


@pytest.mark.parametrize(
    ("driver", "device", "trusted"),
    [
        ("x11", "llvmpipe (LLVM 15.0.6, 256 bits)", False),
        ("x11", "Mesa Intel(R) UHD Graphics", True),
        ("KMSDRM", "VC4 V3D 2.1", True),
        ("KMSDRM", "llvmpipe (LLVM 15.0.6, 128 bits)", True),
    ],
)
def test_a_software_rasteriser_in_a_window_tells_nothing_of_the_display(
    driver: str, device: str, trusted: bool
) -> None:
    assert trusted_refresh(16_666_667, driver, device) == (16_666_667 if trusted else 0)
