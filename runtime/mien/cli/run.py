"""The command `mien run`: the services in the foreground, on a desk."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import click

from mien.config import load_config, parse_overrides
from mien.host.exits import Exit, exit_codes
from mien.host.lock import RunLock
from mien.host.rundir import ensure_run_dir, resolve_run_dir
from mien.host.stack import Stack
from mien.transport import voice_endpoint
from mien.units import NS_PER_MS, NS_PER_S

POLL_S: Final = 0.2
FIRST_NS: Final = 500 * NS_PER_MS
LONGEST_NS: Final = 30 * NS_PER_S
STABLE_NS: Final = 60 * NS_PER_S  # after this uptime the next restart waits FIRST_NS again


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
@click.option("--ear", is_flag=True, help="Also start mien-ear, the microphone [where ear.enabled is set].")
def run(config: Path | None, pairs: tuple[str, ...], ear: bool) -> None:
    """Start mien-voice and mien-face in the foreground, and mien-ear where it is asked for; Ctrl-C stops all. A face or
    an ear that exits is restarted.

    \b
    Examples: mien run --set playback.sink=null --set face.width=480 --set face.height=854
              mien run --ear

    Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 the configuration is invalid or mien is already running, otherwise the
    voice's exit code.
    """
    with exit_codes("mien run"):
        loaded = load_config(config, parse_overrides(pairs))
        run_dir = ensure_run_dir(resolve_run_dir(loaded.run_dir))
        with RunLock(run_dir, "run", "mien run"):
            click.echo(" ".join(("voice:", voice_endpoint(run_dir), *loaded.voice.listen)), err=True)
            settings = dict(pair.split("=", 1) for pair in pairs)
            stack = Stack(run_dir, config=config, settings=settings)
            raise SystemExit(_supervise(stack, ear=ear or loaded.ear.enabled))


def _supervise(stack: Stack, *, ear: bool) -> int:
    """Run the services until the voice exits or a signal asks to stop. Returns the exit code."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))

    def start_face() -> Child:
        stack.start_face()
        assert stack.face is not None
        return stack.face

    def start_ear() -> Child:
        stack.start_ear()
        assert stack.ear is not None
        return stack.ear

    def report(text: str) -> None:
        click.echo(f"mien run: {text}", err=True)

    supervisors = [ChildSupervisor("face", start_face, report)]
    if ear:
        supervisors.append(ChildSupervisor("ear", start_ear, report))
    try:
        stack.start_voice()
        assert stack.voice is not None
        while not asked:
            if (code := stack.voice.poll()) is not None:
                click.echo(f"mien run: the voice exited with {code}", err=True)
                return 128 - code if code < 0 else code or Exit.FAILED
            for supervisor in supervisors:
                supervisor.step(time.monotonic_ns())
            time.sleep(POLL_S)
        return Exit.DONE
    finally:
        stack.stop()


class Child(Protocol):
    """The part of subprocess.Popen that ChildSupervisor uses."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        ...


class ChildSupervisor:
    """Restarts a child that exits, after 0.5, 1, 2 ... 30 s: at most seven times a minute, without giving up.

    name: for people. start: starts the child and returns it. report: receives one line for each exit.
    """

    def __init__(self, name: str, start: Callable[[], Child], report: Callable[[str], None]) -> None:
        self._name = name
        self._start = start
        self._report = report
        self._child: Child | None = None
        self._started_ns = 0
        self._due_ns = 0
        self._wait_ns = FIRST_NS

    def step(self, now_ns: int) -> None:
        """Check the child, and restart it when due; call this several times a second. now_ns: monotonic."""
        if self._child is None:
            if now_ns >= self._due_ns:
                self._child, self._started_ns = self._start(), now_ns
            return
        code = self._child.poll()
        if code is None:
            return
        self._child = None
        if now_ns - self._started_ns >= STABLE_NS:
            self._wait_ns = FIRST_NS
        self._due_ns = now_ns + self._wait_ns
        self._report(f"the {self._name} exited with {code}; restarting it in {self._wait_ns / NS_PER_S:g} s")
        self._wait_ns = min(2 * self._wait_ns, LONGEST_NS)
