"""Hair drawn back from the forehead into a bun on the crown."""

import numpy as np

from generator import strands
from generator.hair_swept import cap, greyed
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

LIFT = np.array(
    [(0.03, 0.70, 0.75, 0.55, 0.4, 0.3), (0.03, 0.42, 0.5, 0.45, 0.35, 0.25), (0.02, 0.12, 0.16, 0.18, 0.16, 0.12)]
)
CENTER, RADII = np.array([0.0, 12.7, -2.6]), np.array([2.75, 2.25, 2.6])
ROWS, AROUND = 11, 22
COILS = 3.0


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The drawn-back hair and the bun."""
    sheet, _ = cap(look, sculpt, "bun", LIFT, locks=13.0)
    return [sheet, _bun(look)]


def _bun(look: Look) -> Piece:
    """A ball of hair wound around itself: its grooves run along a spiral. Its seam is at the back."""
    polar, around = np.meshgrid(
        np.linspace(0.02, 0.88 * np.pi, ROWS), np.linspace(np.pi, 3 * np.pi, AROUND + 1), indexing="ij"
    )
    wound = np.abs(np.sin(0.5 * (COILS * polar * 2 + around)))
    reach = 1.0 + 0.10 * (wound**0.6 - 0.6) * np.sin(polar)
    local = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1)
    points = CENTER + RADII * local * reach[..., None]
    tone = greyed(look, 0.35 + 0.0 * polar, 0.72 + 0.30 * wound**0.6)
    return Piece(
        points=points.reshape(-1, 3),
        tris=triangles(grid_quads(ROWS, AROUND + 1)),
        colors=np.clip(tone.reshape(-1, 3), 0, 255),
        uvs=np.stack(
            [
                (0.5 * (COILS * polar * 2 + around) / np.pi).reshape(-1) * 0.35,
                strands.solid_v(0.35 + 0.5 * np.abs(np.sin(around / 2))).reshape(-1),
            ],
            axis=1,
        ),
        least_open=strands.LEAST_OPEN,
    )
