"""The command `mien avatar tune`."""

from pathlib import Path
from typing import Final

import click

from mien.avatar.bake.pipeline import bake
from mien.avatar.bake.tuning import TuningFile, parsed, read_file, tuning_path, with_field, written
from mien.errors import AvatarError
from mien.host.exits import exit_codes

EXAMPLES: Final = "gains.jawOpen=0.8, frame.zoom=1.2, frame.up=0.05, light=1.1, gaze=0.6, background.top=#90a0b0"


@click.command()
@click.argument("head", type=click.Path(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help=f"Set a field: {EXAMPLES}.")
def tune(head: Path, settings: tuple[str, ...]) -> None:
    """Write or change the tuning of a head: a small TOML file beside it, which the bake takes.

    Without --set, a file with every field is written, together with what calibration found.

    Example: mien avatar tune head.glb --set gains.jawOpen=0.8 --set frame.zoom=1.1
    """
    with exit_codes("mien avatar tune", OSError):
        path = tuning_path(head)
        entry = read_file(head)
        for setting in settings:
            entry = _changed(entry, setting)
        parsed(entry)
        baked = bake(head, parsed(TuningFile(calibration=entry.calibration)))
        path.write_text(written(entry, head.name, baked.gains), encoding="utf-8")
    click.echo(f"{click.format_filename(path)}: taken by mien avatar bake {head} and mien avatar preview {head}")


def _changed(entry: TuningFile, setting: str) -> TuningFile:
    field, equals, value = setting.partition("=")
    if not equals:
        raise AvatarError(f"--set {setting}: write FIELD=VALUE, such as {EXAMPLES}")
    return with_field(entry, field.strip(), value.strip())
