"""The page's renderer beside the board's, frame by frame: the same poses, the same avatars."""

from __future__ import annotations

import base64
import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from console.simulated import speaking_pose
from mien.cli.console_server import open_server
from mien.cli.console_site import Item
from mien.core.pose import CHANNEL_INDEX, new_pose

# Steps of 255. Both rasterisers run on the CPU, with antialiasing, filtering and arithmetic of their own: edges differ,
# surfaces do not. Blocks are 4x4 pixels, as in tests/render/test_goldens.py, whose bounds are 24 and 1.5.
MOST_IN_A_BLOCK, MOST_ON_AVERAGE = 20.0, 0.6
ROOT = Path(__file__).resolve().parents[3]
AVATARS = ROOT / "models" / "avatars"
SIZE = (216, 384)
TURNED = {"headYaw": 0.4, "headPitch": 0.15, "headRoll": -0.2, "eyeLookUpLeft": 0.8, "eyeLookUpRight": 0.8}
FACES = {
    "neutral": {},
    "speaking": {"jawOpen": 0.35, "mouthFunnel": 0.3, "mouthUpperUpLeft": 0.2, "browInnerUp": 0.4},
    "blink": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 0.4, "mouthPucker": 0.8},
    "turned": TURNED,
    "closed lips": {"jawOpen": 0.3, "mouthClose": 0.9, "tongueOut": 0.4, "breath": 1.0},
}


def pose_of(values: dict[str, float]) -> NDArray[np.float32]:
    pose = new_pose()
    for name, value in values.items():
        pose[CHANNEL_INDEX[name]] = value
    return pose


def blocks(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    return pixels[:height, :width].astype(float).reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))


def on_the_board(avatar: Path, size: tuple[int, int], poses: list, presence: float = 1.0) -> list[NDArray[np.uint8]]:
    """The frames of the GLES renderer, offscreen."""
    os.environ["SDL_VIDEODRIVER"] = "offscreen"
    from mien.avatar.baked import read_baked
    from mien.render.gles import GlesRenderer

    renderer = GlesRenderer(read_baked(avatar), width=size[0], height=size[1])
    renderer.set_presence(presence)
    frames = []
    for pose in poses:
        renderer.draw(pose)
        frames.append(renderer.capture())
        renderer.present()
    renderer.close()
    return frames


@pytest.fixture(scope="module")
def probe(browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that draws poses with the console's renderer."""
    script = tmp_path_factory.mktemp("probe") / "probe.js"
    subprocess.run(["node", str(ROOT / "console" / "build_probe.mjs"), str(script)], check=True, timeout=120)
    site = {path.name: Item(path, "application/octet-stream") for path in AVATARS.glob("*.mien-avatar")}
    site["probe.js"] = Item(script, "text/javascript")
    site["index.html"] = Item(b"<!doctype html><script src=probe.js></script>", "text/html")
    import threading

    with open_server("127.0.0.1", 0, site, {}) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        yield page
        page.close()
        server.shutdown()


def in_the_page(probe: Page, avatar: Path, size: tuple[int, int], poses: list, presence: float = 1.0) -> list:
    """The frames of the console's renderer."""
    import pygame

    urls = probe.evaluate(
        "([avatar, width, height, poses, presence]) => window.probe(avatar, width, height, poses, presence)",
        [avatar.name, *size, [[float(value) for value in pose] for pose in poses], presence],
    )
    frames = []
    for url in urls:
        picture = pygame.image.load(io.BytesIO(base64.b64decode(url.split(",")[1])), "frame.png")
        frames.append(np.swapaxes(pygame.surfarray.array3d(picture), 0, 1))
    return frames


def compare(board: list, page: list) -> tuple[float, float]:
    """The greatest difference of a block, and the mean one of the worst frame."""
    differences = [np.abs(blocks(one) - blocks(other)) for one, other in zip(board, page, strict=True)]
    worst, average = max(each.max() for each in differences), max(each.mean() for each in differences)
    print(f"largest difference of a block {worst:.1f}, mean {average:.2f} (of 255)")
    return worst, average


@pytest.mark.parametrize("avatar", sorted(path.stem for path in AVATARS.glob("*.mien-avatar")))
def test_every_avatar_looks_as_on_the_board(probe: Page, avatar: str) -> None:
    path, poses = AVATARS / f"{avatar}.mien-avatar", [pose_of(values) for values in FACES.values()]
    board, page = on_the_board(path, SIZE, poses), in_the_page(probe, path, SIZE, poses)
    assert board[0].shape == page[0].shape == (SIZE[1], SIZE[0], 3)
    worst, average = compare(board, page)
    assert worst < MOST_IN_A_BLOCK
    assert average < MOST_ON_AVERAGE


def test_a_stretch_of_speech_frame_by_frame(probe: Page) -> None:
    """Two seconds, in landscape; each frame follows from the one before in both renderers."""
    path, poses = AVATARS / "default.mien-avatar", [speaking_pose(3.0 + frame / 15) for frame in range(30)]
    worst, average = compare(on_the_board(path, (320, 180), poses), in_the_page(probe, path, (320, 180), poses))
    assert worst < MOST_IN_A_BLOCK
    assert average < MOST_ON_AVERAGE


def test_absence_is_as_grey(probe: Page) -> None:
    path, poses = AVATARS / "default.mien-avatar", [pose_of({})]
    worst, average = compare(on_the_board(path, SIZE, poses, 0.0), in_the_page(probe, path, SIZE, poses, 0.0))
    assert worst < MOST_IN_A_BLOCK
    assert average < MOST_ON_AVERAGE


def test_another_face_would_be_noticed() -> None:
    path = AVATARS / "default.mien-avatar"
    neutral, speaking = on_the_board(path, SIZE, [pose_of({}), pose_of(FACES["speaking"])])
    assert np.abs(blocks(neutral) - blocks(speaking)).max() > MOST_IN_A_BLOCK
