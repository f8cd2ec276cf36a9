"""What is in a head, what is missing and what that costs: for its owner, before it goes to a board."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.avatar.bake import Baked, bake
from mien.avatar.names import arkit_name
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES

# What a viewer will miss, for shapes that go missing together.
COSTS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("jawOpen",), "the mouth does not open: speech cannot be seen"),
    (("mouthClose",), "the lips do not close on p, b and m while the jaw is open"),
    (("mouthFunnel", "mouthPucker"), "o, u, w and sh look like a plain open mouth"),
    (("mouthSmileLeft", "mouthSmileRight"), "no smile: happy and excited look neutral"),
    (("mouthFrownLeft", "mouthFrownRight"), "sad and concerned are told by the brows alone"),
    (("mouthStretchLeft", "mouthStretchRight", "mouthDimpleLeft", "mouthDimpleRight"), "ee and i are not spread"),
    (("mouthRollLower", "mouthRollUpper"), "f and v, and pressed lips, are hardly seen"),
    (("mouthPressLeft", "mouthPressRight"), "lips meet on p, b and m without being pressed"),
    (
        ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
        "teeth are seldom seen in speech",
    ),
    (("mouthLeft", "mouthRight", "jawLeft", "jawRight", "jawForward"), "speech is quite symmetrical"),
    (("mouthShrugLower", "mouthShrugUpper"), "the chin and the upper lip move less"),
    (("eyeBlinkLeft", "eyeBlinkRight"), "it never blinks: it will look like a doll"),
    (("eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight"), "smiles do not reach the eyes"),
    (("eyeWideLeft", "eyeWideRight"), "surprise is told by the brows alone"),
    (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), "brows do not rise: little prosody, no surprise"),
    (("browDownLeft", "browDownRight"), "anger and thought are hard to read"),
    (("noseSneerLeft", "noseSneerRight", "cheekPuff", "tongueOut"), "little: these are rare in speech"),
)
_EYES_TURN: Final = tuple(shape for shape in ARKIT_SHAPES if shape.startswith("eyeLook"))


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What `mien avatar inspect` prints. Lengths in pixels, sizes in bytes.

    own: shapes that the file has, by ARKit's or another exporter's name. substituted: shapes taken from a viseme or an
    expression, and which. made: shapes made of others or of bones, and of what. missing: what is left; costs: what a
    viewer will miss. unused: morph targets that stand for nothing here. gaze: "eyeballs", "shapes" or "none".
    draw_calls: with the background. moving_vertices: those that any shape moves.
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


def inspect(path: Path) -> Inspection:
    """What baking the file makes of it. Raises AvatarError as bake_glb() does."""
    return inspected(bake(path))


def inspected(baked: Baked) -> Inspection:
    """The same, of what was baked already."""
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
    )


def memory_bytes(mesh: Mesh) -> int:
    """What a mesh takes once it is loaded."""
    still = (mesh.positions, mesh.normals, mesh.uvs, mesh.head_weights)
    targets = sum(target.vertices.nbytes + target.positions.nbytes + target.normals.nbytes for target in mesh.targets)
    textures = sum(texture.nbytes for texture in mesh.textures)
    return sum(array.nbytes for array in still) + mesh.colors.nbytes + mesh.indices.nbytes + targets + textures


def draw_calls(mesh: Mesh) -> int:
    """How many calls draw a picture: one for each kind of part, both eyes together, and the background."""
    eyes = ("eye_left", "eye_right")
    kinds = {
        (
            part.alpha,
            part.masked,
            "eyes" if part.role in eyes else part.role,
            part.texture,
            part.specular,
            part.gloss,
            part.double_sided,
        )
        for part in mesh.parts
    }
    return len(kinds) + 1


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
