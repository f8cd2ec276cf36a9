"""The bake, which turns a glTF or VRM head into the mesh that the renderer draws. Nothing is written.

In order: the scene is laid out in its rest pose with the arms lowered and the face's joints in their bind pose; shapes
that move something are matched by name; everything below the shoulders is cut away; eyeballs are found; missing shapes
are made from joints or from other shapes; shapes are calibrated; materials are reduced to a few textures; everything
becomes one mesh with ambient occlusion in its vertices.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake import derived_shapes
from mien.avatar.bake import figure as figures
from mien.avatar.bake.anatomy import Anatomy, eye_sides, faces_backward, find_anatomy
from mien.avatar.bake.assembly import assemble
from mien.avatar.bake.atlas import build_textures
from mien.avatar.bake.bust import add_bust, crop
from mien.avatar.bake.calibration import calibrate
from mien.avatar.bake.derived_brows import add_brows
from mien.avatar.bake.expressions import vrm_expressions
from mien.avatar.bake.face_bones import add_from_joints, find_face_joints
from mien.avatar.bake.figure import Figure
from mien.avatar.bake.landmarks import face_of
from mien.avatar.bake.moving import match_moving
from mien.avatar.bake.names import Matches, candidates
from mien.avatar.bake.submesh import split_surface
from mien.avatar.bake.textures import TextureLoader
from mien.avatar.bake.tuning import Tuning, read_tuning
from mien.avatar.check import check_mesh
from mien.avatar.gltf.accessors import Reader
from mien.avatar.gltf.glb import Glb, read_glb
from mien.avatar.gltf.nodes import Nodes, descendants, lower_arms, place_nodes, take_bind_pose
from mien.avatar.gltf.scene import Surface, all_target_names, lay_out
from mien.avatar.gltf.skin import bind_offsets
from mien.core.mesh import Mesh
from mien.errors import AvatarError


@dataclass(kw_only=True)
class Baked:
    """A mesh with a record of its bake.

    matches: the morph targets of each shape. made: derived shapes, each with its source. names: every morph target of
    the file. notes: changes that the avatar's owner may want to know about. gains: the factors that calibration and the
    owner's tuning gave to shapes, those of 1 left out.
    """

    mesh: Mesh
    matches: Matches
    made: dict[str, str]
    names: list[str]
    source_vertices: int
    notes: list[str] = field(default_factory=list)
    gains: dict[str, float] = field(default_factory=dict)


def bake_glb(path: Path) -> Mesh:
    """The avatar in a .glb, .vrm or .gltf file. Raises AvatarError when it is damaged, unsupported or has no face."""
    return bake(path).mesh


def bake(path: Path, tuning: Tuning | None = None) -> Baked:
    """As bake_glb(), with the record of the bake. tuning: None takes the file beside the head, if there is one."""
    try:
        glb = read_glb(path)
        chosen = read_tuning(path) if tuning is None else tuning
        with np.errstate(all="ignore"):
            return _bake(glb, path.stem, chosen)
    except AvatarError as error:
        message = str(error)
        raise AvatarError(message if message.startswith(str(path)) else f"{path}: {message}") from None
    except MemoryError:
        raise AvatarError(f"{path}: there is not enough memory to read it; reduce the file before the export") from None


def _bake(glb: Glb, name: str, tuning: Tuning) -> Baked:
    nodes = place_nodes(glb)
    names = all_target_names(glb, nodes)
    expressions = vrm_expressions(glb)
    bones, joints = find_anatomy(glb), find_face_joints(glb)
    wanted = candidates(names, expressions)
    if not wanted and bones.jaw == -1 and not joints:
        raise AvatarError(
            f"no morph target is an ARKit shape, a viseme or a VRM expression (there are {len(names)}), and no joint "
            "moves a face; export the head with its blend shapes"
        )
    reader = Reader(glb)
    if bones.head != -1:
        take_bind_pose(nodes, bones.head, glb.json.nodes, bind_offsets(glb, reader, bones.head))
    _face_camera(glb, nodes)
    lower_arms(nodes, bones.arms, glb.json.nodes)
    surfaces = lay_out(glb, nodes, wanted, reader)
    source_vertices = sum(len(surface.positions) for surface in surfaces)
    notes: list[str] = []
    matches = match_moving(names, expressions, surfaces, notes)
    made = _add_jaw(surfaces, matches, nodes, bones)
    made |= add_from_joints(surfaces, matches, joints, nodes, bones)
    _require_face(matches, names)
    figure = figures.measure(surfaces, matches)
    surfaces = crop(surfaces, figure)
    surfaces += add_bust(surfaces, figure, notes)
    sides, turning = _eyes(surfaces, bones, figure)
    made |= _fill_gaps(surfaces, sides, turning, matches, nodes, bones, figure)
    gains = calibrate(face_of(surfaces, sides, matches, figure), matches, made) if tuning.calibration else {}
    gains = {shape: gains.get(shape, 1.0) * tuning.gain(shape) for shape in matches}
    submeshes = [
        submesh
        for surface, own in zip(surfaces, sides, strict=True)
        for submesh in split_surface(surface, own, turning)
    ]
    visible, sources = TextureLoader(glb, reader).load(submeshes)
    if not visible:
        raise AvatarError("materials: the whole head is transparent; check its materials' alphaMode and alpha")
    textures = build_textures(visible, sources)
    mesh = assemble(name, visible, textures, matches, gains, nodes, bones, figure)
    mesh = tuning.applied(mesh)
    check_mesh(mesh)
    return Baked(
        mesh=mesh,
        matches=matches,
        made=made,
        names=names,
        source_vertices=source_vertices,
        notes=notes,
        gains={shape: gain for shape, gain in gains.items() if gain != 1.0},
    )


def _require_face(matches: Matches, names: list[str]) -> None:
    """Raise AvatarError unless something opens, shuts or shapes the mouth, or shuts the eyes."""
    if not any(shape.startswith(("jawOpen", "mouth", "eyeBlink")) for shape in matches):
        raise AvatarError(
            f"this is not a face: none of {len(names)} morph targets moves a mouth or eyelids; "
            "export the head with its blend shapes"
        )


def _face_camera(glb: Glb, nodes: Nodes) -> None:
    if faces_backward(glb):
        turn = np.diag([-1.0, 1.0, -1.0, 1.0])
        nodes.worlds[:] = [turn @ world for world in nodes.worlds]


def _add_jaw(surfaces: list[Surface], matches: Matches, nodes: Nodes, bones: Anatomy) -> dict[str, str]:
    if "jawOpen" in matches or bones.jaw == -1:
        return {}
    hinge = nodes.worlds[bones.jaw][:3, 3]
    turned = derived_shapes.add_jaw(surfaces, matches, descendants(nodes.parents, {bones.jaw}), hinge)
    return {"jawOpen": "the jaw bone"} if turned else {}


def _eyes(surfaces: list[Surface], bones: Anatomy, figure: Figure) -> tuple[list[NDArray[np.int8]], bool]:
    """The side of each surface's eye vertices, int8 (V,), and whether the eyes are balls for the renderer to turn."""
    sides = [eye_sides(surface, bones, figure.middle[0]) for surface in surfaces]
    by_bone = [eye_sides(surface, bones, figure.middle[0], by_name=False) for surface in surfaces]
    if any(own.any() for own in by_bone):
        # The eye is what the bones move. The white behind an iris drawn on a card stays with the face.
        sides = by_bone
    return sides, any(own.any() for own in sides) and derived_shapes.is_ball(surfaces, sides)


def _fill_gaps(
    surfaces: list[Surface],
    sides: list[NDArray[np.int8]],
    turning: bool,
    matches: Matches,
    nodes: Nodes,
    bones: Anatomy,
    figure: Figure,
) -> dict[str, str]:
    made = add_brows(surfaces, sides, matches) if turning else {}
    made |= derived_shapes.add_derived(matches)
    if not turning and any(own.any() for own in sides):
        left, right = (None if joint == -1 else nodes.worlds[joint][:3, 3] for joint in bones.eyes)
        shapes = derived_shapes.add_gaze(surfaces, sides, matches, (left, right), figure)
        made |= dict.fromkeys(shapes, "the eyes' bones or positions")
    return made
