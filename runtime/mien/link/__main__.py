"""The command mien-link: arguments, configuration, exit codes."""

import asyncio
import importlib.util
import logging
import os
import signal
import sys
from pathlib import Path

import click

from mien.errors import ConfigError, FleetError
from mien.host.exits import exit_codes
from mien.host.journal import log_handler
from mien.host.lock import RunLock
from mien.host.parent import end_with_parent
from mien.host.rundir import ensure_run_dir, resolve_run_dir
from mien.link.config import SYSTEM_LINK_CONFIG, LinkConfig, load_link_config


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=SYSTEM_LINK_CONFIG,
    show_default=True,
    help="The broker's file, which `mien fleet board NAME` makes.",
)
@click.option("--run-dir", default="", help="Directory of the voice's socket [found automatically].")
def main(path: Path, run_dir: str) -> None:
    """Report this kiosk to a broker and obey who may command it there.

    Example: mien link --config link.toml
    """
    end_with_parent()
    with exit_codes("mien-link"):
        _check_extra()
        config = load_link_config(path)
        _check_place(config, path)
        logging.basicConfig(level=logging.INFO, handlers=[log_handler()])
        folder = ensure_run_dir(resolve_run_dir(run_dir))
        with RunLock(folder, "link", "mien-link"):
            asyncio.run(_serve(config, path, folder))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a name lookup that the network does not answer would hold the process for half a minute


def _check_extra() -> None:
    """Raises ConfigError without the packages of the extra."""
    if importlib.util.find_spec("aiomqtt") is None:
        raise ConfigError("mien-link needs the extra mien[link]: pip install 'mien[link]'")


def _check_place(config: LinkConfig, path: Path) -> None:
    """Raises ConfigError for a name that no topic can hold, before anything is opened."""
    try:
        _ = config.place
    except FleetError as error:
        raise ConfigError(f"{path}: [board] {error}") from None


async def _serve(config: LinkConfig, path: Path, run_dir: Path) -> None:
    from mien.link.service import LinkService

    service = LinkService(config, path, run_dir)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()


if __name__ == "__main__":
    main()
