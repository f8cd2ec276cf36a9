"""Draw the shipped avatars with mien's own renderer, offscreen: python models/avatars/contact_sheet.py [FOLDER]

Writes four images into FOLDER (default: this one): every shape of the default avatar; the combinations that speech and
behaviour use; turned heads of all avatars; the family. Writes readme.png into its pictures/.
"""

import dataclasses
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

from mien.avatar.baked import SUFFIX
from mien.avatar.load import load_avatar
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES, CHANNEL_INDEX, new_pose
from mien.render.gles import GlesRenderer
from mien.render.jpeg import encode_jpeg

HERE = Path(__file__).resolve().parent
NAMES = ("default", "theo", "ama", "rosa", "ken", "pip")
Pose = dict[str, float]
Size = tuple[int, int]


def both(**weights: float) -> Pose:
    """Equal weights for the left and right half of a shape."""
    return {f"{name}{side}": weight for name, weight in weights.items() for side in ("Left", "Right")}


SMILE = both(mouthSmile=0.8)
DOWN = both(eyeLookDown=0.8)
COMBINATIONS: dict[str, Pose] = {
    "rest": {},
    "jawOpen + mouthClose": {"jawOpen": 0.4, "mouthClose": 0.4},
    "pucker + funnel": {"mouthPucker": 0.8, "mouthFunnel": 0.8},
    "smile, speaking": {**SMILE, "jawOpen": 0.25},
    "smile, lips shut": {**SMILE, "jawOpen": 0.2, "mouthClose": 0.2},
    "AA": {"jawOpen": 0.65, **both(mouthLowerDown=0.2)},
    "EE": {"jawOpen": 0.12, **both(mouthStretch=0.5)},
    "OO": {"jawOpen": 0.2, "mouthPucker": 0.6, "mouthFunnel": 0.4},
    "FV": {"mouthRollLower": 0.5, "jawOpen": 0.05, **both(mouthUpperUp=0.3)},
    "L": {"jawOpen": 0.3, "tongueOut": 0.15},
    "TH": {"jawOpen": 0.2, "tongueOut": 0.35},
    "joy": {**SMILE, **both(cheekSquint=0.7, eyeSquint=0.4)},
    "sad": {"browInnerUp": 0.7, **both(mouthFrown=0.6)},
    "angry": both(browDown=0.8, eyeSquint=0.4, mouthPress=0.4),
    "surprised": {"browInnerUp": 0.8, "jawOpen": 0.35, **both(browOuterUp=0.8, eyeWide=0.7)},
    "half blink": both(eyeBlink=0.5),
    "blink, looking down": {**DOWN, **both(eyeBlink=1.0)},
    "squint, looking down": {**DOWN, **both(eyeSquint=0.6)},
}
TURNS: dict[str, Pose] = {
    "yaw -0.5": {"headYaw": -0.5},
    "yaw -0.35": {"headYaw": -0.35},
    "rest": {},
    "yaw 0.35": {"headYaw": 0.35},
    "yaw 0.5": {"headYaw": 0.5},
    "pitch 0.25": {"headPitch": 0.25, "headYaw": 0.15},
    "pitch -0.25": {"headPitch": -0.25, "headYaw": -0.15},
    "eyes up": both(eyeLookUp=0.8),
    "eyes down": both(eyeLookDown=0.9),
}

LISTENING: Pose = {"headRoll": 0.07, "headYaw": 0.06, "browInnerUp": 0.15, **both(mouthSmile=0.25, browOuterUp=0.15)}
SPEAKING: Pose = {"headPitch": -0.03, "jawOpen": 0.42, **both(mouthSmile=0.35, mouthUpperUp=0.15, browOuterUp=0.3)}
SMILING: Pose = {"headRoll": -0.06, "headYaw": -0.08, **both(mouthSmile=0.85, cheekSquint=0.6, eyeSquint=0.25)}


def draw(mesh: Mesh, size: Size, poses: list[Pose]) -> list[pygame.Surface]:
    """One image per pose."""
    renderer = GlesRenderer(mesh, width=size[0], height=size[1])
    images = []
    for weights in poses:
        pose = new_pose()
        for name, weight in weights.items():
            pose[CHANNEL_INDEX[name]] = weight
        renderer.draw(pose)
        images.append(pygame.surfarray.make_surface(renderer.capture().swapaxes(0, 1)))
        renderer.present()
    renderer.close()
    return images


def sheet(
    meshes: list[Mesh], cells: dict[str, Pose], size: Size, columns: int, *, named: bool = True
) -> pygame.Surface:
    """A grid of every pose of every mesh, labelled, with `columns` columns."""
    images = [image for mesh in meshes for image in draw(mesh, size, list(cells.values()))]
    pygame.font.init()
    font, rows = pygame.font.Font(None, 17), -(-len(images) // columns)
    page = pygame.Surface((size[0] * columns, size[1] * rows))
    for number, image in enumerate(images):
        at = (number % columns * size[0], number // columns * size[1])
        page.blit(image, at)
        if named:
            page.blit(font.render(list(cells)[number % len(cells)], True, (245, 245, 245)), (at[0] + 5, at[1] + 4))
    return page


def closer(mesh: Mesh) -> Mesh:
    """The same mesh, framed more tightly around the face."""
    return dataclasses.replace(mesh, frame_center=np.array([0, -0.02, 0], dtype=np.float32), frame_height=0.27)


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else HERE
    meshes = [load_avatar(HERE / f"{name}{SUFFIX}") for name in NAMES]
    near = [closer(mesh) for mesh in meshes]
    pages = {
        "default-shapes": sheet(near[:1], {name: {name: 1.0} for name in ARKIT_SHAPES}, (168, 206), 9),
        "combinations": sheet(near, COMBINATIONS, (104, 130), 18),
        "turns": sheet(meshes, TURNS, (130, 166), 9),
        "family": sheet(meshes, {"family": both(mouthSmile=0.3)}, (432, 576), 3, named=False),
    }
    for name, page in pages.items():
        pixels = pygame.surfarray.array3d(page).swapaxes(0, 1)
        (folder / f"{name}.jpg").write_bytes(encode_jpeg(np.ascontiguousarray(pixels)))
    (folder / "pictures").mkdir(exist_ok=True)
    moments = {"listening": LISTENING, "speaking": SPEAKING, "smiling": SMILING}
    pygame.image.save(sheet(meshes[:1], moments, (400, 560), 3, named=False), folder / "pictures" / "readme.png")


if __name__ == "__main__":
    main(sys.argv[1:])
