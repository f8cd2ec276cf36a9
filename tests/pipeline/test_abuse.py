"""mien-voice as a process, beside peers that try to exhaust it: what each costs is bounded, and a speaker is heard."""

import contextlib
import socket
import time
from pathlib import Path

import pytest
import zmq

from mien.core import wire
from mien.host.stack import Stack
from mien.transport.zmtp.framing import MORE, encode_command, encode_frame, encode_metadata, greeting
from rigs.services import RawClient
from rigs.voice_rig import tone

PATIENCE_S = 60
READY = encode_command(b"READY", encode_metadata({b"Socket-Type": b"DEALER"}))


class Voice:
    """A running mien-voice. base_mb: its memory before anybody came."""

    def __init__(self, run_dir, process):
        self.run_dir, self.process = run_dir, process
        self.local = f"ipc://{run_dir}/voice.sock"
        self.path = str(run_dir / "voice.sock")
        self.is_heard("first")
        self.base_mb = self.rss_mb

    @property
    def rss_mb(self):
        status = Path("/proc", str(self.process.pid), "status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    @property
    def descriptors(self):
        return len(list(Path("/proc", str(self.process.pid), "fd").iterdir()))

    def is_heard(self, turn="t"):
        """A speaker is still served."""
        with RawClient(self.local) as client:
            client.send(wire.Hello(protocol=1))
            client.receive(wire.Welcome)
            client.send(wire.Audio(turn=turn, seq=0), tone(100).tobytes())
            client.send(wire.End(turn=turn))
            assert client.receive(wire.Finished).played_ms == 100.0
        assert self.process.poll() is None

    def bare(self, data=b""):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        connection.connect(self.path)
        connection.sendall(data)
        return connection


@pytest.fixture
def voice(tmp_path):
    with running(tmp_path) as found:
        yield found


@contextlib.contextmanager
def running(run_dir, **settings):
    fixed = {"playback.sink": "null", "playback.rate_hz": "16000", "voice.listen": "[]"}
    stack = Stack(run_dir, settings={**fixed, **settings})
    stack.start_voice()
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (run_dir / "voice.sock").exists():
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        yield Voice(run_dir, stack.voice)
    finally:
        stack.stop()


def test_a_thousand_bare_connections(voice):
    """They exhausted its descriptors, and reading its own memory then ended it."""
    before = voice.descriptors
    held = []
    for _ in range(1200):
        with contextlib.suppress(OSError):
            held.append(voice.bare())
    voice.is_heard()
    assert voice.descriptors < before + 40
    time.sleep(1.1)  # so that it has read its memory
    voice.is_heard("second")
    for connection in held:
        connection.close()
    deadline_s = time.monotonic() + PATIENCE_S
    while voice.descriptors > before:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_a_message_without_an_end(voice):
    """300 MB of it grew the voice by 301 MB."""
    part = encode_frame(MORE, bytes(10_000)) * 10
    for _ in range(3):
        connection = voice.bare(greeting(b"NULL") + READY)
        with contextlib.suppress(OSError):
            for _ in range(300):
                connection.sendall(part)
    small = voice.bare(greeting(b"NULL") + READY)
    with contextlib.suppress(OSError):
        for _ in range(300):
            small.sendall(encode_frame(MORE, b"") * 10_000)
    voice.is_heard()
    assert voice.rss_mb < voice.base_mb + 8


def stalled_observer(endpoint, context):
    observer = context.socket(zmq.DEALER)
    observer.linger, observer.rcvhwm = 0, 1
    observer.connect(endpoint)
    observer.send(wire.encode(wire.Hello(protocol=1, role="observer")))
    observer.send(wire.encode(wire.Subscribe()))
    return observer


def test_observers_that_do_not_read_and_a_flood_of_captions(voice):
    """Seven of them grew the voice from 32 to 247 MB."""
    with zmq.Context() as context, RawClient(voice.local) as speaker:
        observers = [stalled_observer(voice.local, context) for _ in range(6)]
        speaker.send(wire.Hello(protocol=1))
        speaker.receive(wire.Welcome)
        for number in range(4000):
            speaker.send(wire.Caption(turn=f"t{number % 8}", text="x" * 3900))
            if number % 100 == 99:
                speaker.send(wire.Ping(nonce=number))
                speaker.receive(wire.Pong)
        assert voice.rss_mb < voice.base_mb + 16
        voice.is_heard()
        for observer in observers:
            observer.close()


def test_garbage_on_every_socket(voice):
    for name in ("voice.sock", "bus.sock", "report.sock"):
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\xff" * 1000,
            greeting(b"NULL") + b"\xff" * 100,
            greeting(b"NULL") + encode_frame(0, b"x"),
            greeting(b"CURVE"),
            bytes(1),
        ):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(voice.run_dir / name))
            with contextlib.suppress(OSError):
                connection.sendall(data)
            connection.close()
    voice.is_heard()


def test_sockets_that_are_deleted_come_back(voice):
    for name in ("voice.sock", "bus.sock", "report.sock"):
        (voice.run_dir / name).unlink()
    deadline_s = time.monotonic() + PATIENCE_S
    while not all((voice.run_dir / name).exists() for name in ("voice.sock", "bus.sock", "report.sock")):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    voice.is_heard()
