"""The command `mien record`."""

from pathlib import Path
from typing import Final

import click
from rich.progress import Progress

from mien.cli.guidance import read_guidance
from mien.cli.motion import read_wav
from mien.cli.terminal import FiniteRange
from mien.cli.video import VideoWriter, draw_all
from mien.client.phones import PhonesError
from mien.face.offline import motion_frames, poses, prosody_frames
from mien.host.exits import exit_codes
from mien.motion.load import load_engine
from mien.units import NS_PER_S

LEAD_S: Final = 0.3  # at rest before the first sound, so that the first mouth is seen to open


@click.command()
@click.argument("wav", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The MP4 to write.")
@click.option("--avatar", type=click.Path(path_type=Path), help="A baked avatar or a shipped one's name [default].")
@click.option("--model", type=click.Path(path_type=Path), help="A motion model: name or manifest [mien-standard].")
@click.option("--size", default="720x1280", show_default=True, metavar="WIDTHxHEIGHT")
@click.option("--fps", default=30.0, show_default=True, type=FiniteRange(1, 120))
@click.option("--seed", default=1, show_default=True, help="Seed of blinks, glances and breathing.")
@click.option("--text", default="", help="What is said: guides the lips, and is shown as captions.")
@click.option("--lang", default="en", show_default=True, help="The language of --text, as in en, en-US or pt-BR.")
def record(
    wav: Path,
    out: Path,
    avatar: Path | None,
    model: Path | None,
    size: str,
    fps: float,
    seed: int,
    text: str,
    lang: str,
) -> None:
    """Render a WAV file as MP4: the face speaking it, drawn offscreen, in sync with the sound.

    The video begins 300 ms before the sound, with the mouth at rest.

    Example: mien record hello.wav --out hello.mp4 --size 480x854 --fps 25
    """
    width, height = parse_size(size)
    with exit_codes("mien record", OSError):
        frames = record_file(wav, out, avatar, model, width, height, fps, seed, text, lang)
    click.echo(f"{click.format_filename(out)}: {frames} frames, {frames / fps:.1f} s")


def record_file(
    wav: Path,
    out: Path,
    avatar: Path | None,
    model: Path | None,
    width: int,
    height: int,
    fps: float,
    seed: int,
    text: str = "",
    language: str = "en",
) -> int:
    """Draw the video. Returns the number of frames. Raises MienError."""
    import os

    os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
    from mien.avatar.load import load_avatar
    from mien.face.offline import VideoCaptions
    from mien.render.gles import GlesRenderer

    engine = load_engine(model)
    speech = read_wav(wav, engine.info.rate_hz)
    if text:
        try:
            engine.guide(read_guidance(text, None, language))
        except PhonesError as error:
            click.echo(f"mien record: the sound alone moves the lips: {error}", err=True)
    renderer = GlesRenderer(load_avatar(avatar), width=width, height=height, title="mien record")
    captions = VideoCaptions(renderer, text, len(speech) * 1000 // engine.info.rate_hz) if text else None
    with Progress(transient=True) as bar:
        task = bar.add_task("motion", total=len(speech) / engine.info.rate_hz)
        step = engine.info.rate_hz // 50
        chunks = (speech[at : at + step] for at in range(0, len(speech), step))
        frames = motion_frames(engine, chunks, lambda seconds: bar.update(task, completed=seconds))
        drawing = bar.add_task("drawing", total=None)
        writer = VideoWriter(out, width=width, height=height, fps=fps, sound=wav, sound_skip_s=-LEAD_S)
        drawn = 0
        prosody = prosody_frames(speech, engine.info.lookahead_ms)
        for pose in poses(frames, prosody, engine.info.frame_hz, fps, seed, lead_s=LEAD_S):
            if captions is not None:
                captions.step(max(0, int((drawn / fps - LEAD_S) * NS_PER_S)))
            draw_all(renderer, [pose], writer, 1 << 30)
            drawn += 1
            bar.update(drawing, completed=drawn)
        writer.close()
    renderer.close()
    return drawn


def parse_size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT, each even and in 64..4096. Raises click.BadParameter."""
    width, _, height = text.partition("x")
    if width.isdigit() and height.isdigit():
        size = int(width), int(height)
        if all(64 <= side <= 4096 and side % 2 == 0 for side in size):
            return size
    raise click.BadParameter(f"'{text}': write WIDTHxHEIGHT, both even and from 64 to 4096", param_hint="--size")
