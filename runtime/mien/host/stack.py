"""mien's services as child processes, for `mien run`, the demo, benchmarks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mien.host.parent import name_parent

STOP_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Stack:
    """Starts and stops mien-voice, mien-face and, where asked, mien-ear: processes and their bus, as on a board.

    settings: dotted configuration overrides for all. face_arguments: more arguments for the face. A service ends with
    the thread that started it, even if that is killed.
    """

    run_dir: Path
    config: Path | None = None
    settings: dict[str, str] = field(default_factory=dict)
    face_arguments: tuple[str, ...] = ()
    quiet: bool = False
    voice: "subprocess.Popen[bytes] | None" = None
    face: "subprocess.Popen[bytes] | None" = None
    ear: "subprocess.Popen[bytes] | None" = None

    def start_voice(self) -> None:
        """Start mien-voice."""
        self.voice = self._start("mien.voice")

    def start_face(self) -> None:
        """Start mien-face."""
        self.face = self._start("mien.face", *self.face_arguments)

    def start_ear(self) -> None:
        """Start mien-ear."""
        self.ear = self._start("mien.ear")

    def stop(self) -> None:
        """Stop all, the voice last. A process that does not stop within five seconds is killed."""
        for process in (self.ear, self.face, self.voice):
            if process is not None:
                _stop(process)

    @contextmanager
    def voice_alone(self) -> Iterator["Stack"]:
        """The same without a face."""
        self.start_voice()
        try:
            yield self
        finally:
            self.stop()

    def __enter__(self) -> "Stack":
        self.start_voice()
        self.start_face()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", module]
        if self.config is not None:
            command += ["--config", str(self.config)]
        for key, value in {"run_dir": str(self.run_dir), **self.settings}.items():
            command += ["--set", f"{key}={value}"]
        output = subprocess.DEVNULL if self.quiet else None
        return subprocess.Popen(
            [*command, *arguments], env=service_environment(), stdout=output, stderr=output, start_new_session=True
        )  # Ctrl-C only reaches the parent, which stops them in order


def service_environment() -> dict[str, str]:
    """For a service: SDL draws offscreen without a display; numpy's threads bring no gain."""
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", PYTHONUNBUFFERED="1")
    name_parent(environment)
    has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"))
    if not has_display and not list(Path("/dev/dri").glob("card*")):
        environment["SDL_VIDEODRIVER"] = "offscreen"
    return environment


def has_display() -> bool:
    """Whether a window can be shown."""
    return service_environment().get("SDL_VIDEODRIVER") != "offscreen"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
