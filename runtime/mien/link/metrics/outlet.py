"""Serves a board's metrics as link.toml asks, for as long as the link runs."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from mien.errors import StorageError
from mien.link.config import MetricsConfig
from mien.link.metrics.server import MetricsServer, parse_listen
from mien.link.metrics.textfile import write_textfile

log = logging.getLogger(__name__)


async def serve_metrics(config: MetricsConfig, render: Callable[[], bytes]) -> None:
    """Until it is cancelled. Returns at once where [metrics] is off. Raises ConfigError.

    A textfile that cannot be written is logged and tried again: metrics never end the link.
    """
    if not config.listen and not config.textfile:
        return
    server = MetricsServer(render)
    if config.listen:
        await server.start(*parse_listen(config.listen))
    try:
        while True:
            if config.textfile:
                _write(Path(config.textfile), render())
            await asyncio.sleep(config.every_s)
    finally:
        await server.stop()


def _write(path: Path, text: bytes) -> None:
    try:
        write_textfile(path, text)
    except StorageError as error:
        log.warning("%s", error)
