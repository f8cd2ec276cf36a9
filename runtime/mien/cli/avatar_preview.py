"""The command `mien avatar preview`."""

import os
import tempfile
import wave
from pathlib import Path
from typing import Final

import click
import numpy as np

from mien.avatar.baked import SUFFIX, read_baked, write_baked
from mien.cli.tts import find_engine, synthesize
from mien.core.mesh import Mesh
from mien.core.pose import CHANNEL_INDEX, Pose, new_pose
from mien.errors import AvatarError
from mien.host.exits import exit_codes

Weights = dict[str, float]
CELL: Final = (270, 360)
COLUMNS: Final = 4
FILM_SIZE: Final = (540, 960)
FILM_FPS: Final = 30.0
SENTENCE: Final = "Hello, and welcome. What may I help you with? Fruit, bread and fresh milk are over there."


def _both(**weights: float) -> Weights:
    return {f"{name}{side}": weight for name, weight in weights.items() for side in ("Left", "Right")}


# What decides whether a head can be shown: each cell of the sheet with its pose.
MOMENTS: Final[dict[str, Weights]] = {
    "rest": {},
    "blink": _both(eyeBlink=1.0),
    "aa": {"jawOpen": 0.65, **_both(mouthLowerDown=0.2)},
    "oo": {"jawOpen": 0.2, "mouthPucker": 0.6, "mouthFunnel": 0.4},
    "b": {"jawOpen": 0.12, "mouthClose": 0.12, **_both(mouthPress=0.4)},
    "f": {"jawOpen": 0.05, "mouthRollLower": 0.5, **_both(mouthUpperUp=0.3)},
    "smile": _both(mouthSmile=0.8, cheekSquint=0.5),
    "turned": {"headYaw": 0.45, **_both(browOuterUp=0.3)},
}


@click.command()
@click.argument("head", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The PNG to write [beside the head, .preview.png].")
@click.option("--film", type=click.Path(path_type=Path), help="Also write a short MP4 of the head speaking.")
@click.option("--wav", type=click.Path(path_type=Path), help="What it speaks in the film [a sentence, synthesized].")
def preview(head: Path, out: Path | None, film: Path | None, wav: Path | None) -> None:
    """Draw a head before it goes onto a board: at rest, blinking, in speech, smiling, turned; with --film, speaking.

    HEAD is a baked avatar, or a glTF or VRM file, which is baked in memory with the tuning beside it.

    Example: mien avatar preview head.glb --film head.mp4
    """
    target = out or head.with_name(f"{head.stem}.preview.png")
    with exit_codes("mien avatar preview", OSError):
        mesh = _mesh(head)
        _draw_sheet(mesh, target)
        click.echo(f"{click.format_filename(target)}: {', '.join(MOMENTS)}")
        if film is not None:
            frames = _film(mesh, film, wav)
            click.echo(f"{click.format_filename(film)}: {frames / FILM_FPS:.1f} s")


def _mesh(head: Path) -> Mesh:
    if head.suffix.lower() == SUFFIX:
        return read_baked(head)
    from mien.avatar.bake.pipeline import bake_glb

    return bake_glb(head)


def _pose(weights: Weights) -> Pose:
    pose = new_pose()
    for name, weight in weights.items():
        pose[CHANNEL_INDEX[name]] = weight
    return pose


def _draw_sheet(mesh: Mesh, target: Path) -> None:
    """Raises AvatarError when the PNG cannot be written, DisplayError without GL."""
    os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
    import pygame

    from mien.render.gles import GlesRenderer

    width, height = CELL
    renderer = GlesRenderer(mesh, width=width, height=height, title="mien avatar preview")
    pygame.font.init()
    font = pygame.font.Font(None, 24)
    page = pygame.Surface((width * COLUMNS, height * -(-len(MOMENTS) // COLUMNS)))
    for number, (name, weights) in enumerate(MOMENTS.items()):
        renderer.draw(_pose(weights))
        image = pygame.surfarray.make_surface(np.ascontiguousarray(renderer.capture().swapaxes(0, 1)))
        renderer.present()
        at = (number % COLUMNS * width, number // COLUMNS * height)
        page.blit(image, at)
        page.blit(font.render(name, True, (245, 245, 245)), (at[0] + 8, at[1] + 8))
    renderer.close()
    try:
        pygame.image.save(page, str(target))
    except (pygame.error, OSError) as error:
        raise AvatarError(f"{target}: cannot be written: {error}") from None


def _film(mesh: Mesh, film: Path, wav: Path | None) -> int:
    """The number of frames. Raises MienError."""
    from mien.cli.record import record_file

    with tempfile.TemporaryDirectory(prefix="mien-preview-") as folder:
        baked = Path(folder, f"head{SUFFIX}")
        write_baked(mesh, baked)
        spoken = wav or _spoken(Path(folder, "sentence.wav"))
        return record_file(spoken, film, baked, None, *FILM_SIZE, FILM_FPS, seed=1)


def _spoken(path: Path) -> Path:
    """SENTENCE as a WAV file, by the first synthesizer of this machine. Raises SpeechError without one."""
    with synthesize(SENTENCE, find_engine()) as speech, wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.rate_hz)
        for chunk in speech.chunks():
            file.writeframes(chunk)
    return path
