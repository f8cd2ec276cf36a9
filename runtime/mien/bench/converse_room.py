"""A room with a kiosk: its ear hears the customer, the echo of the kiosk's own voice, noise."""

from __future__ import annotations

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

    def say(self, dry: Signal, begin_ns: int) -> int:
        """The customer says something from begin_ns on. Returns when its last sound reaches the microphone."""
        wet = np.convolve(dry, self._mouth)
        self._add(wet * (CUSTOMER_PEAK / max(float(np.abs(wet).max()), 1e-9)), begin_ns)
        return begin_ns + len(dry) * NS_PER_S // RATE_HZ

    def play(self, block: Signal, at_ns: int) -> None:
        """The kiosk's speaker plays a block, heard at at_ns."""
        driven = np.tanh(DRIVE * block) / DRIVE
        self._add(np.convolve(driven, self._speaker) * ECHO_GAIN, at_ns)

    def between(self, begin_ns: int, count: int) -> Signal:
        """The mix from begin_ns on, which may be read once, in order."""
        mixed = self._random.standard_normal(count) * NOISE_RMS
        with self._lock:
            first = self._frame(begin_ns)
            at = np.arange(first, first + count) % len(self._ring)
            mixed += self._ring[at]
            self._ring[np.arange(min(self._read, first), first + count) % len(self._ring)] = 0.0
            self._read = first + count
        return np.asarray(mixed, np.float64)

    def _add(self, sound: Signal, at_ns: int) -> None:
        """Mix it in; what the microphone has already passed is lost, as in a room."""
        with self._lock:
            first = self._frame(at_ns)
            late = max(0, self._read - first)
            sound = sound[late : late + len(self._ring) // 2]
            self._ring[np.arange(first + late, first + late + len(sound)) % len(self._ring)] += sound

    def _frame(self, at_ns: int) -> int:
        return round((at_ns - self._origin_ns) * RATE_HZ / NS_PER_S)


class FarEndTap:
    """Hears on the bus what the voice plays, and lets it sound in the room, between __enter__ and __exit__."""

    def __init__(self, run_dir: Path, play: Callable[[Signal, int], None]) -> None:
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
                if isinstance(message, ear_bus.FarEnd) and not message.silent and len(frames) > 1:
                    self._play(np.frombuffer(frames[1], "<i2").astype(np.float64) / 32768, message.at_ns)
        context.destroy(linger=0)


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
