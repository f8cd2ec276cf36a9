"""The command mien-voice: arguments, configuration, exit codes."""

import logging
import signal
from pathlib import Path

import click

from mien.config import load_config, parse_overrides
from mien.host.clock import MonotonicClock
from mien.host.exits import exit_codes
from mien.host.journal import log_handler
from mien.host.lock import RunLock
from mien.host.parent import end_with_parent
from mien.host.realtime import use_realtime_priority
from mien.host.rundir import ensure_run_dir, resolve_run_dir


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "path", type=click.Path(path_type=Path), help="Configuration file [/etc/mien/mien.toml].")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key, such as playback.sink=null."
)
def main(path: Path | None, overrides: tuple[str, ...]) -> None:
    """Receive speech over ZeroMQ, play it, and tell what was heard.

    Example: mien-voice --set playback.sink=null
    """
    end_with_parent()
    from mien.voice.service import VoiceService

    with exit_codes("mien-voice"):
        config = load_config(path, parse_overrides(overrides))
        logging.basicConfig(level=config.log.level.upper(), handlers=[log_handler()])
        run_dir = ensure_run_dir(resolve_run_dir(config.run_dir))
        lock = RunLock(run_dir, "voice", "mien-voice")  # before anything is bound
        service = VoiceService(config, run_dir, MonotonicClock())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    use_realtime_priority()
    service.run()
    lock.release()


if __name__ == "__main__":
    main()
