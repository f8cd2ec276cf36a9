"""Endpoints as listening sockets."""

import os
import socket
import stat
from pathlib import Path

import pytest

from mien.core.clock import ManualClock
from mien.errors import BusError
from mien.transport.zmtp.listeners import Listener, Listeners
from mien.transport.zmtp.reactor import Reactor


def test_a_local_socket_is_for_its_group_from_the_first_moment(tmp_path, monkeypatch):
    seen = []
    real = socket.socket.bind

    class Watching(socket.socket):
        def bind(self, address):
            real(self, address)
            seen.append(stat.S_IMODE(Path(address).stat().st_mode))

    monkeypatch.setattr(socket, "socket", Watching)
    before = os.umask(0o022)
    try:
        listener = Listener(f"ipc://{tmp_path}/x.sock", "here")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert seen == [0o660]
    listener.close()
    assert not (tmp_path / "x.sock").exists()


def test_a_socket_file_that_nobody_serves_is_replaced(tmp_path):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "x.sock"))
    stale.close()
    Listener(f"ipc://{tmp_path}/x.sock", "here").close()


def test_a_socket_that_is_served_is_not_taken(tmp_path):
    first = Listener(f"ipc://{tmp_path}/x.sock", "here")
    with pytest.raises(BusError, match=r"here: .*x\.sock belongs to a running service"):
        Listener(f"ipc://{tmp_path}/x.sock", "here")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "x.sock"))
    first.close()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(BusError, match=r"here: ipc://.*/none/x\.sock cannot be opened: No such file"):
        Listener(f"ipc://{tmp_path}/none/x.sock", "here")


def test_a_port_that_is_taken():
    first = Listener("tcp://127.0.0.1:*", "voice.listen")
    with pytest.raises(BusError, match=r"voice\.listen: tcp://127\.0\.0\.1:\d+ cannot be opened: Address already"):
        Listener(first.endpoint, "voice.listen")
    first.close()


@pytest.mark.parametrize(
    ("endpoint", "bound"),
    [
        ("tcp://127.0.0.1:*", "tcp://127.0.0.1:"),
        ("tcp://localhost:*", "tcp://127.0.0.1:"),
        ("tcp://lo:*", "tcp://127.0.0.1:"),
        ("tcp://[::1]:*", "tcp://[::1]:"),
        ("tcp://*:*", "tcp://[::]:"),
        ("tcp://0.0.0.0:0", "tcp://0.0.0.0:"),
    ],
)
def test_addresses(endpoint, bound):
    listener = Listener(endpoint, "voice.listen")
    host, _, port = listener.endpoint.rpartition(":")
    assert (f"{host}:", int(port) > 0) == (bound, True)
    listener.close()


def test_all_addresses_are_reached_by_both_protocols():
    listener = Listener("tcp://*:*", "voice.listen")
    port = int(listener.endpoint.rpartition(":")[2])
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, port)).close()
        assert listener.accept() is not None
    listener.close()


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:65536", "tcp://192.0.2.1:5570", "tcp://no-such-host.invalid:5570"]
)
def test_addresses_that_cannot_be_bound(endpoint):
    with pytest.raises(BusError, match=r"voice\.listen: .*cannot be opened"):
        Listener(endpoint, "voice.listen")


def test_connections_are_ready_for_use():
    listener = Listener("tcp://127.0.0.1:*", "voice.listen")
    assert listener.accept() is None
    port = int(listener.endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        accepted = listener.accept()
    options = [
        accepted.getsockopt(level, option)
        for level, option in (
            (socket.IPPROTO_TCP, socket.TCP_NODELAY),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
            (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
        )
    ]
    assert options == [1, 1, 2, 1, 3, 5000]
    assert not accepted.getblocking()
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        assert accepted.getsockopt(socket.SOL_SOCKET, option) == 2 * 64 * 1024  # the kernel doubles it (socket(7))
    accepted.close()
    listener.close()


def test_a_storm_is_accepted_eight_at_a_time_and_to_the_last(tmp_path):
    """Other sockets, and the sound card, are served between."""
    reactor, accepted, counts = Reactor(), [], []
    listeners = Listeners(reactor, ManualClock(), lambda connection, _: accepted.append(connection), pytest.fail)
    listeners.open(f"ipc://{tmp_path}/x.sock", "here", guarded=False)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for client in clients:
        client.connect(str(tmp_path / "x.sock"))
    for _ in range(4):
        reactor.wait(0)
        counts.append(len(accepted))
    assert counts == [8, 16, 20, 20]
    for connection in (*clients, *accepted):
        connection.close()
    listeners.close()
    reactor.close()
