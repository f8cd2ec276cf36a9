"""`mien motion --score`: the lips of recordings against their timed phones."""

import dataclasses
import json
from pathlib import Path

import click
import numpy as np
from rich.progress import Progress
from rich.table import Table

from mien.bench.lip_files import Alignment, Columns, aligned_prompt, file_stem, read_alignments, read_motion
from mien.bench.lip_score import Score, score
from mien.cli.motion import read_wav, streamed
from mien.cli.terminal import data_console, shown
from mien.core.pose import ARKIT_SHAPES
from mien.errors import MienError
from mien.host.exits import exit_codes
from mien.motion.base import MotionEngine
from mien.motion.load import load_engine


def print_score(source: Path, alignments: Path, model: Path | None, as_json: bool) -> None:
    """Score `source`, a WAV, a CSV or a folder of either, and print the figures. Ends the process on errors."""
    with exit_codes("mien motion", OSError):
        chosen = _chosen(source, read_alignments(alignments), alignments)
        prompts = []
        engine: MotionEngine | None = None
        with Progress(transient=True) as bar:
            task = bar.add_task("scoring", total=len(chosen))
            for path, alignment in chosen:
                if path.suffix == ".csv":
                    columns = read_motion(path)
                else:
                    engine = engine or load_engine(model)
                    columns = _moved(engine, path)
                prompts.append(aligned_prompt(alignment, columns))
                bar.advance(task)
        try:
            result = score(prompts)
        except ValueError as error:
            raise MienError(f"{alignments}: {error}") from None
    click.echo(json.dumps(dataclasses.asdict(result))) if as_json else _print(result)


def _chosen(source: Path, known: dict[str, Alignment], alignments: Path) -> list[tuple[Path, Alignment]]:
    """The files to score. Raises MienError when none has an alignment."""
    if source.is_dir():
        files = {prompt: _file_of(source / file_stem(prompt)) for prompt in known}
        found = [(path, known[prompt]) for prompt, path in files.items() if path is not None]
        if not found:
            example = file_stem(next(iter(known)))
            raise MienError(f"{source}: no prompt of {alignments} has a CSV or WAV there, such as {example}.wav")
        return found
    by_stem = {file_stem(prompt): one for prompt, one in known.items()}
    if source.stem in by_stem:
        return [(source, by_stem[source.stem])]
    if len(known) == 1:
        return [(source, next(iter(known.values())))]
    raise MienError(f"{alignments}: has no prompt {source.stem}; name the file after its prompt")


def _file_of(stem: Path) -> Path | None:
    """The CSV of a prompt, else its WAV, else None."""
    return next((path for end in (".csv", ".wav") if (path := stem.with_name(stem.name + end)).is_file()), None)


def _moved(engine: MotionEngine, wav: Path) -> Columns:
    engine.reset()
    frames = streamed(engine, read_wav(wav, engine.info.rate_hz), lambda _: None)
    columns = {name: frames[:, index].astype(np.float64) for index, name in enumerate(ARKIT_SHAPES)}
    return columns | {"time_s": np.arange(len(frames)) / engine.info.frame_hz}


def _print(result: Score) -> None:
    console = data_console()
    console.print(
        shown(f"{result.prompts} recordings, {result.bilabials} bilabials, the jaw trails by {result.lag_ms} ms")
    )
    table = Table("figure", "delivered", "lag removed", "chance")
    for name, value in result.delivered.items():
        table.add_row(name, f"{value:.2f}", f"{result.lag_removed[name]:.2f}", f"{result.chance[name]:.2f}")
    console.print(table)
