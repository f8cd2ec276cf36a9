"""The head as a distance field, made of soft unions of ellipsoids and capsules, onto which the cage is projected.

Distances to ellipsoids are approximate, but the zero set is accurate enough for sculpting. All lengths are in cm.
"""

import numpy as np

from generator.arrays import Floats, Vector
from generator.look import Proportions
from generator.relief import relief


def soft_union(a: Floats, b: Floats, k: float) -> Floats:
    """The polynomial smooth minimum (I. Quilez) with a blend of width `k`."""
    h = np.maximum(k - np.abs(a - b), 0.0) / k
    result: Floats = np.minimum(a, b) - h * h * k / 4
    return result


def soft_cut(a: Floats, b: Floats, k: float) -> Floats:
    """The soft difference of `a` and `b`."""
    return -soft_union(-a, b, k)


def ellipsoid(p: Floats, center: Vector, radii: Vector) -> Floats:
    q = p - np.array(center)
    r = np.array(radii)
    k0 = np.linalg.norm(q / r, axis=-1)
    k1 = np.linalg.norm(q / (r * r), axis=-1)
    result: Floats = k0 * (k0 - 1.0) / np.maximum(k1, 1e-9)
    return result


def sphere(p: Floats, center: Vector, radius: float) -> Floats:
    result: Floats = np.linalg.norm(p - np.array(center), axis=-1) - radius
    return result


def capsule(p: Floats, start: Vector, end: Vector, r0: float, r1: float) -> Floats:
    """A capsule whose radius varies from r0 to r1."""
    a, b = np.array(start), np.array(end)
    axis = b - a
    t = np.clip(((p - a) @ axis) / (axis @ axis), 0.0, 1.0)
    result: Floats = np.linalg.norm(p - a - t[..., None] * axis, axis=-1) - (r0 + (r1 - r0) * t)
    return result


class Sculpt:
    """The distance field of a head with `proportions`."""

    def __init__(self, proportions: Proportions) -> None:
        self.p = proportions

    def distance(self, points: Floats) -> Floats:
        p, q = self.p, points.copy()
        q[..., 0] = np.sqrt(q[..., 0] ** 2 + 1e-4)  # one half is modelled; the square root keeps the middle smooth
        chin = p.chin_y
        d = ellipsoid(q, (0, 3.6, -1.0), (p.skull_half_width, p.skull_height, 9.2))
        d = soft_union(d, ellipsoid(q, (0, -2.2, 1.5), (p.face_half_width, 8.1, 6.8)), 3.0)
        d = soft_union(d, capsule(q, (p.jaw_half_width, -5.6, 0.6), (0.9, chin + 0.55, 5.7), 1.75, 1.55), 3.0)
        d = soft_union(d, ellipsoid(q, (0, chin + 0.15, 6.75), (p.chin_half_width, 1.25, p.chin_radius)), 2.0)
        d = soft_union(d, sphere(q, (p.cheek_x, p.cheek_y, 4.75), p.cheek_radius), 3.0)
        snout = p.muzzle * np.array([0.5, 0.3, 1.3])
        d = soft_union(d, ellipsoid(q, (0, -6.7 + 0.9 * p.muzzle, 5.9), np.array([2.9, 2.5, 2.55]) + snout), 2.2)
        d = soft_union(d, capsule(q, (0.9, 1.7, 7.3), (5.0, 2.4, 4.9), p.brow_ridge, p.brow_ridge), 2.4)
        d = soft_cut(d, ellipsoid(q, (p.eye_x - 0.12, -0.2, 8.9), (2.3, 1.7, 1.9)), 1.8)
        d = soft_cut(d, capsule(q, (0, -4.6, 9.05), (0, -5.5, 9.15), 0.22, 0.30), 0.5)
        d = soft_cut(d, ellipsoid(q, (0, chin + 1.35, 9.7), (1.4, 0.45, 0.9)), 1.3)
        d = soft_union(d, self._neck(q), 2.4)
        return soft_union(d, self._nose(q), 1.05) - relief(q, p)

    def _neck(self, q: Floats) -> Floats:
        r = self.p.neck_radius
        column = capsule(q, (0, -6.0, -2.4), (0, -24.0, -4.0), r, r + 0.7)
        shoulder = capsule(q, (0, -15.8, -4.4), (11.0, -20.1, -4.4), 2.2, 2.6)
        return soft_union(column, shoulder, 5.0)

    def _nose(self, q: Floats) -> Floats:
        p = self.p
        tip_y, tip_z = -p.nose_length, p.nose_tip_z
        d = capsule(q, (0, 0.9, 6.95 + p.nose_bridge), (0, tip_y + 0.25, tip_z - 0.15), 0.42, 0.58)
        if p.nose_hump:
            d = soft_union(d, sphere(q, (0, 0.42 * tip_y, 0.5 * (6.95 + tip_z)), 0.42 + 0.3 * p.nose_hump), 0.9)
        d = soft_union(d, sphere(q, (0, tip_y, tip_z), p.nose_tip_radius), 0.7)
        wing = ellipsoid(q, (p.nose_width * 1.0, tip_y - 0.26, tip_z - 1.15), (0.56, 0.54, 0.95))
        d = soft_union(d, wing, 0.55)
        d = soft_union(d, capsule(q, (0, tip_y - 0.45, tip_z - 0.3), (0, tip_y - 0.95, tip_z - 1.5), 0.34, 0.3), 0.4)
        nostril = ellipsoid(q, (p.nose_width * 0.74, tip_y - 0.80, tip_z - 0.85), (0.34, 0.36, 0.5))
        return soft_cut(d, nostril, 0.25)

    def gradient(self, points: Floats) -> Floats:
        """The unit outward direction, by central differences."""
        step = 0.02
        offsets = np.eye(3) * step
        g = np.stack([self.distance(points + o) - self.distance(points - o) for o in offsets], axis=-1)
        result: Floats = g / np.maximum(np.linalg.norm(g, axis=-1, keepdims=True), 1e-9)
        return result

    def march(self, starts: Floats, directions: Floats, steps: int = 90) -> Floats:
        """March from outside to the surface."""
        points = starts.copy()
        for _ in range(steps):
            points += directions * (0.75 * self.distance(points))[..., None]
        return points

    def project(self, points: Floats, steps: int = 8) -> Floats:
        """Project each point onto the surface along the gradient."""
        points = points.copy()
        for _ in range(steps):
            points -= self.gradient(points) * (0.8 * self.distance(points))[..., None]
        return points
