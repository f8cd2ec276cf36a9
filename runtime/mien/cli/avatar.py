"""mien avatar: bake and inspect."""

import json
from pathlib import Path

import click

from mien.avatar.bake import Inspection, bake_glb, inspect
from mien.avatar.baked import SUFFIX, write_baked
from mien.errors import MienError


@click.group()
def avatar() -> None:
    """Bring your own head: glTF 2.0 (.glb) or VRM with ARKit-named shapes, VRM expressions or Oculus visemes.

    Example: mien avatar inspect head.glb, then mien avatar bake head.glb
    """


@avatar.command("bake")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help=f"The file to write [beside the source, {SUFFIX}].")
def bake_command(source: Path, out: Path | None) -> None:
    """Bake a head into the format that the board maps into memory.

    Example: mien avatar bake head.glb --out head.mien-avatar
    """
    target = out or source.with_suffix(SUFFIX)
    try:
        mesh = bake_glb(source)
        write_baked(mesh, target)
    except (MienError, OSError) as error:
        click.echo(f"mien avatar bake: {error}", err=True)
        raise SystemExit(1) from None
    click.echo(f"{target}: {len(mesh.positions)} vertices, {len(mesh.targets)} shapes, "
               f"{target.stat().st_size / 1e6:.1f} MB; use it with --set face.avatar={target}")


@avatar.command("inspect")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def inspect_command(source: Path, as_json: bool) -> None:
    """What is in a head, what is missing, and what it will cost on a board.

    Example: mien avatar inspect head.glb
    """
    try:
        found = inspect(source)
    except (MienError, OSError) as error:
        click.echo(f"mien avatar inspect: {error}", err=True)
        raise SystemExit(1) from None
    click.echo(json.dumps(_as_dict(found), indent=2) if as_json else _as_text(found))


def _as_dict(found: Inspection) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


def _as_text(found: Inspection) -> str:
    lines = [
        f"{found.name}: {found.vertices} vertices, {found.triangles} triangles, {len(found.parts)} parts, "
        f"{found.memory_bytes / 1e6:.1f} MB in memory",
        f"textures: {', '.join(f'{width}x{height}' for width, height in found.textures) or 'none'}",
        f"shapes: {len(found.sources)} of 52 ARKit shapes; eyes {'turn' if found.has_eyes else 'do not turn'}",
    ]
    if found.missing:
        lines.append(f"missing: {', '.join(found.missing)}")
    if found.unused:
        lines.append(f"not used: {', '.join(found.unused)}")
    return "\n".join(lines)
