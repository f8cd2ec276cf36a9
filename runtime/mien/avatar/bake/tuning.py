"""The owner's tuning of a head: a small TOML file beside it, which the bake takes.

head.glb is tuned by head.tune.toml. `mien avatar tune` writes it with every field and its meaning.
"""

import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES
from mien.errors import AvatarError

SUFFIX: Final = ".tune.toml"
MAX_FILE_BYTES: Final = 64 * 1024
GAINS: Final = (0.0, 3.0)
BRIGHTNESS: Final = (0.3, 2.0)
ZOOM: Final = (0.4, 2.5)
CORRECT: Final = "correct it, or write it anew with `mien avatar tune`"


class FrameEntry(msgspec.Struct, forbid_unknown_fields=True):
    """[frame]. zoom: 2 shows the face twice as large. up, right: moves the view, in shares of its height."""

    zoom: float = 1.0
    up: float = 0.0
    right: float = 0.0


class BackgroundEntry(msgspec.Struct, forbid_unknown_fields=True):
    """[background]. top, bottom: colours as "#rrggbb"; both or neither."""

    top: str = ""
    bottom: str = ""


class TuningFile(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file. calibration: whether shapes are measured and made to look as on other heads.

    light: the brightness of the head. gaze: the share of the usual turn of the eyes, 0..1.
    """

    calibration: bool = True
    gains: dict[str, float] = {}
    frame: FrameEntry = msgspec.field(default_factory=FrameEntry)
    light: float = 1.0
    gaze: float = 1.0
    background: BackgroundEntry = msgspec.field(default_factory=BackgroundEntry)


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What the file says, checked. gains: factors on what calibration found. Colours are sRGB 0..1."""

    calibration: bool = True
    gains: dict[str, float] = field(default_factory=dict)
    zoom: float = 1.0
    up: float = 0.0
    right: float = 0.0
    light: float = 1.0
    gaze: float = 1.0
    background: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None

    def gain(self, shape: str) -> float:
        """The factor for a shape: its own, or that of both sides ("mouthSmile")."""
        both = shape.removesuffix("Left").removesuffix("Right")
        return self.gains.get(shape, self.gains.get(both, 1.0))

    def applied(self, mesh: Mesh) -> Mesh:
        """The mesh with everything but the gains."""
        shift = np.array([self.right, self.up, 0.0], dtype=np.float32) * np.float32(mesh.frame_height)
        colors = mesh.colors.copy()
        if self.light != 1.0:
            # Vertex colours are at most 1, so that more light takes brighter textures as well.
            colors[:, :3] = np.clip(np.rint(colors[:, :3] * np.sqrt(self.light)), 0, 255)
        textures = tuple(_lit(texture, self.light) for texture in mesh.textures)
        return replace(
            mesh,
            colors=colors,
            textures=textures,
            frame_center=(mesh.frame_center + shift).astype(np.float32),
            frame_height=mesh.frame_height / self.zoom,
            frame_width=mesh.frame_width / self.zoom,
            eye_range=self.gaze,
            background=self.background,
        )


def tuning_path(head: Path) -> Path:
    """The tuning file of a head."""
    return head.parent / f"{head.stem}{SUFFIX}"


def read_tuning(head: Path) -> Tuning:
    """The tuning beside a head; without a file, one that changes nothing. Raises AvatarError."""
    try:
        return parsed(read_file(head))
    except AvatarError as error:
        raise AvatarError(f"{tuning_path(head)}: {error}") from None


def read_file(head: Path) -> TuningFile:
    """The file beside a head, its values not yet checked; one that changes nothing without it. Raises AvatarError."""
    path = tuning_path(head)
    try:
        if not path.exists():
            return TuningFile()
        if path.stat().st_size > MAX_FILE_BYTES:
            raise AvatarError(f"more than {MAX_FILE_BYTES} bytes; write a smaller file")
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), TuningFile, strict=False)
    except OSError as error:
        raise AvatarError(f"cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise AvatarError(f"{error}; {CORRECT}") from None


def with_field(entry: TuningFile, field_: str, value: str) -> TuningFile:
    """The file with one field changed: "gains.jawOpen", "frame.zoom", "light". Raises AvatarError."""
    plain = msgspec.to_builtins(entry)
    table, _, name = field_.rpartition(".")
    holder = plain.get(table) if table else plain
    if not isinstance(holder, dict) or (table != "gains" and name not in holder) or isinstance(holder.get(name), dict):
        raise AvatarError(f"{field_}: there is no such field in a tuning; {CORRECT}")
    holder[name] = value
    try:
        return msgspec.convert(plain, TuningFile, strict=False)
    except msgspec.ValidationError as error:
        raise AvatarError(f"{field_}: {error}; {CORRECT}") from None


def written(entry: TuningFile, head: str, found: dict[str, float]) -> str:
    """The file as TOML, every field with its meaning. found: the gains of calibration, which are noted."""
    frame, background = entry.frame, entry.background
    gains = "".join(f"{shape} = {gain:g}\n" for shape, gain in entry.gains.items())
    noted = "".join(
        f"# {shape}: calibration makes it {gain:.2f} times the file's own\n" for shape, gain in found.items()
    )
    return (
        f"# The tuning of {head}, which `mien avatar bake` takes.\n\n"
        f"calibration = {str(entry.calibration).lower()}  # measured, so that a pose looks as on other heads\n"
        f"light = {entry.light:g}  # brightness of the head, {BRIGHTNESS[0]:g} to {BRIGHTNESS[1]:g}\n"
        f"gaze = {entry.gaze:g}  # share of the usual turn of the eyeballs, 0 to 1\n\n"
        "[frame]\n"
        f"zoom = {frame.zoom:g}  # 1.2 shows the head a fifth larger\n"
        f"up = {frame.up:g}  # moves the view up, in shares of its height\n"
        f"right = {frame.right:g}  # moves the view to the right\n\n"
        '[background]  # both or neither; "" is the usual one\n'
        f'top = "{background.top}"  # as "#rrggbb"\n'
        f'bottom = "{background.bottom}"\n\n'
        "[gains]  # factors on top of calibration; mouthSmile stands for both sides\n"
        f"{gains}{noted}"
    )


def parsed(entry: TuningFile) -> Tuning:
    """The tuning that a file asks for. Raises AvatarError, which names the field, for a value out of range."""
    known = {*ARKIT_SHAPES, *(name.removesuffix("Left") for name in ARKIT_SHAPES if name.endswith("Left"))}
    for name, value in entry.gains.items():
        if name not in known:
            raise AvatarError(f"gains.{name[:40]}: is no ARKit shape; {CORRECT}")
        _within(f"gains.{name}", value, GAINS)
    _within("frame.zoom", entry.frame.zoom, ZOOM)
    _within("frame.up", entry.frame.up, (-1.0, 1.0))
    _within("frame.right", entry.frame.right, (-1.0, 1.0))
    _within("light", entry.light, BRIGHTNESS)
    _within("gaze", entry.gaze, (0.0, 1.0))
    colors = (entry.background.top, entry.background.bottom)
    if any(colors) and not all(colors):
        raise AvatarError(f"background: give both top and bottom, or neither; {CORRECT}")
    return Tuning(
        calibration=entry.calibration,
        gains=entry.gains,
        zoom=entry.frame.zoom,
        up=entry.frame.up,
        right=entry.frame.right,
        light=entry.light,
        gaze=entry.gaze,
        background=(_color("background.top", colors[0]), _color("background.bottom", colors[1]))
        if all(colors)
        else None,
    )


def _within(name: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise AvatarError(f"{name}: {value} is not in {limits[0]:g}..{limits[1]:g}; {CORRECT}")


def _color(name: str, text: str) -> tuple[float, float, float]:
    if re.fullmatch("#[0-9a-fA-F]{6}", text) is None:
        raise AvatarError(f'{name}: "{text[:20]}" is no colour; write "#rrggbb"')
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _lit(texture: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    if light == 1.0:
        return texture
    lit = texture.copy()
    lit[..., :3] = np.clip(np.rint(texture[..., :3] * np.sqrt(light)), 0, 255)
    return lit
