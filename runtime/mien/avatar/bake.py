"""From a glTF or VRM head to the mesh that the renderer draws. Nothing is written.

Shapes are matched by name, the scene is laid out in its rest pose with the arms let down, what lies below the shoulders
is cut, eyeballs are found, gaps among the shapes are filled from what is there, materials become few textures, and all
of it one mesh with occlusion in its vertices.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.avatar import figure as figures
from mien.avatar import stand_ins
from mien.avatar.accessors import Reader
from mien.avatar.anatomy import Anatomy, eye_sides, faces_backward, find_anatomy
from mien.avatar.assembly import assemble
from mien.avatar.bust import add_bust
from mien.avatar.calls import paint
from mien.avatar.check import check_mesh
from mien.avatar.clip import clip
from mien.avatar.expressions import vrm_expressions
from mien.avatar.figure import Figure
from mien.avatar.glb import Glb, read_glb
from mien.avatar.names import Matches, match
from mien.avatar.nodes import Nodes, below, lower_arms, place_nodes
from mien.avatar.paint import Painter
from mien.avatar.pieces import pieces_of
from mien.avatar.scene import Surface, all_target_names, lay_out
from mien.core.mesh import Mesh
from mien.errors import AvatarError


@dataclass(kw_only=True)
class Baked:
    """A mesh, and how it came about.

    matches: what each shape is made of. made: shapes made of others or of bones, with what they were made of.
    names: every morph target of the file. notes: what was done to it that its owner may want to know.
    """

    mesh: Mesh
    matches: Matches
    made: dict[str, str]
    names: list[str]
    source_vertices: int
    notes: list[str] = field(default_factory=list)


def bake_glb(path: Path) -> Mesh:
    """The avatar in a .glb, .vrm or .gltf file. Raises AvatarError for one that is broken, refused, or has no face."""
    return bake(path).mesh


def bake(path: Path) -> Baked:
    """The same, with how it came about."""
    try:
        with np.errstate(all="ignore"):
            return _bake(read_glb(path), path.stem)
    except AvatarError as error:
        message = str(error)
        raise AvatarError(message if message.startswith(str(path)) else f"{path}: {message}") from None
    except MemoryError:
        raise AvatarError(f"{path}: there is not enough memory to read it; reduce the file before the export") from None


def _bake(glb: Glb, name: str) -> Baked:
    nodes = place_nodes(glb)
    names = all_target_names(glb, nodes)
    matches = match(names, vrm_expressions(glb))
    bones = find_anatomy(glb)
    if not matches and bones.jaw == -1:
        raise AvatarError(
            f"no morph target is an ARKit shape, a viseme or a VRM expression (there are {len(names)}); "
            "export the head with its blend shapes"
        )
    _face_the_camera(glb, nodes)
    lower_arms(nodes, bones.arms, glb.json.nodes)
    reader = Reader(glb)
    wanted = {target for binds in matches.values() for target, _, _ in binds}
    surfaces = lay_out(glb, nodes, wanted, reader)
    source_vertices = sum(len(surface.positions) for surface in surfaces)
    notes: list[str] = []
    made = _add_jaw(surfaces, matches, nodes, bones)
    figure = figures.measure(surfaces, matches)
    surfaces = _cropped(surfaces, figure)
    surfaces += add_bust(surfaces, figure, notes)
    sides, turning = _eyes(surfaces, bones, figure)
    made |= _fill_gaps(surfaces, sides, turning, matches, nodes, bones, figure)
    pieces = [piece for surface, own in zip(surfaces, sides, strict=True) for piece in pieces_of(surface, own, turning)]
    seen, coats = Painter(glb, reader).dress(pieces)
    if not seen:
        raise AvatarError("materials: nothing of the head can be seen; check its materials' alphaMode and alpha")
    textures = paint(seen, coats)
    mesh = assemble(name, seen, textures, matches, nodes, bones, figure)
    check_mesh(mesh)
    return Baked(mesh=mesh, matches=matches, made=made, names=names, source_vertices=source_vertices, notes=notes)


def _face_the_camera(glb: Glb, nodes: Nodes) -> None:
    if faces_backward(glb):
        turn = np.diag([-1.0, 1.0, -1.0, 1.0])
        nodes.worlds[:] = [turn @ world for world in nodes.worlds]


def _add_jaw(surfaces: list[Surface], matches: Matches, nodes: Nodes, bones: Anatomy) -> dict[str, str]:
    if "jawOpen" in matches or bones.jaw == -1:
        return {}
    hinge = nodes.worlds[bones.jaw][:3, 3]
    turned = stand_ins.add_jaw(surfaces, matches, below(nodes.parents, {bones.jaw}), hinge)
    return {"jawOpen": "the jaw bone"} if turned else {}


def _cropped(surfaces: list[Surface], figure: Figure) -> list[Surface]:
    for normal, distance in figures.bust_planes(figure):
        surfaces = [cut for surface in surfaces if (cut := clip(surface, normal, distance)) is not None]
    return surfaces


def _eyes(surfaces: list[Surface], bones: Anatomy, figure: Figure) -> tuple[list[NDArray[np.int8]], bool]:
    """For each surface which vertices belong to which eye, and whether the eyes are balls that the renderer turns."""
    sides = [eye_sides(surface, bones, figure.middle[0]) for surface in surfaces]
    by_bone = [eye_sides(surface, bones, figure.middle[0], by_name=False) for surface in surfaces]
    if any(own.any() for own in by_bone):
        # What the bones move is the eye; the white behind an iris that is drawn on a card stays.
        sides = by_bone
    return sides, any(own.any() for own in sides) and stand_ins.is_ball(surfaces, sides)


def _fill_gaps(
    surfaces: list[Surface],
    sides: list[NDArray[np.int8]],
    turning: bool,
    matches: Matches,
    nodes: Nodes,
    bones: Anatomy,
    figure: Figure,
) -> dict[str, str]:
    _drop_empty(surfaces, matches)
    made = stand_ins.add_derived(matches)
    if not turning and any(own.any() for own in sides):
        left, right = (None if joint == -1 else nodes.worlds[joint][:3, 3] for joint in bones.eyes)
        looks = stand_ins.add_gaze(surfaces, sides, matches, (left, right), figure)
        made |= dict.fromkeys(looks, "the eyes' bones or places")
    return made


def _drop_empty(surfaces: list[Surface], matches: Matches) -> None:
    """Some exporters write all 52 names and leave out what they do not know: such a shape is missing."""
    moving = {name for surface in surfaces for name, deltas in surface.targets.items() if deltas.any()}
    for shape in [shape for shape, binds in matches.items() if all(target not in moving for target, _, _ in binds)]:
        del matches[shape]
