"""The command group `mien avatar`: bake, inspect, preview or tune a head."""

import dataclasses
import json
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import numpy as np

from mien.avatar.bake.inspection import Inspection, inspected
from mien.avatar.bake.pipeline import bake
from mien.avatar.baked import SUFFIX, read_baked, write_baked
from mien.cli.avatar_preview import preview
from mien.cli.avatar_tune import tune
from mien.core.mesh import Mesh
from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.errors import AvatarError
from mien.host.exits import Exit, exit_codes

TEXT_WIDTH: Final = 100
# A syllable while smiling: about as many shapes as are active at once during speech.
SPEAKING: Final = {
    "jawOpen": 0.4, "mouthClose": 0.1, "mouthFunnel": 0.3, "mouthSmileLeft": 0.3, "mouthSmileRight": 0.3,
    "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2, "mouthUpperUpLeft": 0.1, "mouthUpperUpRight": 0.1,
    "eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5, "browInnerUp": 0.2, "eyeLookUpLeft": 0.1, "eyeLookUpRight": 0.1,
}  # fmt: skip
FRAMES: Final = 200
# A Cortex-A53 at 1.2 GHz takes about this many times as long for the same numpy loops.
PI_3_TIMES: Final = 15
NO_MOUTH: Final = (
    "the mouth does not open: the file has neither jawOpen nor a viseme, an expression or a jaw joint that stands in "
    "for it; export the head with one of them"
)


@click.group()
def avatar() -> None:
    """Bring your own head: glTF 2.0 (.glb, .gltf) or VRM with ARKit-named shapes, VRM expressions or visemes.

    Example: mien avatar inspect head.glb, then mien avatar bake head.glb
    """


avatar.add_command(preview)
avatar.add_command(tune)


@avatar.command("bake")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help=f"The file to write [beside the source, {SUFFIX}].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bake_command(source: Path, out: Path | None, as_json: bool) -> None:
    """Bake a head into the format that a board maps into memory. A tuning beside it (head.tune.toml) is taken.

    Exits with 1 when nothing opens the mouth, although the file is written.

    Example: mien avatar bake head.glb --out head.mien-avatar
    """
    with exit_codes("mien avatar bake"):
        target = out or source.with_suffix(SUFFIX)
        baked = bake(source)
        _write(baked.mesh, target)
        found = inspected(baked)
        load_ms = _load_ms(target)
    size = target.stat().st_size
    if as_json:
        click.echo(json.dumps({"file": str(target), "file_bytes": size, "load_ms": load_ms, **_as_dict(found)}))
        sys.exit(_verdict(found))
    click.echo("\n".join((*_summary(found, _morph_ms(baked.mesh)), *_costs(found))))
    click.echo(f"\nwrote {target}: {size / 1e6:.1f} MB, loads in {load_ms:.0f} ms here")
    click.echo(f"look at it:  mien avatar preview {target}")
    click.echo(f"show it:     mien run --set face.avatar={target}")
    _end(found)


@avatar.command("inspect")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect_command(source: Path, as_json: bool) -> None:
    """Show what a head contains, what it lacks, and what it will cost on a board.

    Example: mien avatar inspect head.glb
    """
    with exit_codes("mien avatar inspect"):
        baked = bake(source)
        found = inspected(baked)
    morph_ms = _morph_ms(baked.mesh)
    if as_json:
        click.echo(json.dumps({**_as_dict(found), "morph_ms": round(morph_ms, 3)}, indent=2))
        sys.exit(_verdict(found))
    click.echo("\n".join((*_summary(found, morph_ms), *_shapes(found))))
    _end(found)


def _verdict(found: Inspection) -> Exit:
    return Exit.DONE if found.speaks else Exit.FAILED


def _end(found: Inspection) -> None:
    """Exit with a failure, and say so in the last line, when speech could not be seen."""
    if not found.speaks:
        click.echo(click.style(f"\n{NO_MOUTH}", fg="red"))
        sys.exit(_verdict(found))


