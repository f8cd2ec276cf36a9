"""The scenes kept as golden images: a small hand-built head that never changes, and the default avatar.

Draw them anew after a change of light, camera or avatar, look at every one, and commit them:

    make goldens
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TESTS = Path(__file__).resolve().parents[1]
GOLDENS = TESTS / "render" / "goldens"

SPEAKING = {"jawOpen": 0.35, "mouthFunnel": 0.3, "mouthUpperUpLeft": 0.2, "mouthUpperUpRight": 0.2, "browInnerUp": 0.4}
HAPPY = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5}
BLINK = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 0.4, "mouthPucker": 0.8}
TURNED = {"headYaw": 0.4, "headPitch": 0.15, "headRoll": -0.2, "eyeLookUpLeft": 0.8, "eyeLookUpRight": 0.8}


@dataclass(frozen=True)
class Scene:
    """avatar: "hand-built" or "default". size: width, height in pixels. pose: channels that are not 0.

    ear: "live" or "muted", the sign of the microphone, in its corner.
    """

    avatar: str
    size: tuple[int, int]
    pose: dict[str, float] = field(default_factory=dict)
    presence: float = 1.0
    ear: str = ""


SCENES = {
    "hand-built": Scene("hand-built", (120, 160)),
    "hand-built-speaking": Scene(
        "hand-built", (120, 160), {"jawOpen": 0.8, "mouthSmileLeft": 0.5, "eyeBlinkLeft": 0.6, "breath": 0.5}
    ),
    "hand-built-turned": Scene("hand-built", (120, 160), TURNED),
    "default": Scene("default", (216, 384)),
    "default-speaking": Scene("default", (216, 384), SPEAKING),
    "default-happy": Scene("default", (216, 384), HAPPY),
    "default-blink": Scene("default", (216, 384), BLINK),
    "default-turned": Scene("default", (384, 216), TURNED),
    "default-live": Scene("default", (216, 384), ear="live"),
    "default-muted": Scene("default", (216, 384), ear="muted"),
    "default-absent": Scene("default", (384, 216), presence=0.0),
}


def draw_all() -> Iterator[tuple[str, NDArray[np.uint8], str]]:
    """(name, image, GL version) of every scene, drawn offscreen with this process's GL."""
    os.environ["SDL_VIDEODRIVER"] = "offscreen"
    from mien.avatar.load import load_avatar
    from mien.core.pose import CHANNEL_INDEX, new_pose
    from mien.face.overlay.annotations import Layout
    from mien.face.overlay.ear_signs import STRENGTH, draw_ear_sign
    from mien.render.gles import GlesRenderer
    from rigs.head_mesh import make_mesh

    for name, scene in SCENES.items():
        mesh = make_mesh() if scene.avatar == "hand-built" else load_avatar()
        pose = new_pose()
        for channel, value in scene.pose.items():
            pose[CHANNEL_INDEX[channel]] = value
        renderer = GlesRenderer(mesh, width=scene.size[0], height=scene.size[1])
        renderer.set_presence(scene.presence)
        if scene.ear:
            layout = Layout(*scene.size)
            overlay = renderer.open_overlay([(layout.ear_px, layout.ear_px)])
            overlay.load(0, draw_ear_sign(scene.ear, layout.ear_px))
            overlay.place(0, *layout.ear_corner, STRENGTH)
        renderer.draw(pose)
        yield name, renderer.capture(), renderer.info.version
        renderer.close()


def read(name: str) -> NDArray[np.uint8]:
    """A golden image, uint8 (height, width, 3)."""
    import pygame

    return pygame.surfarray.array3d(pygame.image.load(str(GOLDENS / f"{name}.jpg"))).swapaxes(0, 1)


def main() -> None:
    """Write every golden; with an argument, one .npz of the images and their GL version instead."""
    drawn = list(draw_all())
    if len(sys.argv) > 1:
        np.savez(sys.argv[1], version=drawn[0][2], **{name: image for name, image, _ in drawn})
        return
    import pygame

    GOLDENS.mkdir(exist_ok=True)
    for name, image, _ in drawn:
        surface = pygame.image.frombuffer(image.tobytes(), image.shape[1::-1], "RGB")
        pygame.image.save(surface, str(GOLDENS / f"{name}.jpg"))
        print(GOLDENS / f"{name}.jpg")


if __name__ == "__main__":
    main()
