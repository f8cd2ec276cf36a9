"""The command `mien ear record`."""

import os
import sys
import time
from pathlib import Path

import click

from mien.audio.wavfile import WavWriter
from mien.cli.ear_options import config_option, set_option
from mien.cli.terminal import FiniteRange
from mien.config import load_config, parse_overrides
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ
from mien.ear.microphone import Block
from mien.ear.pipeline import Cleaned
from mien.errors import ConfigError
from mien.host.exits import Exit, exit_codes
from mien.host.rundir import resolve_run_dir


@click.command()
@click.argument("name", type=click.Path(path_type=Path), default="ear")
@config_option
@set_option
@click.option(
    "--seconds",
    "duration_s",
    type=FiniteRange(0.1, 600),
    default=20.0,
    show_default=True,
    metavar="S",
    help="How long.",
)
@click.option("--yes", is_flag=True, help="Keep the sound. Without it, nothing is recorded.")
def record(name: Path, path: Path | None, pairs: tuple[str, ...], duration_s: float, yes: bool) -> None:
    """Record the microphone for support: NAME-raw.wav as it was captured, NAME-clean.wav without the echo, both mono at
    16 kHz. This is the only way in which mien keeps what the microphone hears. Meanwhile the face shows the sign of a
    live microphone.

    Example: mien ear record --seconds 20 --yes support

    Exit codes: 0 recorded, 1 the microphone failed, 2 not done: without --yes, mien-ear is running, a file exists.
    """
    files = [name.with_name(f"{name.name}-{kind}.wav").absolute() for kind in ("raw", "clean")]
    with exit_codes("mien ear record"):
        config = load_config(path, parse_overrides(pairs))
        _refuse(files, duration_s, yes=yes, muted=config.ear.muted)
        mask = os.umask(0o077)  # for their owner only
        try:
            recorder = _Recorder(*(WavWriter(file, EAR_RATE_HZ) for file in files))
        finally:
            os.umask(mask)
        try:
            from mien.cli.own_ear import own_ear

            with own_ear(config, resolve_run_dir(config.run_dir), "mien ear record", tap=recorder):
                time.sleep(duration_s)
        finally:
            recorder.close()
    if not recorder.frames:
        click.echo("mien ear record: the microphone gave no sound; `mien ear meter` says why", err=True)
        for file in files:
            file.unlink(missing_ok=True)
        sys.exit(Exit.FAILED)
    for file in files:
        click.echo(f"{file}: {recorder.frames / EAR_RATE_HZ:.1f} s")


def _refuse(files: list[Path], duration_s: float, *, yes: bool, muted: bool) -> None:
    names = " and ".join(map(str, files))
    if not yes:
        raise ConfigError(
            f"this keeps what the microphone hears for {duration_s:g} s, in {names}, readable for this user only, "
            "until somebody deletes them; mien sends them nowhere. Tell everybody in the room, then repeat with --yes"
        )
    if muted:
        raise ConfigError("ear.muted: the microphone is muted by the configuration; nothing is recorded")
    for file in files:
        if file.exists():
            raise ConfigError(f"{file}: exists already; delete it, or choose another NAME")


class _Recorder:
    """A tap that writes both files. Lost sound is silence in both, so that they stay in step with time."""

    def __init__(self, raw: WavWriter, clean: WavWriter) -> None:
        self.frames = 0
        self._raw, self._clean = raw, clean
        self._next_seq: int | None = None

    def __call__(self, block: Block, cleaned: Cleaned) -> None:
        lost = 0 if self._next_seq is None else block.seq - self._next_seq
        self._next_seq = block.seq + 1
        self.frames += (lost + 1) * EAR_BLOCK_FRAMES
        for file, pcm in ((self._raw, block.pcm), (self._clean, cleaned.pcm)):
            if lost:
                file.resize(file.frames + lost * EAR_BLOCK_FRAMES)
            file.append(pcm)

    def close(self) -> None:
        """Finish both files."""
        self._raw.close()
        self._clean.close()
