"""Screens plugged in and out, as reported in /sys/class/drm."""

import errno
from pathlib import Path

import pytest

from mien.render.hotplug import ScreenWatch, connected_outputs


def plug(drm_class: Path, **outputs: bool) -> None:
    for name, connected in outputs.items():
        folder = drm_class / f"card0-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "status").write_text("connected\n" if connected else "disconnected\n")


def test_connected_outputs_are_what_the_kernel_says(tmp_path: Path) -> None:
    plug(tmp_path, HDMI1=True, HDMI2=False)
    (tmp_path / "card0").mkdir()
    (tmp_path / "card0-DSI1").mkdir()
    assert connected_outputs(tmp_path) == {"card0-HDMI1"}
    assert connected_outputs(tmp_path / "absent") == set()


def test_a_screen_that_stays_is_no_news(tmp_path: Path) -> None:
    plug(tmp_path, HDMI1=True, HDMI2=False)
    assert not ScreenWatch(tmp_path).plugged_in()


@pytest.mark.parametrize("seen_away", [1, 5])
def test_a_screen_that_was_unplugged_is_news_when_it_is_back(tmp_path: Path, seen_away: int) -> None:
    plug(tmp_path, HDMI1=True)
    watch = ScreenWatch(tmp_path)
    plug(tmp_path, HDMI1=False)
    assert not any(watch.plugged_in() for _ in range(seen_away))
    plug(tmp_path, HDMI1=True)
    assert watch.plugged_in()


def test_another_screen_is_news_at_once(tmp_path: Path) -> None:
    plug(tmp_path, HDMI1=True, HDMI2=False)
    watch = ScreenWatch(tmp_path)
    plug(tmp_path, HDMI1=False, HDMI2=True)
    assert watch.plugged_in()


def test_a_screen_that_comes_to_none_is_news(tmp_path: Path) -> None:
    watch = ScreenWatch(tmp_path)
    assert not watch.plugged_in()
    plug(tmp_path, HDMI1=True)
    assert watch.plugged_in()


def test_what_cannot_be_read_is_no_sign_of_a_screen_that_came_or_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(tmp_path, HDMI1=True)
    watch = ScreenWatch(tmp_path)

    def no_descriptor(*_: object, **__: object) -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", no_descriptor)
        with pytest.raises(OSError, match="Too many"):
            connected_outputs(tmp_path)
        assert not watch.plugged_in()
    assert not watch.plugged_in(), "the screen was there all the time"
