"""Draw heads beside each other, a row for each: python models/avatars/side_by_side.py OUT.webp LABEL=FILE ...

FILE: a baked avatar, or a glTF or VRM head, which is baked in memory. Needs ffmpeg with libwebp.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import numpy as np
import pygame
from contact_sheet import Pose, both, draw

from mien.avatar.baked import SUFFIX, read_baked
from mien.core.mesh import Mesh

# The kiosk's portrait, at a third of its size.
CELL = (240, 427)
QUALITY = 70
POSES: dict[str, Pose] = {
    "rest": {},
    "aa": {"jawOpen": 0.65, **both(mouthLowerDown=0.2)},
    "oo": {"jawOpen": 0.2, "mouthPucker": 0.6, "mouthFunnel": 0.4},
    "smile": both(mouthSmile=0.8, cheekSquint=0.5),
    "turned": {"headYaw": 0.45},
}


def read(path: Path) -> Mesh:
    if path.suffix == SUFFIX:
        return read_baked(path)
    from mien.avatar.bake.pipeline import bake_glb

    return bake_glb(path)


def main(arguments: list[str]) -> None:
    if len(arguments) < 2 or not all("=" in pair for pair in arguments[1:]):
        sys.exit(__doc__)
    rows = [pair.split("=", 1) for pair in arguments[1:]]
    pygame.font.init()
    font = pygame.font.Font(None, 20)
    page = pygame.Surface((CELL[0] * len(POSES), CELL[1] * len(rows)))
    for row, (label, file) in enumerate(rows):
        for column, (name, image) in enumerate(
            zip(POSES, draw(read(Path(file)), CELL, list(POSES.values())), strict=True)
        ):
            at = (column * CELL[0], row * CELL[1])
            page.blit(image, at)
            page.blit(font.render(f"{label}: {name}" if label else name, True, (245, 245, 245)), (at[0] + 6, at[1] + 5))
    with tempfile.TemporaryDirectory() as folder:
        png = Path(folder, "sheet.png")
        pygame.image.save(page, str(png))
        subprocess.run(
            [
                "ffmpeg",
                "-y",
                "-loglevel",
                "error",
                "-i",
                str(png),
                "-c:v",
                "libwebp",
                "-quality",
                str(QUALITY),
                arguments[0],
            ],
            check=True,
        )
    size = np.array(page.get_size())
    print(f"{arguments[0]}: {size[0]} x {size[1]}, {Path(arguments[0]).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
