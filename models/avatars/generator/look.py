"""What makes one member of the family differ from another: every number and colour that a look may set."""

from dataclasses import dataclass

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """Lengths in cm on the neutral head; the eye line is y = 0, the viewer is at +z, the avatar's left at +x."""

    jaw_half_width: float = 3.9
    chin_y: float = -9.6
    chin_radius: float = 1.55
    cheek_radius: float = 2.75
    nose_length: float = 3.35
    nose_width: float = 0.92
    nose_tip_z: float = 9.55
    nose_tip_radius: float = 0.9
    brow_ridge: float = 0.5
    neck_radius: float = 4.0
    eye_scale: float = 1.1
    eye_tilt: float = 0.14
    lip_fullness: float = 1.0
    mouth_half_width: float = 2.3


@dataclass(frozen=True, kw_only=True)
class Look:
    """One avatar of the family. Colours are sRGB."""

    name: str
    seed: int
    proportions: Proportions = Proportions()
    skin: Color = (236, 188, 160)
    blush: Color = (222, 128, 112)
    lips: Color = (200, 106, 100)
    iris: Color = (84, 128, 118)
    iris_edge: Color = (34, 58, 60)
    hair: Color = (92, 58, 42)
    hair_light: Color = (150, 100, 70)
    brow: Color = (84, 54, 42)
    lash: Color = (40, 27, 24)
    lash_length: float = 0.42
    freckles: float = 0.0
    brow_thickness: float = 0.34
    brow_arch: float = 0.35
    hair_style: str = "bob"
    cloth: Color = (52, 92, 108)
    cloth_trim: Color = (236, 228, 214)
    cloth_style: str = "crew"
    stubble: float = 0.0
