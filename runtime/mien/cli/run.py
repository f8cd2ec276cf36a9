"""mien run: both services in the foreground, on a desk."""

import signal
import time
from pathlib import Path
from types import FrameType

import click

from mien.config import load_config, parse_overrides
from mien.errors import MienError
from mien.host.rundir import ensure_run_dir, resolve_run_dir
from mien.host.stack import Stack

POLL_S = 0.2
FACE_RESTARTS = 5  # as systemd would, with a budget


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
def run(config: Path | None, pairs: tuple[str, ...]) -> None:
    """Start mien-voice and mien-face in the foreground; Ctrl-C stops both.

    Example: mien run --set playback.sink=null --set face.width=480 --set face.height=854
    """
    try:
        loaded = load_config(config, parse_overrides(pairs))
        run_dir = ensure_run_dir(resolve_run_dir(loaded.run_dir))
    except MienError as error:
        click.echo(f"mien run: {error}", err=True)
        raise SystemExit(2) from None
    settings = dict(pair.split("=", 1) for pair in pairs)
    stack = Stack(run_dir, config=config, settings=settings)
    click.echo(f"voice: ipc://{run_dir}/voice.sock {' '.join(loaded.voice.listen)}", err=True)
    with stack:
        raise SystemExit(_supervise(stack))


def _supervise(stack: Stack) -> int:
    """Wait until the voice ends or somebody asks to stop; a face that ends is started again."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    restarts = 0
    while not asked:
        time.sleep(POLL_S)
        if stack.voice is not None and (code := stack.voice.poll()) is not None:
            click.echo(f"mien run: the voice ended with {code}", err=True)
            return code or 1
        if stack.face is not None and (code := stack.face.poll()) is not None and restarts < FACE_RESTARTS:
            restarts += 1
            click.echo(f"mien run: the face ended with {code}; again ({restarts}/{FACE_RESTARTS})", err=True)
            stack.start_face()
    return 0
