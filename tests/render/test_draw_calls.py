"""Draw calls as they are made, counted: at most eight a frame, whatever the avatar and the tier."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.avatar.baked import SUFFIX
from mien.avatar.load import default_avatar_path, load_avatar
from mien.core.pose import new_pose
from mien.render.draw_calls import MAX_DRAW_CALLS
from mien.render.gl import Gl
from mien.render.gles import GlesRenderer

AVATARS = sorted(default_avatar_path().parent.glob(f"*{SUFFIX}"))


class CountingGl(Gl):
    """Counts draw calls, and every call."""

    def __init__(self) -> None:
        self.draws = self.calls = 0
        super().__init__()

    def _bind(self, name: str, restype: Any, *argtypes: Any) -> Any:
        function = super()._bind(name, restype, *argtypes)

        def counted(*arguments: Any) -> Any:
            self.calls += 1
            self.draws += name in ("glDrawElements", "glDrawArrays")
            return function(*arguments)

        return counted


@pytest.mark.parametrize("quality", ["full", "low"])
@pytest.mark.parametrize("avatar", AVATARS, ids=lambda path: path.stem)
def test_at_most_eight_draw_calls_a_frame(monkeypatch: pytest.MonkeyPatch, avatar: Path, quality: str) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    gl = CountingGl()
    renderer = GlesRenderer(load_avatar(avatar), width=90, height=160, samples=0, quality=quality, binding=lambda: gl)

    def draw(weight: float) -> int:
        pose = new_pose()
        pose[:52] = weight
        gl.draws = gl.calls = 0
        renderer.draw(pose)
        renderer.present()
        return gl.draws

    try:
        draw(0.2)
        assert 1 < draw(0.4) == renderer.draw_calls <= MAX_DRAW_CALLS
        assert gl.calls < 80
        overlay = renderer.open_overlay([(60, 20)])
        overlay.load(0, np.full((20, 60, 4), 255, dtype=np.uint8))
        before = draw(0.5)
        overlay.place(0, 0, 0, 1.0)
        assert draw(0.6) == before + 1
    finally:
        renderer.close()
