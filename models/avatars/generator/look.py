"""The parameters of an avatar's look: proportions, colours, hairstyle, clothes."""

from dataclasses import dataclass

Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """Lengths in cm on the neutral head; the eye line is y = 0, the viewer is at +z, the avatar's left at +x.

    eye_height, ear_scale, lip_fullness: factors. eye_tilt: a slope. corner_lift: how far the corners of the mouth at
    rest are above its middle; far above 0.15 a human face smirks. 0 to 1: muzzle, how far the mouth stands out as a
    snout does; lid_hood, how far the fold covers the upper lid; folds, the lines and bags of age; tendons, those of the
    neck; larynx, how much it shows.
    """

    skull_half_width: float = 7.45
    skull_height: float = 8.4
    face_half_width: float = 6.0
    jaw_half_width: float = 3.75
    chin_y: float = -9.3
    chin_half_width: float = 1.45
    chin_radius: float = 1.45
    cheek_radius: float = 2.62
    cheek_x: float = 3.55
    cheek_y: float = -2.9
    muzzle: float = 0.0
    nose_length: float = 3.4
    nose_bridge: float = 0.12
    nose_hump: float = 0.0
    nose_width: float = 0.86
    nose_tip_z: float = 9.5
    nose_tip_radius: float = 0.82
    brow_ridge: float = 0.5
    neck_radius: float = 3.75
    eye_x: float = 3.42
    eye_scale: float = 1.15
    eye_height: float = 1.0
    eye_tilt: float = 0.14
    lid_hood: float = 0.0
    lip_fullness: float = 1.08
    mouth_half_width: float = 2.5
    corner_lift: float = 0.11
    ear_scale: float = 1.0
    folds: float = 0.0
    tendons: float = 0.5
    larynx: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """One avatar of the family. Colours are sRGB.

    mask: the colour of a furry face around mouth, cheeks and brows; nose: that of the tip of its nose. fur: 0 to 1, how
    plainly the skin is covered with it.
    """

    name: str
    seed: int
    proportions: Proportions = Proportions()
    skin: Color = (236, 188, 160)
    blush: Color = (222, 128, 112)
    blush_amount: float = 0.30
    lips: Color = (208, 118, 110)
    iris: Color = (86, 122, 112)
    iris_edge: Color = (34, 58, 60)
    iris_degrees: float = 32.0
    hair: Color = (74, 42, 30)
    hair_light: Color = (172, 112, 74)
    brow: Color = (78, 40, 26)
    lash: Color = (40, 27, 24)
    lash_length: float = 0.54
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
    glasses: Color | None = None
    mask: Color | None = None
    nose: Color | None = None
    fur: float = 0.0
