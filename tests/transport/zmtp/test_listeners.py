"""Endpoints as listening sockets."""

import errno
import gc
import os
import socket
import stat
from pathlib import Path

import pytest

from mien.core.clock import ManualClock
from mien.errors import BusError
from mien.transport.zmtp import listeners as listeners_module
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
    assert listener.socket.fileno() == -1


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


def test_a_service_that_is_too_busy_to_accept_is_not_taken_for_dead(tmp_path):
    """The kernel holds a bounded number of connections for it; the next client is refused, and not its successor."""
    busy, waiting = Listener(f"ipc://{tmp_path}/x.sock", "here"), []
    refused = 0
    while not refused and len(waiting) < 200:
        waiting.append(socket.socket(socket.AF_UNIX))
        waiting[-1].setblocking(False)
        refused = waiting[-1].connect_ex(str(tmp_path / "x.sock"))
    assert refused == errno.EAGAIN
    assert 64 <= len(waiting) - 1 <= 65
    with pytest.raises(BusError, match="belongs to a running service"):
        Listener(f"ipc://{tmp_path}/x.sock", "here")
    for client in waiting:
        client.close()
    busy.close()


def test_one_address_of_the_sixth_version_is_not_one_of_the_fourth():
    listener = Listener("tcp://[::1]:*", "voice.listen")
    assert listener.socket.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
    listener.close()


def test_a_port_is_free_again_at_once():
    listener = Listener("tcp://127.0.0.1:*", "voice.listen")
    assert listener.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1
    listener.close()


def test_a_connection_that_is_gone_before_it_is_served_is_closed(tmp_path, monkeypatch):
    def fails(connection):
        seen.append(connection)
        raise OSError(errno.EINVAL, "gone")

    seen = []
    monkeypatch.setattr(listeners_module, "_tune", fails)
    listener = Listener(f"ipc://{tmp_path}/x.sock", "here")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "x.sock"))
        assert listener.accept() is None
    assert seen[0].fileno() == -1
    listener.close()


@pytest.mark.filterwarnings("always::ResourceWarning")
@pytest.mark.parametrize("endpoint", ["tcp://192.0.2.1:5570", "tcp://127.0.0.1:65536", "ipc://{long}"])
def test_what_cannot_be_bound_is_closed(endpoint, tmp_path, recwarn):
    with pytest.raises(BusError, match="cannot be opened"):
        Listener(endpoint.format(long=tmp_path / ("x" * 120)), "voice.listen")
    gc.collect()
    assert [str(warning.message) for warning in recwarn if warning.category is ResourceWarning] == []


class Accepting:
    """Listeners on one local socket. after: what accepted() does."""

    def __init__(self, folder):
        self.path = folder / "x.sock"
        self.clock, self.reactor, self.accepted, self.failures = ManualClock(10**12), Reactor(), [], []
        self.listeners = Listeners(
            self.reactor, self.clock, lambda connection, _: self.accepted.append(connection), self.failures.append
        )
        self.endpoint = self.listeners.open(f"ipc://{self.path}", "here", guarded=False)

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self.path))
        return client

    def step(self):
        return self.listeners.step(self.clock.now_ns())

    def close(self):
        self.listeners.close()
        self.reactor.close()
        for connection in self.accepted:
            connection.close()


@pytest.fixture
def accepting(tmp_path):
    accepting = Accepting(tmp_path)
    yield accepting
    accepting.close()


def test_without_descriptors_accepting_pauses_for_a_tenth_of_a_second(accepting, monkeypatch):
    accepting.step()
    full = OSError(errno.EMFILE, "Too many open files")
    with monkeypatch.context() as patch, accepting.connect():
        patch.setattr(Listener, "accept", lambda _: (_ for _ in ()).throw(full))
        assert accepting.reactor.wait(0)
        assert accepting.failures == [full]
        assert not accepting.reactor.wait(0)
        patch.undo()
        accepting.clock.advance_ms(99.999)
        accepting.step()
        assert not accepting.reactor.wait(0)
        accepting.clock.advance_ms(0.001)
        accepting.step()
        assert accepting.reactor.wait(0)
        assert len(accepting.accepted) == 1
    assert accepting.failures == [full]


def test_a_deleted_socket_is_bound_again_within_a_second_and_the_old_one_closed(accepting):
    assert accepting.step() == 0
    old = accepting.listeners._listeners[0].socket
    accepting.path.unlink()
    accepting.clock.advance_ms(999.999)
    assert accepting.step() == 0
    accepting.clock.advance_ms(0.001)
    assert accepting.step() == 1
    assert old.fileno() == -1
    with accepting.connect():
        assert accepting.reactor.wait(0)
        assert len(accepting.accepted) == 1
    accepting.clock.advance_ms(1000)
    assert accepting.step() == 0


def test_what_is_closed_is_watched_no_more_and_its_file_is_gone(accepting):
    accepting.listeners.close()
    assert not accepting.path.exists()
    assert accepting.step() == 0
    assert not accepting.reactor.wait(0)


def test_a_name_with_addresses_of_both_versions_stands_for_the_fourth(monkeypatch):
    sixth = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0))
    fourth = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [sixth, fourth])
    listener = Listener("tcp://both.example:*", "voice.listen")
    assert listener.endpoint.startswith("tcp://127.0.0.1:")
    listener.close()


@pytest.mark.parametrize(("both", "bound"), [(True, "tcp://[::]:"), (False, "tcp://0.0.0.0:")])
def test_every_address_is_that_of_the_versions_that_the_system_has(monkeypatch, both, bound):
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: both)
    listener = Listener("tcp://*:*", "voice.listen")
    assert listener.endpoint.startswith(bound)
    listener.close()
