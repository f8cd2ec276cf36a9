"""The proportions of a figure, measured from the vertices that its face shapes move."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.names import Matches
from mien.avatar.gltf.scene import Surface
from mien.errors import AvatarError

Floats = NDArray[np.float32]
# In head heights (crown to chin) of an upright adult: how far below the chin a bust ends, and half its width.
BUST_BELOW_CHIN: Final = 1.45
BUST_HALF_WIDTH: Final = 1.15
# In the same units: the margins of the camera's frame, and how high above the chin the crown may be, hair included.
FRAME_ABOVE_CROWN: Final = 0.16
FRAME_BELOW_CHIN: Final = 0.36
CROWN_OF_FACE: Final = 1.75
# What a hat and wide hair may add, the margin beside them, and the share of the height that every frame shows in width.
MOST_ABOVE_CROWN: Final = 1.0
MOST_HALF_WIDTH: Final = 1.5
SIDE_MARGIN: Final = 0.08
ORDINARY_WIDTH: Final = 0.68
TURNS_WITH_HEAD: Final = 0.5
HUMAN_HEAD_M: Final = 0.23
HUMAN_HEADS_M: Final = (0.13, 0.42)
FACE_MOVE_SHARE: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Heights in the file's units: chin, and crown with some of the hair. middle: x and z of the face's centre."""

    chin: float
    crown: float
    middle: tuple[float, float]

    @property
    def head(self) -> float:
        """The height from chin to crown."""
        return self.crown - self.chin

    @property
    def bust_end(self) -> float:
        """The height at which the bust ends."""
        return self.chin - BUST_BELOW_CHIN * self.head

    @property
    def scale(self) -> float:
        """Metres per unit of the file: 1 for a head of about human size, else the factor that makes it so."""
        least, most = HUMAN_HEADS_M
        return 1.0 if least <= self.head <= most else HUMAN_HEAD_M / self.head


def moved_by(surface: Surface, matches: Matches) -> Floats:
    """How far each vertex moves, (V,), under the target that moves it furthest."""
    wanted = {target for binds in matches.values() for target, _, _ in binds}
    reach = np.zeros(len(surface.positions), dtype=np.float32)
    for name in wanted & set(surface.targets):
        np.maximum(reach, np.linalg.norm(surface.targets[name], axis=1), out=reach)
    return reach


def measure(surfaces: list[Surface], matches: Matches) -> Figure:
    """Measure a figure. Raises AvatarError when no matched target moves anything or the size is absurd."""
    reaches = [moved_by(surface, matches) for surface in surfaces]
    most = max(float(reach.max(initial=0)) for reach in reaches)
    if not most > 0:
        raise AvatarError("the morph targets move nothing; export the head with its blend shapes")
    face = np.concatenate(
        [surface.positions[reach > FACE_MOVE_SHARE * most] for surface, reach in zip(surfaces, reaches, strict=True)]
    )
    chin, brow = np.percentile(face[:, 1], [1, 99])
    top = max(float(surface.positions[surface.tris.ravel(), 1].max()) for surface in surfaces)
    # Shapes move a face from the chin to the brows or the forehead. Width counts too, where few shapes move it.
    tall = max(float(brow - chin), float(np.ptp(face[:, 0])) * 0.6)
    crown = min(top, float(chin) + CROWN_OF_FACE * 1.35 * tall)
    if not 1e-5 < crown - chin < 1e5:
        raise AvatarError(f"the head is {crown - chin:g} units high; export it at human scale, in metres")
    return Figure(chin=float(chin), crown=crown, middle=(float(np.median(face[:, 0])), float(np.median(face[:, 2]))))


def bust_planes(figure: Figure) -> list[tuple[tuple[float, float, float], float]]:
    """The planes (normal, distance) of the crop: what is kept has normal . x >= distance."""
    wide, middle = BUST_HALF_WIDTH * figure.head, figure.middle[0]
    return [
        ((0.0, 1.0, 0.0), figure.bust_end),
        ((1.0, 0.0, 0.0), middle - wide),
        ((-1.0, 0.0, 0.0), -middle - wide),
    ]


def frame(figure: Figure, positions: Floats, turning: Floats) -> tuple[Floats, float, float]:
    """Centre (3,), height and width of the camera's frame, in the file's units.

    From above the hair to below the collar, and as wide as the head with ears, hat and hair. turning: how far each
    vertex turns with the head, (V,). The width is 0 where an ordinary frame shows it all.
    """
    x, z = figure.middle
    head = positions[(turning > TURNS_WITH_HEAD) & (positions[:, 1] > figure.chin - FRAME_BELOW_CHIN * figure.head)]
    highest = float(head[:, 1].max()) if len(head) else float(positions[:, 1].max())
    top = min(highest, figure.crown + MOST_ABOVE_CROWN * figure.head) + FRAME_ABOVE_CROWN * figure.head
    bottom = figure.chin - FRAME_BELOW_CHIN * figure.head
    reach = float(np.abs(head[:, 0] - x).max(initial=0))
    width = 2 * min(reach, MOST_HALF_WIDTH * figure.head) * (1 + SIDE_MARGIN)
    depth = z - 0.35 * figure.head
    center = np.array([x, (top + bottom) / 2, depth], dtype=np.float32)
    return center, top - bottom, width if width > ORDINARY_WIDTH * (top - bottom) else 0.0


def neck_joint(figure: Figure, positions: Floats) -> Floats:
    """An estimate of the joint between head and neck, (3,): below the ears, behind the middle."""
    head = positions[(positions[:, 1] > figure.chin) & (positions[:, 1] < figure.crown)]
    low, high = np.percentile(head[:, 2], [5, 95])
    return np.array([figure.middle[0], figure.chin + 0.02 * figure.head, low + 0.42 * (high - low)], dtype=np.float32)


def head_weights(figure: Figure, positions: Floats) -> Floats:
    """How far each vertex of a figure without bones turns with the head, (V,): 1 above the chin, 0 below the collar."""
    top, bottom = figure.chin - 0.02 * figure.head, figure.chin - 0.45 * figure.head
    share = np.clip((positions[:, 1] - bottom) / (top - bottom), 0, 1)
    smooth: Floats = (share * share * (3 - 2 * share)).astype(np.float32)
    return smooth


def half(positions: Floats, side: int, figure: Figure) -> Floats:
    """1 on one side of the face, 0 on the other, soft between, (V,). side: +1 the avatar's left (+x), -1 its right."""
    if side == 0:
        return np.ones(len(positions), dtype=np.float32)
    soft = 0.07 * figure.head
    share: Floats = np.clip(0.5 + side * (positions[:, 0] - figure.middle[0]) / soft, 0, 1).astype(np.float32)
    return share
