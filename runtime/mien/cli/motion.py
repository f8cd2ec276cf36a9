"""The command `mien motion`."""

import csv
import json
from pathlib import Path

import click
import numpy as np
from rich.progress import Progress

from mien.client.wav import wav_chunks
from mien.core.pose import ARKIT_SHAPES, HEAD_CHANNELS
from mien.face.offline import motion_frames
from mien.host.exits import exit_codes
from mien.motion.base import Pcm
from mien.motion.load import load_engine

CHUNK_MS = 20


@click.command()
@click.argument("wav", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The CSV to write.")
@click.option("--model", type=click.Path(path_type=Path), help="A motion model: name or manifest [mien-standard].")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def motion(wav: Path, out: Path, model: Path | None, as_json: bool) -> None:
    """Write the facial motion of a WAV file as CSV, computed by the streaming engine in chunks of 20 ms.

    Columns: time_s (when the pose is shown, in audio time), the 52 ARKit blend shapes in 0..1, then headPitch, headYaw
    and headRoll in radians.

    Example: mien motion hello.wav --out hello.csv
    """
    with exit_codes("mien motion", OSError):
        engine = load_engine(model)
        speech = read_wav(wav, engine.info.rate_hz)
        step = engine.info.rate_hz * CHUNK_MS // 1000
        with Progress(transient=True) as bar:
            task = bar.add_task("motion", total=len(speech) / engine.info.rate_hz)
            chunks = (speech[at : at + step] for at in range(0, len(speech), step))
            frames = motion_frames(engine, chunks, lambda seconds: bar.update(task, completed=seconds))
        write_csv(out, frames, engine.info.frame_hz)
    words = {
        "frames": len(frames),
        "frame_hz": engine.info.frame_hz,
        "seconds": round(len(speech) / engine.info.rate_hz, 3),
        "lookahead_ms": engine.info.lookahead_ms,
        "out": click.format_filename(out),
    }
    click.echo(json.dumps(words) if as_json else f"{words['out']}: {len(frames)} frames at {engine.info.frame_hz} Hz")


def read_wav(path: Path, rate_hz: int) -> Pcm:
    """A whole WAV file as mono int16 at rate_hz. Raises ClientError (bad_wav)."""
    parts = [np.frombuffer(bytes(chunk), dtype="<i2") for chunk in wav_chunks(path, rate_hz)]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)


def write_csv(path: Path, frames: "np.ndarray[tuple[int, int], np.dtype[np.float32]]", frame_hz: int) -> None:
    """Write one row a frame, with five decimals."""
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time_s", *ARKIT_SHAPES, *HEAD_CHANNELS])
        for number, row in enumerate(frames):
            writer.writerow([f"{number / frame_hz:.4f}", *(f"{value:.5f}" for value in row.tolist())])
