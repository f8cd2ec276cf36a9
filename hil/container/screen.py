"""The container board's screen: an X server's frame buffer, captured from outside the board."""

import mmap
import os
import struct
import subprocess
import time
from pathlib import Path
from typing import Final

import numpy as np

from hil.captured import NS_PER_S, Frame
from hil.errors import RigError

PART: Final = "screen"
HEADER_WORDS: Final = 25  # of an X window dump (XWDFile.h), 32 bits each, big-endian
COLOR_BYTES: Final = 12


class XvfbScreen:
    """The server runs while the screen is plugged in. folder: for the frame buffer."""

    def __init__(self, folder: Path, *, display: int, size: tuple[int, int]) -> None:
        self._folder = folder
        self._display = display
        self._size = size
        self._server: subprocess.Popen[bytes] | None = None
        self._memory: mmap.mmap | None = None

    def plug(self) -> None:
        """Connect the screen; no effect if it is connected. Raises RigError."""
        if self._server is not None and self._server.poll() is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        width, height = self._size
        socket = Path(f"/tmp/.X11-unix/X{self._display}")
        command = [
            "Xvfb",
            f":{self._display}",
            "-screen",
            "0",
            f"{width}x{height}x24",
            "-fbdir",
            str(self._folder),
            "-extension",
            "MIT-SHM",
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        try:
            self._server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise RigError(PART, "Xvfb is not installed: apt-get install xvfb") from None
        for _ in range(200):
            if socket.exists() and self._buffer.exists() and self._buffer.stat().st_size > width * height:
                self._map()
                return
            time.sleep(0.02)
        raise RigError(PART, f"Xvfb :{self._display} did not start; is another one running there?")

    def unplug(self) -> None:
        """Disconnect the screen."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None
            for left in (Path(f"/tmp/.X11-unix/X{self._display}"), Path(f"/tmp/.X{self._display}-lock"), self._buffer):
                left.unlink(missing_ok=True)

    def frame(self) -> Frame:
        """Capture one frame now."""
        if self._memory is None or self._server is None or self._server.poll() is not None:
            raise RigError(PART, "the screen is not plugged in")
        raw = np.frombuffer(self._memory, dtype=np.uint8)
        words = struct.unpack(f">{HEADER_WORDS}I", raw[: 4 * HEADER_WORDS].tobytes())
        start, width, height, row_bytes = words[0] + COLOR_BYTES * words[19], words[4], words[5], words[12]
        rows = raw[start : start + row_bytes * height].reshape(height, row_bytes)
        time_ns = time.monotonic_ns()
        return Frame(time_ns, np.ascontiguousarray(rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1]))

    def record(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """Capture for `seconds`."""
        frames, begin_ns = [], time.monotonic_ns()
        for number in range(max(1, round(seconds * at_most_hz))):
            due_ns = begin_ns + round(number * NS_PER_S / at_most_hz)
            if (wait_ns := due_ns - time.monotonic_ns()) > 0:
                time.sleep(wait_ns / NS_PER_S)
            elif wait_ns < -NS_PER_S / at_most_hz:
                continue
            frames.append(self.frame())
        return frames

    def close(self) -> None:
        """Stop the server."""
        self.unplug()

    @property
    def _buffer(self) -> Path:
        return self._folder / "Xvfb_screen0"

    def _map(self) -> None:
        descriptor = os.open(self._buffer, os.O_RDONLY)
        self._memory = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        os.close(descriptor)
