"""Draw avatars with mien's own renderer, offscreen: python models/avatars/contact_sheet.py OUT.png [AVATAR ...]

One avatar: its 52 shapes and the combinations that speech uses. Several: their portraits side by side.
"""

import dataclasses
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

from mien.avatar.load import default_avatar_path, load_avatar
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES, CHANNEL_INDEX, new_pose
from mien.render.gles import GlesRenderer

SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
COMBINATIONS: dict[str, dict[str, float]] = {
    "rest": {},
    "jawOpen + mouthClose": {"jawOpen": 0.4, "mouthClose": 0.4},
    "pucker + funnel": {"mouthPucker": 0.8, "mouthFunnel": 0.8},
    "smile, speaking": {**SMILE, "jawOpen": 0.25},
    "smile, lips shut": {**SMILE, "jawOpen": 0.2, "mouthClose": 0.2},
    "AA": {"jawOpen": 0.65, "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2},
    "EE": {"jawOpen": 0.12, "mouthStretchLeft": 0.5, "mouthStretchRight": 0.5},
    "OO": {"jawOpen": 0.2, "mouthPucker": 0.6, "mouthFunnel": 0.4},
    "FV": {"mouthRollLower": 0.5, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3, "jawOpen": 0.05},
    "L": {"jawOpen": 0.3, "tongueOut": 0.15},
    "joy": {**SMILE, "cheekSquintLeft": 0.7, "cheekSquintRight": 0.7, "eyeSquintLeft": 0.4, "eyeSquintRight": 0.4},
    "half blink": {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    "head turned": {"headYaw": 0.5},
}
CELL = (190, 250)


def draw(mesh: Mesh, size: tuple[int, int], poses: list[dict[str, float]]) -> list[pygame.Surface]:
    """One picture a pose."""
    renderer = GlesRenderer(mesh, width=size[0], height=size[1])
    pictures = []
    for weights in poses:
        pose = new_pose()
        for name, weight in weights.items():
            pose[CHANNEL_INDEX[name]] = weight
        renderer.draw(pose)
        pictures.append(pygame.surfarray.make_surface(renderer.capture().swapaxes(0, 1)))
        renderer.present()
    renderer.close()
    return pictures


def sheet(mesh: Mesh, columns: int = 10) -> pygame.Surface:
    """Every shape at full weight, then the combinations, each with its name."""
    cells = {**{name: {name: 1.0} for name in ARKIT_SHAPES}, **COMBINATIONS}
    low = dataclasses.replace(mesh, frame_center=np.array([0, -0.02, 0], dtype=np.float32), frame_height=0.27)
    pictures = draw(low, CELL, list(cells.values()))
    pygame.font.init()
    font, rows = pygame.font.Font(None, 18), -(-len(cells) // columns)
    page = pygame.Surface((CELL[0] * columns, CELL[1] * rows))
    for number, (name, picture) in enumerate(zip(cells, pictures, strict=True)):
        at = (number % columns * CELL[0], number // columns * CELL[1])
        page.blit(picture, at)
        page.blit(font.render(name, True, (245, 245, 245)), (at[0] + 6, at[1] + 5))
    return page


def family(meshes: list[Mesh], size: tuple[int, int] = (540, 720)) -> pygame.Surface:
    """Portraits side by side."""
    page = pygame.Surface((size[0] * len(meshes), size[1]))
    for number, mesh in enumerate(meshes):
        page.blit(draw(mesh, size, [{"mouthSmileLeft": 0.3, "mouthSmileRight": 0.3}])[0], (number * size[0], 0))
    return page


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit(__doc__)
    paths = [Path(name) for name in arguments[1:]] or [default_avatar_path()]
    meshes = [load_avatar(path) for path in paths]
    pygame.image.save(sheet(meshes[0]) if len(meshes) == 1 else family(meshes), arguments[0])


if __name__ == "__main__":
    main(sys.argv[1:])
