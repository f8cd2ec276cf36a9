"""mien run: both services in the foreground, on a desk."""

import signal
import time
from pathlib import Path

import click

from mien.cli.errors import exit_codes
from mien.cli.face_keeper import Child, FaceKeeper
from mien.config import load_config, parse_overrides
from mien.host.lock import RunLock
from mien.host.rundir import ensure_run_dir, resolve_run_dir
from mien.host.stack import Stack

POLL_S = 0.2


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
def run(config: Path | None, pairs: tuple[str, ...]) -> None:
    """Start mien-voice and mien-face in the foreground; Ctrl-C stops both. A face that ends is started again.

    Example: mien run --set playback.sink=null --set face.width=480 --set face.height=854

    Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 a bad configuration or mien runs already, else that of the voice.
    """
    with exit_codes("mien run"):
        loaded = load_config(config, parse_overrides(pairs))
        run_dir = ensure_run_dir(resolve_run_dir(loaded.run_dir))
        with RunLock(run_dir, "run", "mien run"):
            click.echo(" ".join(("voice:", f"ipc://{run_dir}/voice.sock", *loaded.voice.listen)), err=True)
            settings = dict(pair.split("=", 1) for pair in pairs)
            raise SystemExit(_supervise(Stack(run_dir, config=config, settings=settings)))


def _supervise(stack: Stack) -> int:
    """Run both until the voice ends or somebody asks to stop. Returns the exit code."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))

    def start_face() -> Child:
        stack.start_face()
        assert stack.face is not None
        return stack.face

    keeper = FaceKeeper(start_face, lambda text: click.echo(f"mien run: {text}", err=True))
    try:
        stack.start_voice()
        assert stack.voice is not None
        while not asked:
            if (code := stack.voice.poll()) is not None:
                click.echo(f"mien run: the voice ended with {code}", err=True)
                return 128 - code if code < 0 else code or 1  # of a signal: as a shell says it
            keeper.step(time.monotonic_ns())
            time.sleep(POLL_S)
        return 0
    finally:
        stack.stop()
