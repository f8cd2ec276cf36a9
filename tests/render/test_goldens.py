"""Pictures of the hand-built avatar against goldens, as an eye compares: small shifts of edges and noise pass.

A change of the light or the camera is meant to fail here: look at the pictures, then draw the goldens anew with
MIEN_DRAW_GOLDENS=1 and commit them.
"""

import os
from pathlib import Path

import numpy as np
import pygame
import pytest

from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.render.gles import GlesRenderer

GOLDENS = Path(__file__).parent / "goldens"
SCENES: dict[str, dict[str, float]] = {
    "neutral": {},
    "speaking": {"jawOpen": 0.8, "mouthSmileLeft": 0.5, "eyeBlinkLeft": 0.6, "breath": 0.5},
    "turned": {"headYaw": 0.4, "headPitch": 0.15, "headRoll": -0.2, "eyeLookUpLeft": 0.8, "eyeLookUpRight": 0.8},
}
# Mean colour of 4x4 blocks, in steps of 255: below what is noticed side by side.
MOST_ANYWHERE, MOST_ON_AVERAGE = 24.0, 1.5


def blocks(pixels: np.ndarray) -> np.ndarray:
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    return pixels[:height, :width].astype(float).reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("scene", [*SCENES, "absent"])
def test_a_picture_looks_like_its_golden(gles: GlesRenderer, scene: str) -> None:
    pose = new_pose()
    for name, value in SCENES.get(scene, {}).items():
        pose[CHANNEL_INDEX[name]] = value
    gles.set_presence(0.0 if scene == "absent" else 1.0)
    gles.draw(pose)
    pixels = gles.capture()
    path = GOLDENS / f"{scene}.png"
    if os.environ.get("MIEN_DRAW_GOLDENS"):
        GOLDENS.mkdir(exist_ok=True)
        pygame.image.save(pygame.image.frombuffer(pixels.tobytes(), pixels.shape[1::-1], "RGB"), str(path))
    golden = pygame.surfarray.array3d(pygame.image.load(str(path))).swapaxes(0, 1)
    difference = np.abs(blocks(pixels) - blocks(golden))
    assert difference.max() < MOST_ANYWHERE
    assert difference.mean() < MOST_ON_AVERAGE


def test_a_plain_change_would_be_noticed() -> None:
    golden = pygame.surfarray.array3d(pygame.image.load(str(GOLDENS / "neutral.png"))).swapaxes(0, 1)
    speaking = pygame.surfarray.array3d(pygame.image.load(str(GOLDENS / "speaking.png"))).swapaxes(0, 1)
    assert np.abs(blocks(golden) - blocks(speaking)).max() > MOST_ANYWHERE
    assert np.abs(blocks(golden) - blocks(np.clip(golden * 1.05, 0, 255))).mean() > MOST_ON_AVERAGE
