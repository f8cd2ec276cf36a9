"""The command mien-ear: arguments, configuration, exit codes."""

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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "path", type=click.Path(path_type=Path), help="Configuration file [/etc/mien/mien.toml].")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key, such as ear.source=null."
)
def main(path: Path | None, overrides: tuple[str, ...]) -> None:
    """Listen to the customer: cancel the speaker's echo, tell when somebody speaks.

    Example: mien-ear --set ear.device=plughw:2
    """
    end_with_parent()
    from mien.ear.service import EarService

    with exit_codes("mien-ear"):
        config = load_config(path, parse_overrides(overrides))
        logging.basicConfig(level=config.log.level.upper(), handlers=[log_handler()])
        run_dir = ensure_run_dir(resolve_run_dir(config.run_dir))
        with RunLock(run_dir, "ear", "mien-ear"):
            service = EarService(config, run_dir, MonotonicClock())
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: service.stop())
            service.run()


if __name__ == "__main__":
    main()
