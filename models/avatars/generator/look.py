"""The parameters of an avatar's look: proportions, colours, hairstyle, clothes."""

from dataclasses import dataclass

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """Lengths in cm on the neutral head; the eye line is y = 0, the viewer is at +z, the avatar's left at +x."""

    face_half_width: float = 6.0
    jaw_half_width: float = 3.75
    chin_y: float = -9.3
    chin_half_width: float = 1.45
    chin_radius: float = 1.45
    cheek_radius: float = 2.62
    nose_length: float = 3.4
    nose_bridge: float = 0.12
    nose_width: float = 0.86
    nose_tip_z: float = 9.5
    nose_tip_radius: float = 0.82
    brow_ridge: float = 0.5
    neck_radius: float = 3.75
    eye_scale: float = 1.15
    eye_tilt: float = 0.14
    lip_fullness: float = 1.08
    mouth_half_width: float = 2.5


@dataclass(frozen=True, kw_only=True)
class Look:
    """One avatar of the family. Colours are sRGB."""

    name: str
    seed: int
    proportions: Proportions = Proportions()
    skin: Color = (236, 188, 160)
    blush: Color = (222, 128, 112)
    blush_amount: float = 0.30
    lips: Color = (208, 118, 110)
    iris: Color = (86, 122, 112)
    iris_edge: Color = (34, 58, 60)
    hair: Color = (74, 42, 30)
    hair_light: Color = (172, 112, 74)
    brow: Color = (78, 40, 26)
    lash: Color = (40, 27, 24)
    lash_length: float = 0.74
    freckles: float = 0.0
    age_lines: float = 0.0
    brow_thickness: float = 0.34
    brow_arch: float = 0.35
    brow_y: float = 2.45
    beard: float = 0.0
    beard_color: Color = (70, 54, 46)
    grey: Color = (150, 144, 138)
    grey_temples: float = 0.0
    hairline_unruly: float = 0.25
    hair_style: str = "bob"
    cloth: Color = (232, 224, 210)
    cloth_trim: Color = (240, 233, 222)
    cloth_style: str = "crew"
    weave: str = "twill"
    dots: Color | None = None
    jacket: Color | None = (44, 84, 98)
    earrings: Color | None = None
