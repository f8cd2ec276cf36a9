"""mien-voice as systemd runs it: the real systemd module, a real notification socket, and clients with nasty names."""

import contextlib
import socket
import time

import pytest
import systemd.daemon  # without it the voice would tell nobody anything, and these tests nothing

from mien.core import wire
from mien.host.stack import Stack
from rigs.services import RawClient
from rigs.voice_rig import tone

PATIENCE_S = 60
NASTY = ("a\0b", "a\nWATCHDOG=trigger", "\x1b[2J", "\u202etxet", "x" * 64, "ü" * 64)
A_STATUS = 8  # meals of the watchdog: two seconds of the voice's loop, which makes a status each
assert systemd.daemon.notify


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """The end of the socket at which systemd would sit; the watchdog is to be fed twice in half a second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0.1)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "500000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield listening


def heard_until(manager, told, enough):
    """Read into `told` what the service tells until it is enough."""
    until_s = time.monotonic() + PATIENCE_S
    while not enough(told):
        assert time.monotonic() < until_s, told
        with contextlib.suppress(TimeoutError):
            told.append(manager.recv(1 << 16).decode())
    return told


def test_no_name_that_a_client_chooses_ends_the_voice(manager, tmp_path):
    stack = Stack(tmp_path, settings={"playback.sink": "null", "voice.listen": "[]"})
    told = []
    try:
        stack.start_voice()
        heard_until(manager, told, lambda told: "READY=1" in told)
        for number, name in enumerate(NASTY):
            with RawClient(f"ipc://{tmp_path}/voice.sock") as client:
                client.send(wire.Hello(protocol=1, client=name))
                client.send(wire.Hello(protocol=1, client="well behaved"))
                client.receive(wire.Welcome)
                client.send(wire.Audio(turn=name, seq=0), tone(20).tobytes())
                client.send(wire.End(turn=name))
                fed = told.count("WATCHDOG=1") + A_STATUS  # a status that may name the turn is made meanwhile
                heard_until(manager, told, lambda told, fed=fed: told.count("WATCHDOG=1") >= fed)
                client.send(wire.Audio(turn=f"polite {number}", seq=0), tone(20).tobytes())
                client.send(wire.End(turn=f"polite {number}"))
                heard_until(manager, told, lambda told, number=number: told[-1].endswith(f"last turn polite {number}"))
        assert stack.voice.poll() is None
    finally:
        stack.stop()
    heard_until(manager, told, lambda told: "STOPPING=1" in told)
    assert stack.voice.returncode == 0
    assert {line.split("=")[0] for line in told} <= {"READY", "STATUS", "WATCHDOG", "STOPPING"}
    assert all(line.isprintable() for line in told)
    assert "WATCHDOG=trigger" not in told
