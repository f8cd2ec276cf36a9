"""The 52 ARKit shapes, authored on the cage: each a displacement in cm of its control points.

Their meanings are those of Apple's ARFaceAnchor.BlendShapeLocation. Left is the avatar's own left, +x.
"""

import numpy as np

from generator.arrays import Floats, Mask, Vector
from generator.cage import EYE_COUNT, MOUTH_RINGS, STOMION_Y, Cage, eye_rings, lid_curve
from generator.look import Proportions

HINGE = np.array([0.0, -2.2, 0.6])
JAW_OPEN_DEGREES = 15.0
SIDES = {"Left": 1, "Right": -1}


def jaw_rotation(points: Floats) -> Floats:
    """The displacement of points that are fixed to the jaw when it opens fully."""
    angle = np.radians(JAW_OPEN_DEGREES)
    arm = points - HINGE
    y = arm[..., 1] * np.cos(angle) - arm[..., 2] * np.sin(angle)
    z = arm[..., 1] * np.sin(angle) + arm[..., 2] * np.cos(angle)
    moved = np.stack([arm[..., 0], y, z], axis=-1) - arm
    moved[..., 2] += 0.25
    result: Floats = moved
    return result


def smooth(x: Floats, low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    eased: Floats = t * t * (3 - 2 * t)
    return eased


class Shaper:
    """All shapes of one cage."""

    def __init__(self, cage: Cage, p: Proportions) -> None:
        self.cage, self.p = cage, p
        self.points = cage.points
        self.x, self.y, self.z = cage.points.T
        self.ring = np.full(len(self.points), -1)
        for ring in range(MOUTH_RINGS):
            self.ring[cage.mouth[ring]] = ring
        self.upper = self._upper()
        self.jaw = self._jaw()
        self.lip_distance = np.linalg.norm(self.points[:, None] - self.points[cage.mouth[2]][None], axis=2).min(axis=1)
        self.eyelid = np.zeros(len(self.points), dtype=bool)
        for rings in cage.eyes.values():
            self.eyelid[rings[1:].ravel()] = True

    def all(self) -> dict[str, Floats]:
        """All shapes: from a name to displacements (V, 3)."""
        shapes: dict[str, Floats] = {}
        for name, side in SIDES.items():
            for maker in (self._eyes, self._brows, self._mouth_sides, self._cheek_nose):
                shapes.update({f"{key}{name}": value for key, value in maker(side).items()})
        shapes.update(self._jaws())
        shapes.update(self._mouth())
        shapes["browInnerUp"] = self._push(
            (0, 0.75, 0.08), self._blob(1.5, 2.9, 1.7, 1.5) + self._blob(-1.5, 2.9, 1.7, 1.5)
        )
        # The outer brow follows: an inner brow that rises alone reads as worry.
        outer = (self._blob(4.6, 3.1, 2.1, 1.7) + self._blob(-4.6, 3.1, 2.1, 1.7)) * np.where(self.eyelid, 0.25, 1.0)
        shapes["browInnerUp"] += self._push((0, 0.36, 0.02), outer)
        shapes["mouthClose"] = self._mouth_close(shapes["jawOpen"])
        return shapes

    def _upper(self) -> Floats:
        upper = smooth(self.y - STOMION_Y, -0.8, 0.8)
        around = np.array([0.5, 0.9, 1, 1, 1, 1, 1, 0.9, 0.5, 0.1, 0, 0, 0, 0, 0, 0.1])
        for ring in range(1, MOUTH_RINGS):
            upper[self.cage.mouth[ring]] = around
        return upper

    def _jaw(self) -> Floats:
        """How far each point follows the jaw, by its angle below the hinge and by the lip that it belongs to."""
        angle = np.degrees(np.arctan2(-(self.y - HINGE[1]), np.maximum(self.z - HINGE[2], 0.3)))
        weight = smooth(angle, 15, 46) * smooth(self.z, -1.5, 3.0)
        around = np.array([0.44, 0.16, 0.03, 0.0, 0, 0.0, 0.03, 0.16, 0.44, 0.78, 0.95, 1, 1, 1, 0.95, 0.78])
        for ring, share in ((0, 0.5), (1, 0.85), (2, 1), (3, 1), (4, 1), (5, 1)):
            index = self.cage.mouth[ring]
            weight[index] = share * around + (1 - share) * weight[index]
        for (column, row), index in self.cage.grid.items():
            if row <= 4:
                weight[index] *= (0.0, 0.0, 0.06, 0.35, 0.8)[row]
            if row <= 6 and abs(column) <= 4 and row > 4:
                weight[index] = max(weight[index], 0.97)
        return weight

    def _blob(self, x: float, y: float, rx: float, ry: float) -> Floats:
        front = smooth(self.z, -1.0, 2.0)
        result: Floats = np.exp(-(((self.x - x) / rx) ** 2) - ((self.y - y) / ry) ** 2) * front
        return result

    def _push(self, direction: Vector, weight: Floats | Mask) -> Floats:
        result: Floats = weight[:, None] * np.array(direction)
        return result

    def _near_lips(self, reach: float) -> Floats:
        near = np.exp(-((self.lip_distance / reach) ** 2))
        near[self.ring >= 2] = 1.0
        result: Floats = near
        return result

    def _half(self, side: int, width: float = 1.2) -> Floats:
        return smooth(self.x * side, -width, width)

    def _jaws(self) -> dict[str, Floats]:
        opened = jaw_rotation(self.points) * self.jaw[:, None]
        corner = self._blob(2.3, STOMION_Y, 1.0, 1.0) - self._blob(-2.3, STOMION_Y, 1.0, 1.0)
        opened[:, 0] -= 0.30 * corner * np.clip(1 - np.abs(self.x) / 8, 0, 1)
        # The lips are one ring of muscle: the upper lip follows a little, or the corners would gape.
        dragged = np.where(self.ring >= 1, np.maximum(self.jaw, 0.42), self.jaw)
        sideways = dragged * smooth(self.z, -0.5, 7.0)
        return {
            "jawOpen": opened,
            "jawForward": self._push((0, 0, 0.8), self.jaw),
            "jawLeft": self._push((0.85, 0, 0), sideways),
            "jawRight": self._push((-0.85, 0, 0), sideways),
        }

    def _mouth_close(self, opened: Floats) -> Floats:
        """Closes the lips under an open jaw: both move to a line between them, the lower lip further."""
        mouth, delta = self.cage.mouth, np.zeros_like(self.points)
        after = self.points + opened
        partner = np.array([0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
        here, there = after[mouth[4]], after[mouth[4]][partner]
        is_upper = self.upper[mouth[4]][:, None]
        meet = is_upper * (0.62 * here + 0.38 * there) + (1 - is_upper) * (0.38 * here + 0.62 * there)
        travel = meet - here
        travel[[0, 8]] = 0.0
        for ring, share in ((5, 1.0), (4, 1.0), (3, 1.0), (2, 0.92), (1, 0.6), (0, 0.28)):
            delta[mouth[ring]] = travel * share
        return delta

    def _mouth(self) -> dict[str, Floats]:
        near, wide = self._near_lips(1.25), self._near_lips(1.9)
        # Lips that move forward pull the cheeks along. A shorter reach would fold them.
        forward = np.maximum(self._near_lips(1.8), near) * smooth(4.8 - np.abs(self.x), 0, 3.2)
        at_lips = np.select([self.ring >= 2, self.ring == 1], [1.0, 0.6], 0.25 * near)
        corners_down = self._push((0, -self.p.corner_lift * 0.9, 0), at_lips * smooth(np.abs(self.x), 0.6, 2.2))
        up, low = self.upper, 1 - self.upper
        flare = np.select([self.ring == 2, self.ring == 3, self.ring == 4, self.ring == 5], [0.75, 1.0, 1.0, 0.9], 0.5)
        funnel = np.zeros_like(self.points)
        funnel[:, 0] = -0.20 * self.x * near
        # The edge of the lips follows an ellipse, so that the opening is round rather than rectangular.
        arch = np.sqrt(np.clip(1 - (self.x / (1.02 * self.p.mouth_half_width)) ** 2, 0, 1))
        funnel[:, 1] = (0.46 * up - 0.54 * low) * near * flare * arch
        # The lower lip's sides rise, or an open jaw would leave it flat and its corners square.
        at_side = np.clip(np.abs(self.x) / self.p.mouth_half_width, 0, 1) ** 2 * (self.ring >= 2)
        funnel[:, 1] += at_side * near * (0.24 * low - 0.10 * up)
        funnel[:, 2] = (0.62 + 0.20 * (self.ring == 3)) * forward
        funnel += corners_down
        pucker = np.zeros_like(self.points)
        pucker[:, 0] = -0.44 * self.x * near
        pucker[:, 1] = (0.10 * up - 0.08 * low) * (self.ring == 3) + (0.10 * up - 0.06 * low) * (self.ring == 2)
        pucker[:, 1] += at_side * near * (0.07 * low - 0.05 * up)
        pucker[:, 2] = (0.75 + 0.14 * (self.ring == 3)) * forward
        pucker += 0.8 * corners_down
        left = self._push((0.95, 0, 0), wide) + self._push((0, 0.12, 0), wide * self._half(1))
        right = left * np.array([-1, 1, 1])
        right[:, 1] = 0.12 * wide * self._half(-1)
        chin = self._blob(0, self.p.chin_y + 0.6, 2.2, 1.3)
        shrug_low = self._push((0, 0.34, 0.16), near * low) + self._push((0, 0.28, 0.12), chin)
        shrug_low += self._push((0, 0.26, 0.06), near * up * smooth(self.ring, 0, 3))
        shrug_up = self._push((0, 0.32, 0.14), near * up) + self._push((0, 0.20, 0.04), near * low * (self.ring >= 2))
        puff = self.cage_normals() * (self._blob(4.3, -6.0, 2.0, 2.0) + self._blob(-4.3, -6.0, 2.0, 2.0))[:, None] * 1.0
        puff += self._push((0, 0, 0.18), near) + self._push((0, 0, 0.22), self._blob(0, STOMION_Y, 4.2, 1.6))
        tongue = self._push((0, -0.52, 0.05), near * low * self._middle(2.0)) + self._push(
            (0, 0.12, 0), near * up * self._middle(2.0)
        )
        return {
            "mouthFunnel": funnel,
            "mouthPucker": pucker,
            "mouthLeft": left,
            "mouthRight": right,
            "mouthRollLower": self._roll(low, 1),
            "mouthRollUpper": self._roll(up, -1),
            "mouthShrugLower": shrug_low,
            "mouthShrugUpper": shrug_up,
            "cheekPuff": puff,
            "tongueOut": tongue,
        }

    def _middle(self, width: float) -> Floats:
        return smooth(width + 0.5 - np.abs(self.x), 0, width)

    def _roll(self, lip: Floats, sign: int) -> Floats:
        """Rolls a lip in over the teeth; its fullest line moves back most."""
        delta = np.zeros_like(self.points)
        taper = smooth(2.9 - np.abs(self.x), 0.2, 1.6)
        for ring, dy, dz in (
            (0, 0.03, -0.05),
            (1, 0.12, -0.14),
            (2, 0.3, -0.3),
            (3, 0.3, -0.75),
            (4, 0.02, -0.5),
            (5, 0.0, -0.3),
        ):
            on = (self.ring == ring) * lip * taper
            delta[:, 1] += sign * dy * on
            delta[:, 2] += dz * on
        return delta

    def cage_normals(self) -> Floats:
        from generator.skin import triangles, vertex_normals

        return vertex_normals(self.points, triangles(self.cage.quads))

    def _corner(self, side: int) -> Floats:
        """1 at the corner of the mouth, falling off along the lips and into the cheek."""
        corner_x = self.p.mouth_half_width
        along = np.clip(self.x * side / corner_x, 0, 1.15) ** 1.5
        field = np.exp(-(((self.x * side - corner_x) / 2.4) ** 2) - ((self.y - STOMION_Y) / 2.3) ** 2)
        field = field * smooth(self.x * side, 0.0, 1.8) * smooth(self.z, 0, 3)
        return np.select([self.ring >= 2, self.ring == 1], [along, 0.45 * np.minimum(along, 1.0) + 0.55 * field], field)

    def _mouth_sides(self, side: int) -> dict[str, Floats]:
        s, corner, half = side, self._corner(side), self._half(side, 0.9)
        near = self._near_lips(1.2)
        up, low = self.upper, 1 - self.upper
        cheek = self._blob(3.7 * s, -3.7, 1.9, 1.5)
        fold = self._blob(2.6 * s, -4.9, 1.2, 1.2)
        lip = np.where(self.ring >= 2, 1.0, 0.0)
        # The lips curve up more strongly towards the corner. Linear displacement would form a V.
        smile = (
            self._push((0.66 * s, 0, -0.40), corner)
            + self._push((0, 0.66, 0), corner**1.35)
            + self._push((0.20 * s, 0.50, 0.36), cheek)
        )
        smile += self._push((0.14 * s, 0.14, 0.16), fold * (self.ring < 0))
        # Stretched lips become thinner and lie closer to the teeth.
        smile += self._push((0, 0, -0.12), lip * half * (self.ring == 3))
        smile += self._push((0, -0.05, 0), up * lip * half * (self.ring == 2)) + self._push(
            (0, 0.09, 0), low * lip * half * (self.ring == 2)
        )
        # Wide enough that both halves together move the middle equally far; otherwise a lowered lip would form a W.
        peak = 0.8 * np.exp(-(((self.x * s - 0.8) / 1.12) ** 2))
        press = self._push((0, -0.10, -0.12), up * lip * half * (self.ring <= 3))
        press += self._push((0, 0.13, -0.14), low * lip * half * (self.ring <= 3)) + self._push(
            (0.12 * s, 0.04, -0.12), corner
        )
        upper_up = self._push((0, 0.52, 0.06), near * up * peak) + self._push((0, 0.16, 0.12), fold)
        return {
            "mouthSmile": smile,
            "mouthFrown": self._push((0.10 * s, -0.78, -0.12), corner)
            + self._push((0, -0.1, 0.05), self._blob(2.6 * s, -8.6, 1.2, 1.0)),
            "mouthDimple": self._push((0.36 * s, 0.12, -0.42), corner),
            "mouthStretch": self._push((0.72 * s, -0.26, -0.34), corner),
            "mouthPress": press,
            "mouthLowerDown": self._push((0, -0.55, 0.04), near * low * peak),
            "mouthUpperUp": upper_up,
        }

    def _brows(self, side: int) -> dict[str, Floats]:
        s = side
        free = np.where(self.eyelid, 0.25, 1.0)
        down = self._push((-0.16 * s, -0.62, 0.14), self._blob(2.9 * s, 3.0, 2.6, 1.5) * free)
        down += self._push((-0.08 * s, -0.2, 0.08), self._blob(1.1 * s, 2.6, 1.2, 1.2) * free)
        return {
            "browDown": down,
            "browOuterUp": self._push((0, 0.78, 0.02), self._blob(4.6 * s, 3.1, 2.1, 1.7) * free),
        }

    def _cheek_nose(self, side: int) -> dict[str, Floats]:
        s = side
        lower_lid = self._lid(side, lower=0.28)
        squint = self._push((0.02 * s, 0.42, 0.16), self._blob(3.7 * s, -3.1, 2.3, 1.7) * ~self.eyelid) + lower_lid
        wing = self._blob(1.25 * s, -3.6, 0.95, 1.1)
        sneer = self._push((0.08 * s, 0.36, 0.04), wing) + self._push(
            (0, 0.16, 0.08), self._blob(1.3 * s, -1.4, 1.0, 1.3) * ~self.eyelid
        )
        sneer += self._push(
            (0, 0.15, 0.05), self._near_lips(1.2) * self.upper * np.exp(-(((self.x * s - 1.2) / 0.9) ** 2))
        )
        return {"cheekSquint": squint, "noseSneer": sneer}

    def _eyes(self, side: int) -> dict[str, Floats]:
        return {
            "eyeBlink": self._blink(side),
            "eyeSquint": self._lid(side, lower=0.42, upper=-0.16)
            + self._push((0, 0.22, 0.12), self._blob(3.5 * side, -2.4, 2.0, 1.0) * ~self.eyelid),
            "eyeWide": self._lid(side, lower=-0.06, upper=0.26),
            "eyeLookUp": self._lid(side, lower=0.10, upper=0.22),
            "eyeLookDown": self._lid(side, lower=-0.16, upper=-0.62, closing=0.35),
            "eyeLookIn": self._lid(side, shift=-0.07),
            "eyeLookOut": self._lid(side, shift=0.07),
        }

    def _lid(
        self, side: int, lower: float = 0.0, upper: float = 0.0, shift: float = 0.0, closing: float = 0.0
    ) -> Floats:
        """Moves the lids by cm at their middle, tapering to the corners. shift: outwards."""
        curve = lid_curve(self.p)
        taper = np.abs(np.sin(np.linspace(0, 2 * np.pi, EYE_COUNT, endpoint=False))) ** 0.8
        is_upper = np.arange(EYE_COUNT) < EYE_COUNT // 2
        moved = curve.copy()
        moved[:, 1] += taper * np.where(is_upper, upper, lower)
        moved[:, 0] += shift * taper
        return self._eye_delta(side, moved, taper * is_upper * closing)

    def _blink(self, side: int) -> Floats:
        curve = lid_curve(self.p)
        count = EYE_COUNT
        partner = (-np.arange(count)) % count
        is_upper = np.arange(count) < count // 2
        lower = np.where(is_upper[:, None], curve[partner], curve)
        upper = np.where(is_upper[:, None], curve, curve[partner])
        meet = 0.88 * lower + 0.12 * upper
        # The upper lid overlaps the lower one, so that no white shows between them.
        overlap = np.sin(np.linspace(0, 2 * np.pi, count, endpoint=False)) * 0.03
        meet[:, 1] -= np.clip(overlap, 0, None)
        taper = np.abs(np.sin(np.linspace(0, 2 * np.pi, count, endpoint=False))) ** 0.5
        return self._eye_delta(side, meet, np.where(is_upper, taper, 0.2 * taper))

    def _eye_delta(self, side: int, curve: Floats, closing: Floats) -> Floats:
        rings, ball = self.cage.eyes[side], self.cage.eyeballs[side]
        orbit, delta = self.points[rings[0]], np.zeros_like(self.points)
        delta[rings[1:]] = eye_rings(curve, orbit, ball, self.p, closing) - self.points[rings[1:]]
        return delta
