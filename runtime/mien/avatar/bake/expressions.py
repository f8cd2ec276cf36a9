"""VRM expressions: named mixes of morph targets. Weights go up to 1 in VRM 1.0, up to 100 in VRM 0.x."""

from collections.abc import Callable, Iterator
from typing import Final

from mien.avatar.bake.names import Expressions
from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.scene import target_names
from mien.avatar.gltf.schema import dig

MAX_EXPRESSIONS: Final = 4096
MAX_BINDS: Final = 256
Bind = dict[str, object]


def vrm_expressions(glb: Glb) -> Expressions:
    """Every expression with its (target name, weight) binds. Malformed entries are skipped."""
    found = {**_version_1(glb), **_version_0(glb)}
    return {name: binds for name, binds in found.items() if binds}


def _version_1(glb: Glb) -> Expressions:
    found: Expressions = {}
    for group in ("preset", "custom"):
        entries = dig(glb.json.extensions, "VRMC_vrm", "expressions", group)
        for name, entry in list(entries.items())[:MAX_EXPRESSIONS] if isinstance(entries, dict) else ():
            found[name] = _binds(glb, dig(entry, "morphTargetBinds"), lambda bind: _mesh_of(glb, bind.get("node")), 1.0)
    return found


def _version_0(glb: Glb) -> Expressions:
    found: Expressions = {}
    groups = dig(glb.json.extensions, "VRM", "blendShapeMaster", "blendShapeGroups")
    for entry in groups[:MAX_EXPRESSIONS] if isinstance(groups, list) else ():
        preset, name = dig(entry, "presetName"), dig(entry, "name")
        chosen = preset if isinstance(preset, str) and preset not in ("", "unknown") else name
        if isinstance(chosen, str):
            found[chosen] = _binds(glb, dig(entry, "binds"), lambda bind: _index(bind.get("mesh")), 100.0)
    return found


def _index(value: object) -> int:
    return value if type(value) is int else -1


def _mesh_of(glb: Glb, node: object) -> int:
    at = _index(node)
    mesh = glb.json.nodes[at].mesh if 0 <= at < len(glb.json.nodes) else None
    return -1 if mesh is None else mesh


def _binds(glb: Glb, binds: object, mesh_of: Callable[[Bind], int], full: float) -> list[tuple[str, float]]:
    result: dict[str, float] = {}
    for bind in binds[:MAX_BINDS] if isinstance(binds, list) else ():
        if isinstance(bind, dict):
            weight = bind.get("weight", full)
            if isinstance(weight, (int, float)) and 0 < weight <= full:
                for name in _names(glb, mesh_of(bind), _index(bind.get("index"))):
                    result[name] = weight / full
    return list(result.items())


def _names(glb: Glb, mesh: int, target: int) -> Iterator[str]:
    """The names of a target, which each primitive of the mesh may set for itself."""
    if 0 <= mesh < len(glb.json.meshes):
        for primitive in glb.json.meshes[mesh].primitives:
            if 0 <= target < len(primitive.targets):
                yield target_names(glb, mesh, primitive)[target]
