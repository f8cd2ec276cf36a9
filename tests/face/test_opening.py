"""How the configured renderer is opened, with the real one replaced."""

from types import SimpleNamespace

import pytest

from mien.config import load_config, parse_overrides
from mien.core.clock import ManualClock
from mien.face.calibration import Calibration
from mien.face.opening import SAMPLES, load_engines, open_calibration, open_renderer
from mien.render.headless import HeadlessRenderer


class Gles:
    """opened: the options of each renderer; a closed one is marked so."""

    software = False

    def __init__(self, mesh, **options):
        self.opened.append(options)
        self._options = options
        self.info = SimpleNamespace(software=self.software)

    def close(self):
        self._options["closed"] = True


def opened(monkeypatch, *settings, software=False, driver="kmsdrm"):
    Gles.opened, Gles.software = [], software
    asked = []
    monkeypatch.setattr("mien.render.gles.GlesRenderer", Gles)
    monkeypatch.setattr("mien.render.hotplug.connected_outputs", lambda: ["HDMI-A-1"])
    monkeypatch.setattr("mien.render.window.choose_driver", lambda _, there: asked.append(there) or driver)
    open_renderer(load_config(None, parse_overrides(settings)), ManualClock())
    assert asked == [True]
    return Gles.opened


@pytest.mark.parametrize(
    ("software", "driver", "samples"),
    [
        (False, "kmsdrm", [(SAMPLES, False)]),
        (True, "kmsdrm", [(SAMPLES, True), (0, False)]),
        (True, "offscreen", [(0, False)]),
        (False, "offscreen", [(0, False)]),
    ],
)
def test_software_draws_without_multisampling_and_no_second_context_is_opened_offscreen(
    monkeypatch, software, driver, samples
):
    options = opened(monkeypatch, software=software, driver=driver)
    assert [(each["samples"], each.get("closed", False)) for each in options] == samples


def test_it_draws_what_the_configuration_says(monkeypatch):
    (options,) = opened(monkeypatch, "face.width=480", "face.height=854", "face.fps=25", "face.fullscreen=false")
    assert (options["width"], options["height"], options["fullscreen"]) == (480, 854, False)
    assert (options["quality"], options["budget_ms"]) == ("auto", 40)


def test_a_headless_one_has_its_size():
    config = load_config(None, parse_overrides(("face.renderer=headless", "face.width=480", "face.height=854")))
    renderer = open_renderer(config, ManualClock())
    assert isinstance(renderer, HeadlessRenderer)
    assert (renderer.info.width, renderer.info.height) == (480, 854)


def test_without_a_model_the_jaw_follows_loudness(tmp_path, caplog):
    engine, spare = load_engines(str(tmp_path / "none.json"))
    assert engine.info.backend == spare.info.backend == "envelope"
    assert engine is not spare
    assert "no motion model" in caplog.text


@pytest.mark.parametrize(
    ("asked", "backend", "is_there"), [(True, "gles", True), (True, "headless", False), (False, "gles", False)]
)
def test_the_calibration_bar_is_shown_when_asked_for_and_there_are_pixels(monkeypatch, asked, backend, is_there):
    monkeypatch.setattr("mien.render.screen_passes.Bar", lambda width, height: SimpleNamespace(paint=(width, height)))
    config = load_config(None, parse_overrides((f"face.calibration={str(asked).lower()}",)))
    renderer = SimpleNamespace(info=SimpleNamespace(backend=backend, width=3, height=4))
    made = open_calibration(config, renderer)
    assert isinstance(made, Calibration) if is_there else made is None
