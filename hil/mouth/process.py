"""A rig's mouth, run as a process of its own: the tests must not make the microphone stutter."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Literal

import msgspec
import numpy as np

from hil.captured import Sound
from hil.container.ears import WavEars
from hil.errors import RigError
from hil.mouth.ring import Pcm
from hil.mouth.scene import Scene

PART: Final = "mouth"
STARTS_S: Final = 60.0
ENDS_S: Final = 10.0
REPOSITORY: Final = Path(__file__).resolve().parents[2]


class MouthProcess:
    """folder: for its files. ring: where the board's virtual card looks for its memory. played: the speaker's file,
    which player writes: mien's WAV sink or QEMU.

    late_ms: how much of the microphone's sound was late, of the last scene that was closed.
    """

    def __init__(
        self, folder: Path, ring: Path, played: Callable[[], Path], player: Literal["sink", "qemu"] = "sink"
    ) -> None:
        self._folder = folder
        self._ring = ring
        self._played = played
        self._player = player
        self._process: subprocess.Popen[str] | None = None
        self._near = WavEars(lambda: folder / "near.wav")
        self._phrases = 0
        self.late_ms = 0.0

    def open(self, scene: Scene) -> None:
        """Plug the microphone in, in this room. Raises RigError."""
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ring.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / "near.wav").unlink(missing_ok=True)
        self._near = WavEars(lambda: self._folder / "near.wav")
        self._near.start()
        command = [sys.executable, "-m", "hil.mouth", "--played", str(self._played()), "--ring", str(self._ring)]
        command += [
            "--player",
            self._player,
            "--folder",
            str(self._folder),
            "--scene",
            msgspec.json.encode(scene).decode(),
        ]
        with (self._folder / "mouth.log").open("w") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=REPOSITORY,
                env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'runtime'}", "OPENBLAS_NUM_THREADS": "1"},
            )
        if self._line(STARTS_S) != "ready":
            self.close()
            raise RigError(PART, f"it did not start: {(self._folder / 'mouth.log').read_text()[-400:]}")

    def say(self, pcm: Pcm, over_echo_db: float) -> None:
        """The customer says this at once, int16 at 48 kHz, so much louder than the kiosk. Raises RigError."""
        process = self._running()
        self._phrases += 1
        path = self._folder / f"phrase-{self._phrases % 8}.npy"
        np.save(path, pcm)
        print(json.dumps({"say": str(path), "over_echo_db": over_echo_db}), file=_pipe(process.stdin), flush=True)

    def near(self) -> Sound:
        """The customer's sound since open(), as it reached the microphone. Raises RigError."""
        self._running()
        return self._near.sound()

    def close(self) -> None:
        """Pull the microphone out; may be called twice."""
        process, self._process = self._process, None
        self._near.close()
        if process is None:
            return
        _pipe(process.stdin).close()
        try:
            process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        lines = [line for line in _pipe(process.stdout) if line.startswith("{")]
        if lines:
            told = json.loads(lines[-1])
            self.late_ms = told["late_frames"] / 48 + 10.0 * told["missed_blocks"]

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            raise RigError(PART, "the microphone is not plugged in")
        return self._process

    def _line(self, within_s: float) -> str:
        """Its next line; "" if it ends without one."""
        process, until_s = self._running(), time.monotonic() + within_s
        out = _pipe(process.stdout)
        while time.monotonic() < until_s:
            if select.select([out], [], [], 0.1)[0]:
                return out.readline().strip()
        return ""


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
