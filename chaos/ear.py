"""Feeds the running voice's recording to the audio oracle."""

import threading
import time
from pathlib import Path
from typing import Final

import numpy as np

from chaos.heard import Heard, Wrong
from mien.audio.wavfile import HEADER
from mien.bench.coded import Pcm
from mien.core import wire

FRAME_BYTES: Final = 2
MARGIN_FRAMES: Final = 8000  # the end of the file may be truncated on close: read it once the file no longer changes
REST_S: Final = 1.5
SETTLES_S: Final = 12.0  # from `finished` until the recording is complete
LEFT_S: Final = 90.0  # for turns whose client is gone but which are still played
TOLERANCE_MS: Final = 20.0
MOST_BYTES: Final = 4 << 20  # per read


class Ear:
    """Thread-safe. Call step() a few times a second."""

    def __init__(self, fade: int, wrong: Wrong) -> None:
        self.heard = Heard(fade, wrong)
        self._wrong = wrong
        self._lock = threading.RLock()
        self._path: Path | None = None
        self._size = 0
        self._grew_s = 0.0
        self._opened = ""
        self._numbers: dict[int, str] = {}
        self._closing: dict[int, tuple[float, wire.Finished | None]] = {}
        self.compared = 0

    def begin(self, number: int, name: str) -> None:
        """Announce a turn."""
        with self._lock:
            self._numbers[number] = name
            self.heard.begin(number, name)

    def sent(self, number: int, total: int) -> None:
        """Record how many samples of a turn were sent."""
        with self._lock:
            self.heard.sent(number, total)

    def claim(self, number: int, played_ms: float, received_ns: int) -> None:
        """Record the voice's claim of how much was heard."""
        with self._lock:
            self.heard.claim(number, played_ms, received_ns)

    def over(self, number: int, finished: wire.Finished | None) -> None:
        """End a turn. finished: None if its client is gone; the voice may still play it."""
        with self._lock:
            self._closing[number] = (time.monotonic() + (LEFT_S if finished is None else SETTLES_S), finished)

    def follow(self, path: Path) -> None:
        """Switch to the recording of a new voice process."""
        with self._lock:
            self._path, self._size, self._opened = path, 0, ""
            self._grew_s = time.monotonic()
            self.heard.restart(0)

    def ended(self, *, whole: bool) -> None:
        """End the recording. whole: the voice exited cleanly and has written everything."""
        with self._lock:
            if whole:
                self._read(final=True)
                self._settle(time.monotonic())
            self._forget()
            self._path = None

    def step(self) -> None:
        """Read new samples; compare the turns that are due."""
        with self._lock:
            self._read(final=False)
            self._settle(time.monotonic())

    def _read(self, *, final: bool) -> None:
        if self._path is None or not self._open():
            return
        try:
            with self._path.open("rb") as file:
                file.seek(0, 2)
                size = file.tell()
                if size < HEADER.size + self.heard.read * FRAME_BYTES:
                    self._restart(self._opened)
                    return
                frames = self._frames(size, final=final)
                file.seek(HEADER.size + self.heard.read * FRAME_BYTES)
                data = file.read(min(MOST_BYTES, frames * FRAME_BYTES)) if frames > 0 else b""
        except OSError:
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        block: Pcm = np.frombuffer(data[: len(data) // FRAME_BYTES * FRAME_BYTES], "<i2").astype(np.int16)
        if len(block):
            self.heard.take(block)

    def _open(self) -> bool:
        """Whether the file exists; a restarted file is read from its start."""
        assert self._path is not None
        beside = self._path.with_name(f"{self._path.name}.opened_ns")
        try:
            text = beside.read_text(encoding="ascii").strip()
        except OSError:
            return False
        if text and text != self._opened:
            self._restart(text)
        return bool(self._opened)

    def _restart(self, opened: str) -> None:
        if self._opened:
            self._forget()
        self._opened = opened
        self._size = 0
        self.heard.restart(int(opened))

    def _frames(self, size: int, *, final: bool) -> int:
        """How many frames may be read now."""
        now_s = time.monotonic()
        if size != self._size:
            self._size, self._grew_s = size, now_s
        whole = (size - HEADER.size) // FRAME_BYTES - self.heard.read
        return whole if final or now_s - self._grew_s > REST_S else whole - MARGIN_FRAMES

    def _forget(self) -> None:
        """Give up on the turns in progress: their sound is lost with the voice or the disk."""
        self.heard.forget()
        for number, name in self._numbers.items():
            self.heard.begin(number, name)
            self.heard.sent(number, 1 << 40)
        self._closing = {number: (until_s, None) for number, (until_s, _) in self._closing.items()}

    def _settle(self, now_s: float) -> None:
        for number, (until_s, finished) in list(self._closing.items()):
            heard_ms = self.heard.heard_ms(number)
            equal = (
                finished is not None and heard_ms is not None and (abs(heard_ms - finished.played_ms) <= TOLERANCE_MS)
            )
            if not equal and now_s < until_s:
                continue
            if equal and now_s < until_s - SETTLES_S + 2 * REST_S:
                continue
            if finished is not None and not equal:
                self._wrong(
                    "played_ms",
                    "recording",
                    f"{finished.turn}: finished ({finished.reason}) with played_ms "
                    f"{finished.played_ms}, but {heard_ms} ms of it are in the recording",
                )
            self.compared += finished is not None
            del self._closing[number]
            self._numbers.pop(number, None)
            self.heard.close(number)
