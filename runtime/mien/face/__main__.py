"""The command mien-face: arguments, configuration, exit codes."""

import logging
import os
import signal
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads: its threads cost memory and gain nothing here

import click

from mien.config import load_config, parse_overrides
from mien.host.clock import MonotonicClock
from mien.host.exits import exit_codes
from mien.host.journal import log_handler
from mien.host.lock import RunLock
from mien.host.parent import end_with_parent
from mien.host.rundir import ensure_run_dir, resolve_run_dir

TRACE_FRAMES = 60 * 60 * 20  # twenty minutes at 60 Hz


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "path", type=click.Path(path_type=Path), help="Configuration file [/etc/mien/mien.toml].")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key, such as face.fps=25.")
@click.option(
    "--trace",
    "trace_path",
    type=click.Path(path_type=Path),
    help="Record time and pose of each frame (.npz).",
)
def main(path: Path | None, overrides: tuple[str, ...], trace_path: Path | None) -> None:
    """Show the avatar: read speech and clock from the bus, infer motion, draw.

    Example: mien-face --set face.width=480 --set face.height=854
    """
    end_with_parent()
    from mien.face.service import FaceService
    from mien.face.trace import Trace

    trace = Trace(TRACE_FRAMES) if trace_path else None
    with exit_codes("mien-face"):
        config = load_config(path, parse_overrides(overrides))
        logging.basicConfig(level=config.log.level.upper(), handlers=[log_handler()])
        run_dir = ensure_run_dir(resolve_run_dir(config.run_dir))
        with RunLock(run_dir, "face", "mien-face"):
            service = FaceService(config, run_dir, MonotonicClock(), trace=trace)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: service.stop())
            service.run()
    if trace is not None and trace_path is not None:
        trace.save(trace_path)


if __name__ == "__main__":
    main()