def _write(mesh: Mesh, target: Path) -> None:
    try:
        write_baked(mesh, target)
    except OSError as error:
        raise AvatarError(f"{target}: cannot be written: {error.strerror or error}") from None


def _load_ms(path: Path) -> float:
    started_ns = time.perf_counter_ns()
    read_baked(path)
    return round((time.perf_counter_ns() - started_ns) / 1e6, 1)


def _morph_ms(mesh: Mesh) -> float:
    """The median time to blend the shapes of one frame of a speaking face."""
    from mien.render.morph import Morpher

    morpher, pose, taken = Morpher(mesh), new_pose(), []
    for number in range(FRAMES):
        for name, weight in SPEAKING.items():
            pose[CHANNEL_INDEX[name]] = weight * (0.9 + 0.1 * (number % 2))
        started_ns = time.perf_counter_ns()
        morpher.update(pose)
        taken.append(time.perf_counter_ns() - started_ns)
    return float(np.median(taken)) / 1e6


def _as_dict(found: Inspection) -> dict[str, object]:
    return dataclasses.asdict(found)


def _summary(found: Inspection, morph_ms: float) -> Iterator[str]:
    textures = ", ".join(f"{width} x {height}" for width, height in found.textures) or "none"
    shapes = len(found.own) + len(found.substituted) + len(found.made)
    gaze = {
        "eyeballs": "gaze by turning the eyeballs",
        "shapes": "gaze by blend shapes",
        "none": "no gaze",
    }[found.gaze]
    yield click.style(found.name, bold=True)
    yield f"  mesh      {found.vertices} vertices of {found.source_vertices}, {found.triangles} triangles"
    yield f"  textures  {textures}"
    yield f"  shapes    {shapes} of 52: {len(found.own)} its own, {len(found.substituted)} substituted, "
    yield f"            {len(found.made)} derived; {len(found.missing)} missing; {gaze}"
    yield f"  cost      {found.draw_calls} draw calls, {found.memory_bytes / 1e6:.1f} MB in memory; a frame of speech"
    there = f"about {morph_ms * PI_3_TIMES:.1f} ms on a Raspberry Pi 3 (estimate)"
    yield f"            takes {morph_ms:.2f} ms of CPU for its shapes here, {there}"
    if found.gains:
        factors = ", ".join(f"{shape} {gain:g}" for shape, gain in found.gains.items())
        yield textwrap.fill(
            f"calibrated, so that a pose looks as on other heads: {factors}",
            TEXT_WIDTH,
            initial_indent="  factors   ",
            subsequent_indent="            ",
        )
    for note in found.notes:
        yield textwrap.fill(note, TEXT_WIDTH, initial_indent="  note      ", subsequent_indent="            ")


def _costs(found: Inspection) -> Iterator[str]:
    if found.costs:
        yield "\nvisible consequences:"
        for cost in found.costs:
            yield textwrap.fill(cost, TEXT_WIDTH, initial_indent="  - ", subsequent_indent="    ")


def _shapes(found: Inspection) -> Iterator[str]:
    if found.substituted:
        yield "\nsubstituted by the nearest available:"
        yield from (f"  {shape} <- {', '.join(sources)}" for shape, sources in found.substituted.items())
    if found.made:
        yield "\nderived:"
        yield from (f"  {shape} of {source}" for shape, source in found.made.items())
    if found.missing:
        yield "\nmissing:"
        yield textwrap.fill(", ".join(found.missing), TEXT_WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from _costs(found)
    if found.unused:
        yield f"\nnot used ({len(found.unused)}):"
        text = ", ".join(found.unused)
        yield textwrap.fill(
            textwrap.shorten(text, 1200, placeholder=" ..."), TEXT_WIDTH, initial_indent="  ", subsequent_indent="  "
        )
