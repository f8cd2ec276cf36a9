"""mien-voice, mien-face and mien-ear as child processes, started as by `mien run` and restarted as by systemd."""

import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

UNITS: Final = Path(__file__).resolve().parents[1] / "systemd"
TERM_S: Final = 10.0
NAMES: Final = ("voice", "face", "ear")


def unit_number(service: str, key: str, default: int) -> int:
    """A number from a unit file, such as MemoryMax=128M in bytes; `default` if it is not set."""
    text = (UNITS / f"mien-{service}.service").read_text(encoding="utf-8")
    found = re.search(rf"^{key}=(\d+)([KMG]?)", text, re.MULTILINE)
    if found is None:
        return default
    return int(found[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[found[2]]


@dataclass(slots=True)
class Child:
    """One service. generation: counts its starts. expected: the harness is ending it, or may have."""

    name: str
    process: "subprocess.Popen[bytes] | None" = None
    generation: int = 0
    started_s: float = 0.0
    expected: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def pid(self) -> int | None:
        """PID of the running process; None if there is none."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None


class Processes:
    """settings: dotted overrides for all. logs: folder for their stderr. environment: additional variables."""

    def __init__(self, settings: dict[str, str], logs: Path, sound: Path, environment: dict[str, str]) -> None:
        self._settings = settings
        self._logs = logs
        self._sound = sound
        self._environment = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "SDL_VIDEODRIVER": "offscreen",
            **environment,
        }
        self.children = {name: Child(name) for name in NAMES}
        self._descriptors = {name: unit_number(name, "LimitNOFILE", 1024) for name in NAMES}

    def __getitem__(self, name: str) -> Child:
        return self.children[name]

    def log(self, name: str) -> Path:
        """The log of a service, over all its starts."""
        return self._logs / f"{name}.log"

    def recording(self) -> Path:
        """The recording of the running voice."""
        return self._sound / f"heard-{self['voice'].generation}.wav"

    def start(self, name: str) -> None:
        """Start a service that is not running."""
        child = self[name]
        with child.lock:
            child.generation += 1
            child.expected = False
            child.started_s = time.monotonic()
            with self.log(name).open("ab") as log:
                child.process = subprocess.Popen(
                    self._command(name),
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    preexec_fn=lambda: self._bound(name),
                )

    def extra(self, name: str) -> "subprocess.Popen[bytes]":
        """Start a second instance of a service, with its own log and recording."""
        with (self._logs / f"extra-{name}.log").open("ab") as log:
            settings = {**self._settings, "playback.wav_path": str(self._sound / "extra.wav")}
            return subprocess.Popen(
                self._command(name, settings),
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def end(self, name: str, number: signal.Signals) -> int | None:
        """Stop a service deliberately. Returns its exit code; None if it was not running."""
        child = self[name]
        with child.lock:
            child.expected = True
            if child.process is None:
                return None
            if child.process.poll() is None:
                child.process.send_signal(number)
            try:
                return child.process.wait(TERM_S)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
                return None

    def stop(self) -> None:
        """End all."""
        for name in reversed(NAMES):
            process = self[name].process
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
            self.end(name, signal.SIGTERM)

    def _command(self, name: str, settings: dict[str, str] | None = None) -> list[str]:
        command = [sys.executable, "-m", f"mien.{name}"]
        own = {"playback.wav_path": str(self.recording())} if settings is None else {}
        for key, value in {**(settings or self._settings), **own}.items():
            command += ["--set", f"{key}={value}"]
        return command

    def _bound(self, name: str) -> None:
        """Runs in the child before exec: set the unit's limit of descriptors."""
        most = self._descriptors[name]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
