"""The command `mien motion`."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from mien.cli.guidance import explained, read_guidance
from mien.client.wav import wav_chunks
from mien.core.pose import ARKIT_SHAPES, HEAD_CHANNELS
from mien.face.offline import motion_frames
from mien.host.exits import exit_codes
from mien.motion.base import MotionEngine, Pcm
from mien.motion.load import load_engine

CHUNK_MS = 20
Motion = NDArray[np.float32]


@click.command()
@click.argument("wav", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The CSV to write.")
@click.option(
    "--score",
    "alignments",
    type=click.Path(path_type=Path),
    metavar="ALIGN.json",
    help="Score the lips against timed phones. WAV may then be a folder with PROMPT.wav or PROMPT.csv.",
)
@click.option("--model", type=click.Path(path_type=Path), help="A motion model: name or manifest [mien-standard].")
@click.option("--text", default="", help="What is said: it guides the lips. Needs espeak-ng.")
@click.option(
    "--words",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help='Instead of --text: timed words, [["Hi", 0, 180], ...] in ms, or {"phones": [["h", 0, 60], ...]} in IPA.',
)
@click.option("--lang", default="en", show_default=True, help="The language of --text or --words: en, en-US, pt-BR ...")
@click.option("--explain", is_flag=True, help="Say on stderr how far the text decided, and what was ignored.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def motion(
    wav: Path,
    out: Path | None,
    alignments: Path | None,
    model: Path | None,
    text: str,
    words: Path | None,
    lang: str,
    explain: bool,
    as_json: bool,
) -> None:
    """Write the facial motion of a WAV file as CSV, computed by the streaming engine in chunks of 20 ms.

    Columns: time_s (when the pose is shown, in audio time), the 52 ARKit blend shapes in 0..1, then headPitch, headYaw
    and headRoll in radians.

    --score compares the lips with ALIGN.json: {prompt: {"dur": s, "phones": [[phone, start_s, end_s], ...]}}, phones in
    ARPAbet or IPA. The motion of a WAV is computed first; a CSV is taken as it is.

    With --text or --words the text is aligned to the sound while it streams, and decides closures and teeth on the lip
    as long as it fits what is heard.

    \b
    Examples: mien motion hello.wav --out hello.csv
              mien motion hello.wav --text "Good morning" --lang en --out hello.csv --explain
              mien motion hello.wav --score hello.json
              mien motion recordings --score align.json --json
    """
    if alignments is not None:
        if text or words is not None:
            raise click.UsageError("--score takes no text: write the CSV with --out first, then score it")
        if out is not None:
            raise click.UsageError("--score writes no CSV: leave --out out, or run it without --score first")
        from mien.cli.motion_score import print_score

        print_score(wav, alignments, model, as_json)
        return
    if out is None:
        raise click.UsageError("name the CSV to write: --out FILE.csv; or score it: --score ALIGN.json")
    if text and words is not None:
        raise click.UsageError("--text and --words exclude each other")
    with exit_codes("mien motion", OSError):
        engine = load_engine(model)
        guidance = read_guidance(text, words, lang) if text or words is not None else []
        engine.guide(guidance)
        speech = read_wav(wav, engine.info.rate_hz)
        with Progress(transient=True) as bar:
            task = bar.add_task("motion", total=len(speech) / engine.info.rate_hz)
            frames = streamed(engine, speech, lambda seconds: bar.update(task, completed=seconds))
        write_csv(out, frames, engine.info.frame_hz)
    if explain:
        for line in explained(engine.guided) if guidance else ["no text: the sound alone decided"]:
            click.echo(f"mien motion: {line}", err=True)
    written = {
        "frames": len(frames),
        "frame_hz": engine.info.frame_hz,
        "seconds": round(len(speech) / engine.info.rate_hz, 3),
        "lookahead_ms": engine.info.lookahead_ms,
        "out": click.format_filename(out),
    }
    click.echo(
        json.dumps(written) if as_json else f"{written['out']}: {len(frames)} frames at {engine.info.frame_hz} Hz"
    )


def streamed(engine: MotionEngine, speech: Pcm, progress: Callable[[float], None]) -> Motion:
    """The motion of speech, float32 (frames, 55), as the engine computes it from chunks of 20 ms. progress: in s."""
    step = engine.info.rate_hz * CHUNK_MS // 1000
    chunks = (speech[at : at + step] for at in range(0, len(speech), step))
    return motion_frames(engine, chunks, progress)


def read_wav(path: Path, rate_hz: int) -> Pcm:
    """A whole WAV file as mono int16 at rate_hz. Raises ClientError (bad_wav)."""
    parts = [np.frombuffer(bytes(chunk), dtype="<i2") for chunk in wav_chunks(path, rate_hz)]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)


def write_csv(path: Path, frames: Motion, frame_hz: int) -> None:
    """Write one row a frame, with five decimals."""
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time_s", *ARKIT_SHAPES, *HEAD_CHANNELS])
        for number, row in enumerate(frames):
            writer.writerow([f"{number / frame_hz:.4f}", *(f"{value:.5f}" for value in row.tolist())])
