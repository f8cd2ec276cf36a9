"""A report on a head for its owner, above all on missing shapes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.avatar.bake.names import arkit_name
from mien.avatar.bake.pipeline import Baked, bake
from mien.core.mesh import Mesh, material_key
from mien.core.pose import ARKIT_SHAPES

# What viewers will notice when all of these shapes are missing.
COSTS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("jawOpen",), "the mouth does not open: speech cannot be seen"),
    (("mouthClose",), "the lips do not close on p, b and m while the jaw is open"),
    (("mouthFunnel", "mouthPucker"), "o, u, w and sh look like a plain open mouth"),
    (("mouthSmileLeft", "mouthSmileRight"), "no smile: happy and excited look neutral"),
    (("mouthFrownLeft", "mouthFrownRight"), "sad and concerned show in the brows only"),
    (
        ("mouthStretchLeft", "mouthStretchRight", "mouthDimpleLeft", "mouthDimpleRight"),
        "the lips do not spread for ee and i",
    ),
    (("mouthRollLower", "mouthRollUpper"), "f, v and pressed lips are barely visible"),
    (("mouthPressLeft", "mouthPressRight"), "the lips meet on p, b and m but do not press together"),
    (
        ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
        "teeth rarely show in speech",
    ),
    (("mouthLeft", "mouthRight", "jawLeft", "jawRight", "jawForward"), "speech is perfectly symmetrical"),
    (("mouthShrugLower", "mouthShrugUpper"), "the chin and the upper lip move less"),
    (("eyeBlinkLeft", "eyeBlinkRight"), "it never blinks and looks like a doll"),
    (("eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight"), "smiles do not reach the eyes"),
    (("eyeWideLeft", "eyeWideRight"), "surprise shows in the brows only"),
    (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), "the brows do not rise: little prosody, no surprise"),
    (("browDownLeft", "browDownRight"), "anger and thought are hard to read"),
    (("noseSneerLeft", "noseSneerRight", "cheekPuff", "tongueOut"), "hardly noticeable: these are rare in speech"),
)
_EYES_TURN: Final = tuple(shape for shape in ARKIT_SHAPES if shape.startswith("eyeLook"))


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """The report that `mien avatar inspect` prints. Texture sizes in pixels, memory in bytes.

    own: shapes that the file has, under ARKit's or another exporter's names. substituted: shapes taken from visemes or
    expressions, with their sources. made: shapes derived from others or from bones, with their sources. missing: all
    other shapes; costs: what viewers will notice. unused: morph targets that match no shape. gaze: "eyeballs",
    "shapes" or "none". draw_calls: including the background. moving_vertices: vertices that any shape moves. gains: the
    factors of calibration and tuning.
    """

    name: str
    source_vertices: int
    vertices: int
    triangles: int
    moving_vertices: int
    draw_calls: int
    parts: tuple[str, ...]
    textures: tuple[tuple[int, int], ...]
    own: tuple[str, ...]
    substituted: dict[str, tuple[str, ...]]
    made: dict[str, str]
    missing: tuple[str, ...]
    costs: tuple[str, ...]
    unused: tuple[str, ...]
    gaze: str
    notes: tuple[str, ...]
    memory_bytes: int
    gains: dict[str, float]

    @property
    def speaks(self) -> bool:
        """Whether the mouth opens, so that speech can be seen."""
        return "jawOpen" not in self.missing


def inspect(path: Path) -> Inspection:
    """Bake the file and report on it. Raises AvatarError as bake_glb() does."""
    return inspected(bake(path))


def inspected(baked: Baked) -> Inspection:
    """The report on an avatar that is baked already."""
    mesh = baked.mesh
    there = {target.name for target in mesh.targets}
    gaze = _gaze(mesh, there)
    turned = set(_EYES_TURN) if gaze == "eyeballs" else set()
    taken = {target for binds in baked.matches.values() for target, _, _ in binds}
    named = [shape for shape in ARKIT_SHAPES if shape in there | (turned & set(baked.matches))]
    own = tuple(shape for shape in named if shape not in baked.made and _is_own(baked, shape))
    missing = tuple(shape for shape in ARKIT_SHAPES if shape not in there | turned)
    return Inspection(
        name=mesh.name,
        source_vertices=baked.source_vertices,
        vertices=len(mesh.positions),
        triangles=len(mesh.indices) // 3,
        moving_vertices=_moving(mesh),
        draw_calls=draw_calls(mesh),
        parts=tuple(f"{part.name} ({part.role})" for part in mesh.parts),
        textures=tuple((texture.shape[1], texture.shape[0]) for texture in mesh.textures),
        own=own,
        substituted={
            shape: tuple(target for target, _, _ in baked.matches[shape])
            for shape in named
            if shape not in own and shape not in baked.made
        },
        made={shape: source for shape, source in baked.made.items() if shape in there},
        missing=missing,
        costs=_costs(set(missing), gaze),
        unused=tuple(name for name in baked.names if name not in taken),
        gaze=gaze,
        notes=tuple(baked.notes),
        memory_bytes=memory_bytes(mesh),
        gains={shape: round(gain, 3) for shape, gain in baked.gains.items() if shape in there},
    )


def memory_bytes(mesh: Mesh) -> int:
    """The memory of a loaded mesh."""
    still = (mesh.positions, mesh.normals, mesh.uvs, mesh.head_weights)
    targets = sum(target.vertices.nbytes + target.positions.nbytes + target.normals.nbytes for target in mesh.targets)
    textures = sum(texture.nbytes for texture in mesh.textures)
    return sum(array.nbytes for array in still) + mesh.colors.nbytes + mesh.indices.nbytes + targets + textures


def draw_calls(mesh: Mesh) -> int:
    """The draw calls of a frame: one for each distinct material, and one for the background."""
    return len({material_key(part) for part in mesh.parts}) + 1


def _is_own(baked: Baked, shape: str) -> bool:
    binds = baked.matches[shape]
    known = {arkit_name(target) for target, _, _ in binds}
    whole = all(side == 0 and weight == 1.0 for _, weight, side in binds)
    return known == {shape} or (known == {None} and whole and len(binds) > 1)


def _gaze(mesh: Mesh, there: set[str]) -> str:
    if any(part.role == "eye_left" for part in mesh.parts):
        return "eyeballs"
    return "shapes" if "eyeLookOutLeft" in there or "eyeLookUpLeft" in there else "none"


def _moving(mesh: Mesh) -> int:
    moved = {int(vertex) for target in mesh.targets for vertex in target.vertices}
    return len(moved)


def _costs(missing: set[str], gaze: str) -> tuple[str, ...]:
    costs = [f"{', '.join(shapes)}: {cost}" for shapes, cost in COSTS if missing.issuperset(shapes)]
    if gaze == "none":
        costs.append("eyes: neither eyeballs (a mesh or bone named after an eye) nor eyeLook shapes: the gaze is fixed")
    return tuple(costs)
