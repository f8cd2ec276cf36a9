"""A shipped avatar, posed on its mesh and as the renderer draws it, with landmarks found on its neutral."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh
from mien.core.pose import Pose
from mien.render.morph import Morpher

LEFT, UP, FORWARD = 0, 1, 2


class PosedFace:
    """The skin of an avatar, posed, with landmarks found on its neutral."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.targets = {target.name: target for target in mesh.targets}
        self.skin = self._part("skin")
        neutral = mesh.positions[self.skin]
        self.eye_y = float(mesh.eye_pivots[:, 1].mean())
        jaw, x, z = self.moved("jawOpen")[self.skin, UP], neutral[:, 0], neutral[:, 2]
        mouth_z = z[(np.abs(x) < 0.003) & (jaw < -0.010)].max()
        near = (np.abs(x) < 0.0025) & (z > mouth_z - 0.02) & (neutral[:, 1] < self.eye_y - 0.05)
        self.upper_lip = self.skin[near & (jaw > -0.003) & (neutral[:, 1] < self.eye_y - 0.058)]
        lower = near & (jaw < -0.014)
        self.lower_lip = self.skin[lower]
        self.mouth_y = float(neutral[lower, 1].max())

    def _part(self, role: str) -> NDArray[np.intp]:
        runs = [p for p in self.mesh.parts if p.role == role]
        indices = self.mesh.indices
        return np.unique(np.concatenate([indices[p.first_index : p.first_index + p.index_count] for p in runs]))

    def moved(self, name: str) -> NDArray[np.float32]:
        """Displacement of every vertex, metres."""
        delta = np.zeros_like(self.mesh.positions)
        target = self.targets[name]
        delta[target.vertices] = target.positions
        return delta

    def posed(self, **weights: float) -> NDArray[np.float32]:
        return self.mesh.positions + sum(np.float32(w) * self.moved(name) for name, w in weights.items())

    def lip_gap_mm(self, **weights: float) -> float:
        """The gap in the middle of the mouth; negative where the lips overlap."""
        at = self.posed(**weights)
        return float(at[self.upper_lip, 1].min() - at[self.lower_lip, 1].max()) * 1000

    def near_mm(self, name: str, x: float, y: float, radius: float) -> NDArray[np.float32]:
        """Mean displacement in mm of the skin's front within `radius` of (x, y)."""
        p = self.mesh.positions
        front = self.skin[p[self.skin, 2] > 0.02]
        inside = front[np.hypot(p[front, 0] - x, p[front, 1] - y) < radius]
        return self.moved(name)[inside].mean(axis=0) * 1000


class DrawnLips:
    """The gap between the lips, measured on the vertices sent to the GPU."""

    def __init__(self, face: PosedFace) -> None:
        self._morpher = Morpher(face.mesh)
        rank = np.empty_like(self._morpher.order)
        rank[self._morpher.order] = np.arange(len(rank))
        self._upper, self._lower = rank[face.upper_lip], rank[face.lower_lip]

    def gap_mm(self, pose: Pose) -> float:
        """The gap in the middle of the mouth with this pose; negative where the lips overlap."""
        self._morpher.update(pose)
        height = self._morpher.vertices[:, UP]
        return float(height[self._upper].min() - height[self._lower].max()) * 1000

    def gaps_mm(self, poses: Iterable[Pose]) -> NDArray[np.float64]:
        """The gap of each pose."""
        return np.array([self.gap_mm(pose) for pose in poses])
