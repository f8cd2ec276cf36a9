"""mien-ear in this process, for commands that need the microphone while no service has it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mien.config import Config
from mien.ear.engine import Tap
from mien.ear.service import EarService
from mien.errors import ConfigError
from mien.host.clock import MonotonicClock
from mien.host.lock import RunLock
from mien.host.rundir import ensure_run_dir


def ear_lock(run_dir: Path, program: str) -> RunLock:
    """Take the microphone. Raises ConfigError, with the remedy, while mien-ear or another command has it."""
    try:
        return RunLock(ensure_run_dir(run_dir), "ear", program)
    except ConfigError as error:
        raise ConfigError(f"{error} (a service: `systemctl stop mien-ear`)") from None


@contextmanager
def own_ear(config: Config, run_dir: Path, program: str, *, tap: Tap | None = None) -> Iterator[None]:
    """Run an ear within the block. It hears the voice's far end as mien-ear does.

    Raises ConfigError while another has the microphone, EarError without the extra mien[ear].
    """
    with ear_lock(run_dir, program):
        service = EarService(config, run_dir, MonotonicClock(), tap=tap)
        failures: list[BaseException] = []

        def run() -> None:
            try:
                service.run()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run, name="ear", daemon=True)
        thread.start()
        try:
            yield
        finally:
            service.stop()
            thread.join()
        if failures:
            raise failures[0]
