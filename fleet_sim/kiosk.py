"""A real kiosk on this machine: `mien run` with a WAV for a speaker and a face without a screen, beside `mien link`."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from fleet_sim.mosquitto import wait_until
from mien.audio.wav import opened_path
from mien.host.stack import service_environment
from mien.transport import voice_endpoint

START_S: Final = 60.0
STOP_S: Final = 15.0
_DEFAULTS: Final = {
    "voice.listen": "[]",
    "playback.sink": "wav",
    "face.renderer": "gles",
    "face.width": "180",
    "face.height": "320",
    "face.fps": "30",
}
_OFFSCREEN: Final = {"SDL_VIDEODRIVER": "offscreen"}


class Kiosk:
    """files: those that `mien fleet board` made. folder: for the kiosk's sound and logs. settings: beside its defaults.

    A `with` block starts and stops it.
    """

    def __init__(self, files: Path, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files, self._folder = files, folder
        self._settings = {**_DEFAULTS, **(settings or {})}
        self._short = tempfile.TemporaryDirectory(prefix="mien-k-")  # a socket's path has at most 107 characters
        self.run_dir = Path(self._short.name)
        self.sound = folder / "sound.wav"
        """What its speaker played."""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def endpoint(self) -> str:
        """The voice's, for a voice stack."""
        return voice_endpoint(self.run_dir)

    @property
    def opened_ns(self) -> int:
        """When the first frame of `sound` was heard, CLOCK_MONOTONIC. Raises OSError before that."""
        return int(opened_path(self.sound).read_text(encoding="ascii"))

    def start(self) -> None:
        """Start everything; returns when the voice answers. Raises RuntimeError with its log, TimeoutError."""
        settings = {"run_dir": str(self.run_dir), "playback.wav_path": str(self.sound), **self._settings}
        options = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        self._spawn("run", *options)
        wait_until(self._voice_answers, START_S)
        self._spawn("link", "--config", str(self._files / "link.toml"), "--run-dir", str(self.run_dir))

    def stop(self) -> None:
        """End it. A second call does nothing."""
        for name in ("link", "run"):
            if (process := self._processes.pop(name, None)) is not None:
                process.terminate()
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._short.cleanup()

    def log(self, name: str) -> str:
        """What "run" or "link" has written."""
        return self._log(name).read_text(errors="replace")

    def __enter__(self) -> "Kiosk":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _spawn(self, command: str, *arguments: str) -> None:
        environment = service_environment() | _OFFSCREEN | {"STATE_DIRECTORY": str(self._folder / "state")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        with self._log(command).open("wb") as log:
            self._processes[command] = subprocess.Popen(
                [sys.executable, "-m", "mien", command, *arguments], env=environment, stdout=log, stderr=log
            )

    def _voice_answers(self) -> bool:
        if (code := self._processes["run"].poll()) is not None:
            raise RuntimeError(f"mien run ended with {code}:\n{self.log('run')}")
        return (self.run_dir / "voice.sock").exists()
