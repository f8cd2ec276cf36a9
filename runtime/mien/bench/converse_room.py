"""A room with a kiosk: its ear hears the customer, the echo of the kiosk's own voice, noise."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import zmq

from mien.bench.ear_rooms import Room, loudspeaker
from mien.bench.ear_scene import as_pcm
from mien.bench.ear_voices import RATE_HZ, Signal
from mien.capture.base import Pcm
from mien.capture.null import NullCapture
from mien.config import Config
from mien.core import ear_bus
from mien.core.clock import Clock
from mien.core.ear_bus import FarEnd
from mien.ear.service import EarService
from mien.host.clock import MonotonicClock
from mien.transport import FAR_END_SOCKET
from mien.units import NS_PER_S

CUSTOMER_PEAK: Final = 0.25
ECHO_GAIN: Final = 0.25
DRIVE: Final = 0.75
"""Of the small speaker, which distorts."""

NOISE_RMS: Final = 0.0012
RING_S: Final = 64
POLL_MS: Final = 20

LATE_NS: Final = NS_PER_S // 5
"""How long the microphone holds sound back until the kiosk's own has come; its buffer holds half a second."""

FOLLOWED_NS: Final = NS_PER_S // 2
"""A speaker of which nothing came for so long is not waited for."""

MOVED_FRAMES: Final = RATE_HZ // 200
"""A block that belongs 5 ms elsewhere: the device's stream has moved."""


class RoomMicrophone(NullCapture):
    """Frame n is what reached the microphone n / RATE_HZ after opening: customers' sounds and the echo, mixed."""

    def __init__(self, clock: Clock, scene: RoomScene) -> None:
        super().__init__(clock, RATE_HZ, 1, 500.0)
        self._scene = scene

    def _sound(self, first: int, count: int) -> Pcm:
        begin_ns = self._opened_ns + first * NS_PER_S // RATE_HZ
        mixed = self._scene.between(begin_ns, count)
        return as_pcm(mixed)[:, None]


class RoomScene:
    """What sounds in the room, on CLOCK_MONOTONIC, mixed ahead in a ring of RING_S. Thread-safe."""

    def __init__(self, room: Room, seed: int = 1) -> None:
        self._mouth = room.mouth[: RATE_HZ // 4]
        self._speaker = loudspeaker(room.echo[: RATE_HZ // 4], 0.0)
        self._lock = threading.Lock()
        self._random = np.random.default_rng(seed)
        self._origin_ns = time.monotonic_ns()
        self._ring = np.zeros(RING_S * RATE_HZ)
        self._read = 0
        self._stream, self._anchor = 0, 0
        self._played, self._told_ns = 0, 0
        self._late_frames = 0

    @property
    def late_echo_ms(self) -> float:
        """How much of the kiosk's own sound came after the microphone had passed it: an echo that no room has."""
        return self._late_frames * 1000 / RATE_HZ

    def say(self, dry: Signal, begin_ns: int) -> int:
        """The customer says something from begin_ns on. Returns when its last sound reaches the microphone."""
        wet = np.convolve(dry, self._mouth)
        self._add(wet * (CUSTOMER_PEAK / max(float(np.abs(wet).max()), 1e-9)), self._frame(begin_ns))
        return begin_ns + len(dry) * NS_PER_S // RATE_HZ

    def play(self, message: FarEnd, block: Signal | None) -> None:
        """The kiosk's speaker plays a block; None is silence.

        Blocks of one stream follow each other without a gap, as a sound card plays them: only the first says when, and
        one that is far from there.
        """
        at = self._frame(message.at_ns)
        if message.stream != self._stream or abs(at - self._anchor - message.offset) > MOVED_FRAMES:
            self._stream, self._anchor = message.stream, at - message.offset
        first = self._anchor + message.offset
        if block is not None:
            driven = np.tanh(DRIVE * block) / DRIVE
            late = self._add(np.convolve(driven, self._speaker) * ECHO_GAIN, first)
            self._late_frames += min(late, len(block))
        with self._lock:
            self._played, self._told_ns = first + message.frames, time.monotonic_ns()

    def between(self, begin_ns: int, count: int) -> Signal:
        """The mix from begin_ns on, which may be read once, in order. Fewer frames while the kiosk's sound lacks."""
        with self._lock:
            first = self._frame(begin_ns)
            count = min(count, max(0, self._complete() - first))
            mixed = self._random.standard_normal(count) * NOISE_RMS
            at = np.arange(first, first + count) % len(self._ring)
            mixed += self._ring[at]
            self._ring[np.arange(min(self._read, first), first + count) % len(self._ring)] = 0.0
            self._read = first + count
        return np.asarray(mixed, np.float64)

    def _complete(self) -> int:
        """Up to which frame nothing more will sound: that of the speaker, or an older one if it keeps us waiting."""
        now_ns = time.monotonic_ns()
        if now_ns - self._told_ns > FOLLOWED_NS:
            return sys.maxsize
        return max(self._played, self._frame(now_ns - LATE_NS))

    def _add(self, sound: Signal, first: int) -> int:
        """Mix it in. Returns how many of its frames the microphone has already passed: they are lost."""
        with self._lock:
            late = max(0, self._read - first)
            sound = sound[late : late + len(self._ring) // 2]
            self._ring[np.arange(first + late, first + late + len(sound)) % len(self._ring)] += sound
        return late

    def _frame(self, at_ns: int) -> int:
        return round((at_ns - self._origin_ns) * RATE_HZ / NS_PER_S)


class FarEndTap:
    """Hears on the bus what the voice plays, and lets it sound in the room, between __enter__ and __exit__."""

    def __init__(self, run_dir: Path, play: Callable[[FarEnd, Signal | None], None]) -> None:
        self._run_dir = run_dir
        self._play = play
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="far end", daemon=True)

    def __enter__(self) -> FarEndTap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _listen(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = context.socket(zmq.SUB)
        socket.set(zmq.LINGER, 0)
        socket.connect(f"ipc://{self._run_dir / FAR_END_SOCKET}")
        socket.subscribe(b"")
        while not self._stopping.is_set():
            if socket.poll(POLL_MS):
                frames = socket.recv_multipart()
                message = ear_bus.decode_from_voice(frames[0])
                if isinstance(message, FarEnd):
                    self._play(message, _samples(message, frames))
        context.destroy(linger=0)


def _samples(message: FarEnd, frames: list[bytes]) -> Signal | None:
    if message.silent or len(frames) < 2:
        return None
    return np.frombuffer(frames[1], "<i2").astype(np.float64) / 32768


@contextmanager
def room_ear(run_dir: Path, scene: RoomScene) -> Iterator[None]:
    """An ear in this process, whose microphone stands in the scene, while the block runs."""
    clock = MonotonicClock()
    service = EarService(Config(), run_dir, clock, opener=lambda _config, clock: RoomMicrophone(clock, scene))
    thread = threading.Thread(target=service.run, name="ear", daemon=True)
    with FarEndTap(run_dir, scene.play):
        thread.start()
        try:
            yield
        finally:
            service.stop()
            thread.join()
