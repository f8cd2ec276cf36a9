"""The server over real sockets, with libzmq's clients and with bare ones that violate the protocol."""

import errno
import os
import socket

import pytest
import zmq

from mien.transport.zmtp.framing import MORE, encode_command, encode_frame, encode_metadata, greeting
from mien.transport.zmtp.listeners import ACCEPTS_A_WAIT
from mien.transport.zmtp.peer import PENDING_BYTES
from mien.transport.zmtp.server import LEAVING, PENDING_EACH
from rigs.zmtp_rig import READY, served


@pytest.fixture
def rig(tmp_path):
    with served(tmp_path) as rig:
        yield rig


@pytest.fixture
def dealer(rig):
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.linger = 0
        client.connect(rig.endpoint)
        yield client


def count_of(rig, name):
    return rig.counters[f"test_{name}"]


def test_messages_both_ways(rig, dealer):
    dealer.send(b"hello")
    identity, message, user = rig.receive()
    assert (message, user) == ([b"hello"], "")
    rig.know(identity)
    dealer.send_multipart([b"head", b"x" * 190_000])
    assert rig.receive() == (identity, [b"head", b"x" * 190_000], "")
    assert rig.server.send(identity, [b"answer"]) == 0
    assert rig.hear(dealer) == [b"answer"]
    assert list(rig.server.peers()) == [(identity, "")]


def test_what_an_unidentified_peer_sends_behind_its_first_message_waits_until_it_is_known(rig, dealer):
    """Like a client that sends audio right behind its hello."""
    dealer.send(b"hello")
    for number in range(200):
        dealer.send_multipart([b"%d" % number, bytes(150_000)])
    identity, message, _ = rig.receive()
    assert message == [b"hello"]
    rig.known.add(identity)
    assert [rig.receive()[1][0] for _ in range(200)] == [b"%d" % number for number in range(200)]


def test_an_unidentified_peer_may_send_no_more_than_a_hello(rig, dealer):
    dealer.send(bytes(PENDING_BYTES))
    identity, message, _ = rig.receive()
    assert len(message[0]) == PENDING_BYTES
    dealer.send(bytes(PENDING_BYTES + 1))
    rig.until(lambda: rig.server.receive() or count_of(rig, "refused_frame_too_large"))
    assert list(rig.server.gone) == [identity]


def test_a_routing_id_that_a_client_chooses_means_nothing(rig):
    with zmq.Context() as context:
        for _ in range(2):
            with context.socket(zmq.DEALER) as client:
                client.linger = 0
                client.setsockopt(zmq.ROUTING_ID, b"ada")
                client.connect(rig.endpoint)
                client.send(b"hello")
                rig.known.add(rig.receive()[0])
    assert len(rig.known) == 2
    assert b"ada" not in rig.known


def test_what_was_sent_before_the_end_is_heard_before_the_end(rig):
    connection, identity = rig.shaken()
    connection.sendall(encode_frame(0, b"last") * 200)
    connection.close()
    for _ in range(200):
        assert not rig.server.gone
        assert rig.receive() == (identity, [b"last"], "")
    rig.until(lambda: rig.server.gone)
    assert (list(rig.server.gone), len(rig.server)) == ([identity], 0)
    assert rig.server.send(identity, [b"too late"]) == 0


def test_peers_take_turns(rig):
    (one, first), (two, second) = rig.shaken(), rig.shaken()
    for connection in (one, two):
        connection.sendall(encode_frame(0, b"x") * 5)
    rig.step(20)
    rig.step(20)
    assert rig.server.pending
    order = [rig.server.receive()[0] for _ in range(6)]
    assert set(order) == {first, second}
    assert order == order[:2] * 3


def test_a_peer_that_sends_often_has_no_more_turns_than_one_that_sends_at_once(rig):
    (one, first), (two, second) = rig.shaken(), rig.shaken()
    for _ in range(3):
        one.sendall(encode_frame(0, b"x"))
        rig.step(20)
    two.sendall(encode_frame(0, b"x"))
    rig.step(20)
    assert [rig.server.receive()[0] for _ in range(4)] == [first, second, first, first]


def test_a_peer_that_is_held_back_is_read_on_while_it_is_being_disconnected(rig):
    """One that is blocked in sending would never come to read why."""
    connection, identity = rig.shaken()
    rig.server.hold_back(identity, 10**12)
    rig.server.disconnect(identity, [b"why"])
    connection.setblocking(False)
    sent = 0
    for _ in range(1000):
        try:
            sent += connection.send(encode_frame(0, bytes(8000)))
        except BlockingIOError:
            rig.step(1)
    assert sent > 3_000_000
    assert rig.server.receive() is None


def test_a_peer_that_sends_faster_than_is_taken_is_held_back_by_the_kernel(rig):
    connection, _ = rig.shaken()
    connection.setblocking(False)
    sent = 0
    for _ in range(2000):
        try:
            sent += connection.send(encode_frame(0, bytes(8000)))
        except BlockingIOError:
            rig.step(1)
    assert sent < 1_500_000
    connection.setblocking(True)
    while rig.server.receive():
        rig.step(1)
    rig.step(5)
    assert connection.send(b"") == 0


def test_a_peer_that_is_held_back_is_read_again_when_its_time_is_over(rig):
    connection, identity = rig.shaken()
    rig.server.hold_back(identity, 50_000_000)
    rig.server.hold_back(identity, 500_000_000)
    connection.sendall(encode_frame(0, b"x"))
    for _ in range(20):
        rig.step(2)
        assert rig.server.receive() is None
    rig.clock.advance_ms(40)
    assert rig.receive() == (identity, [b"x"], "")
    rig.server.hold_back(identity, 50_000_000)
    connection.close()
    rig.clock.advance_ms(60)
    rig.until(lambda: rig.server.gone)
    rig.server.hold_back(identity, 1)
    rig.step()


def test_a_multipart_message_without_an_end(rig):
    connection, identity = rig.shaken()
    connection.sendall(encode_frame(MORE, bytes(1000)) * 20)
    rig.ended(connection)
    assert count_of(rig, "refused_endless_message") == 1
    assert list(rig.server.gone) == [identity]
    assert rig.server.receive() is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not_zmtp"),
        (greeting(b"CURVE"), "wrong_mechanism"),
        (greeting(b"NULL") + encode_frame(0, b"x"), "bad_handshake"),
        (greeting(b"NULL") + encode_command(b"READY", encode_metadata({b"Socket-Type": b"SUB"})), "wrong_socket"),
        (greeting(b"NULL") + READY + b"\xff", "bad_frame"),
        (greeting(b"NULL") + READY + b"\x02" + b"\xff" * 8, "frame_too_large"),
    ],
)
def test_bytes_that_break_the_protocol(rig, data, code):
    connection = rig.bare(data)
    told = rig.ended(connection)
    assert (encode_command(b"ERROR", b"\x03400") in told) is (READY not in data)
    assert count_of(rig, f"refused_{code}") == 1
    connection.close()
    rig.until(lambda: len(rig.server) == 0)


def test_a_storm_of_peers_that_break_the_protocol_and_stay(rig):
    staying = []
    for _ in range(40):
        staying.append(rig.bare(b"nonsense"))
        rig.step(5)
    rig.until(lambda: count_of(rig, "refused_not_zmtp") == 40)
    assert len(rig.server) == LEAVING
    rig.clock.advance_ms(2100)
    rig.step()
    assert len(rig.server) == 0


def test_the_log_of_refusals_is_limited(rig, caplog):
    for _ in range(20):
        rig.ended(rig.bare(b"nonsense"))
    assert count_of(rig, "refused_not_zmtp") == 20
    assert len([line for line in caplog.messages if "disconnected" in line]) == 5
    assert f"process {os.getpid()} of user {os.getuid()}" in caplog.text


def test_a_storm_of_silent_connections(rig):
    good, identity = rig.shaken()
    silent = []
    for _ in range(60):
        silent.append(rig.bare())
        rig.step(5)
    assert len(rig.server) == PENDING_EACH + 1
    assert count_of(rig, "strangers_evicted") == 60 - PENDING_EACH
    good.sendall(encode_frame(0, b"still"))
    assert rig.receive() == (identity, [b"still"], "")
    for connection in silent:
        connection.close()
    rig.until(lambda: len(rig.server) == 1)


def test_an_accept_takes_a_few_at_a_time(rig):
    silent = [rig.bare() for _ in range(12)]
    rig.step(5)
    assert len(rig.server) == ACCEPTS_A_WAIT < len(silent)
    rig.step(5)
    assert len(rig.server) == 12


def test_strangers_who_have_spoken_are_not_evicted(rig):
    spoken = [rig.bare(greeting(b"NULL") + READY + encode_frame(0, b"hello")) for _ in range(PENDING_EACH)]
    for _ in range(10):
        rig.step(5)
    late = rig.bare()
    rig.ended(late)
    assert count_of(rig, "connections_refused") == 1
    assert len([rig.receive() for _ in spoken]) == PENDING_EACH


def test_a_handshake_takes_five_seconds_at_most(rig):
    connection = rig.bare(greeting(b"NULL")[:20])
    rig.step(5)
    rig.clock.advance_ms(4800)
    rig.step()
    assert len(rig.server) == 1
    rig.clock.advance_ms(300)
    rig.step()
    rig.ended(connection)
    assert count_of(rig, "strangers_timed_out") == 1


def test_whoever_never_says_who_it_is_is_hung_up_on_and_whoever_did_is_not(rig):
    silent = rig.bare(greeting(b"NULL") + READY)
    known, _ = rig.shaken()
    rig.clock.advance_ms(29_500)
    rig.step()
    assert len(rig.server) == 2
    rig.clock.advance_ms(1000)
    rig.step()
    rig.ended(silent)
    assert len(rig.server) == 1
    known.close()


def test_what_waits_for_a_peer_is_counted_and_goes_out_when_it_reads(rig):
    connection, identity = rig.shaken()
    waiting = 0
    for _ in range(100):
        waiting = rig.server.send(identity, [bytes(10_000)])
    assert 500_000 < waiting < 1_010_000
    connection.settimeout(5)
    received = 0
    while received < 100 * 10_009:
        received += len(connection.recv(1 << 20))
        rig.step()
    assert rig.server.send(identity, [b"x"]) == 0


def test_a_farewell_is_the_last_that_a_slow_peer_reads(rig):
    connection, identity = rig.shaken()
    for _ in range(100):
        rig.server.send(identity, [b"e" * 10_000])
    rig.server.disconnect(identity, [b"too slow"])
    assert list(rig.server.gone) == [identity]
    assert rig.server.send(identity, [b"more"]) == 0
    told = rig.ended(connection)
    assert told.endswith(encode_frame(0, b"too slow"))
    assert len(told) < 1_000_000
    connection.close()
    rig.until(lambda: len(rig.server) == 0)


def test_a_peer_that_never_reads_its_farewell_is_cut_off(rig):
    _connection, identity = rig.shaken()
    for _ in range(100):
        rig.server.send(identity, [bytes(10_000)])
    rig.server.disconnect(identity, [b"too slow"])
    rig.clock.advance_ms(1900)
    rig.step()
    assert len(rig.server) == 1
    rig.clock.advance_ms(400)
    rig.step()
    assert len(rig.server) == 0


def test_hanging_up_drops_what_was_not_taken(rig):
    connection, identity = rig.shaken()
    connection.sendall(encode_frame(0, b"x") * 3)
    rig.until(lambda: rig.server.pending)
    rig.server.disconnect(identity)
    rig.server.disconnect(identity)
    assert rig.server.receive() is None
    assert list(rig.server.gone) == [identity]
    rig.ended(connection)


def ping_flood(rig, connection, steps):
    """Returns whether the connection survived."""
    connection.setblocking(False)
    flood = encode_command(b"PING", b"\0\0" + bytes(16)) * 100
    for _ in range(steps):
        try:
            connection.send(flood)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            return False
        rig.step()
        rig.server.receive()
    return True


def test_pings_of_a_stranger_that_does_not_read(rig):
    assert not ping_flood(rig, rig.bare(greeting(b"NULL") + READY), 20_000)
    assert count_of(rig, "refused_flood") == 1


def test_pings_of_a_known_client_that_does_not_read_are_answered_to_a_bound(rig):
    connection, identity = rig.shaken()
    assert ping_flood(rig, connection, 800)
    assert 64 * 1024 < rig.server.send(identity, [b"x"]) < 80 * 1024


def test_a_deleted_socket_comes_back(rig):
    old, _ = rig.shaken()
    rig.path.unlink()
    rig.clock.advance_ms(1100)
    rig.step()
    rig.shaken()
    assert count_of(rig, "sockets_rebound") == 1
    rig.clock.advance_ms(1100)
    rig.step()
    assert count_of(rig, "sockets_rebound") == 1
    old.close()


def test_a_socket_that_another_service_has_taken_is_left_alone(rig, caplog):
    rig.path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(rig.path))
        other.listen()
        rig.clock.advance_ms(1100)
        rig.step()
        assert count_of(rig, "sockets_rebound") == 0
        assert "belongs to a running service" in caplog.text
        rig.server.close()
        assert rig.path.exists()


def test_without_descriptors_the_oldest_stranger_gives_way(rig):
    first = rig.bare()
    rig.step(5)

    listener = rig.server._listeners._listeners[0]
    real, listener.socket = listener.socket, FullSocket(listener.socket)
    second = rig.bare()
    rig.step(5)
    assert (count_of(rig, "accept_failed"), count_of(rig, "strangers_evicted")) == (1, 1)
    rig.ended(first)
    assert count_of(rig, "accept_failed") == 1
    listener.socket = real
    rig.clock.advance_ms(150)
    rig.until(lambda: len(rig.server) == 1)
    second.close()


class FullSocket:
    """A listening socket of a process that has no descriptor left."""

    def __init__(self, real):
        self._real = real

    def accept(self):
        raise OSError(errno.EMFILE, "Too many open files")

    def fileno(self):
        return self._real.fileno()


def test_flush_says_when_everything_is_out(rig):
    connection, identity = rig.shaken()
    assert rig.server.flush()
    for _ in range(100):
        rig.server.send(identity, [bytes(10_000)])
    assert not rig.server.flush()
    connection.close()
    rig.until(rig.server.flush)


def test_over_tcp(tmp_path):
    with (
        served(tmp_path, endpoint="tcp://127.0.0.1:*") as rig,
        zmq.Context() as context,
        context.socket(zmq.DEALER) as client,
    ):
        client.linger = 0
        client.connect(rig.endpoint)
        client.send(b"hello")
        identity, _, _ = rig.receive()
        rig.server.send(identity, [b"answer"])
        assert rig.hear(client) == [b"answer"]


def test_times_are_kept_to_the_nanosecond(rig):
    """A handshake has five seconds, a farewell two, and whoever is not known half a minute."""
    rig.server.step()
    slow, silent = rig.bare(greeting(b"NULL")[:20]), rig.bare(greeting(b"NULL") + READY)
    rig.reactor.wait(100)
    rig.reactor.wait(100)
    gone, identity = rig.shaken()
    opened_ns = rig.server._connections[min(rig.server._connections)].opened_ns
    for _ in range(100):
        rig.server.send(identity, [bytes(10_000)])
    rig.server.disconnect(identity, [b"farewell"])
    left_ns = rig.clock.now_ns()
    for due_ns, count in ((left_ns + 2 * 10**9, 2), (opened_ns + 5 * 10**9, 1), (opened_ns + 30 * 10**9, 0)):
        rig.clock.advance_ns(due_ns - 1 - rig.clock.now_ns())
        rig.server._tidy_ns = 0
        rig.server.step()
        assert len(rig.server) == count + 1
        rig.clock.advance_ns(1)
        rig.server._tidy_ns = 0
        rig.server.step()
        assert len(rig.server) == count
    for connection in (slow, silent, gone):
        connection.close()


def test_what_is_late_is_found_within_a_quarter_of_a_second(rig):
    slow = rig.bare(greeting(b"NULL")[:20])
    rig.reactor.wait(100)
    rig.clock.advance_ms(4999)
    rig.server.step()
    assert len(rig.server) == 1
    rig.clock.advance_ms(250)
    rig.server.step()
    assert len(rig.server) == 0
    slow.close()


def test_hanging_up_on_one_that_has_left_leaves_nothing(rig):
    """It left messages that nobody has taken; its socket is closed already."""
    connection, identity = rig.shaken()
    connection.sendall(encode_frame(0, b"x") * 3)
    connection.close()
    for _ in range(5):
        rig.step(5)
    assert rig.server.pending
    assert rig.server.queued(identity) == 0
    assert rig.server.send(identity, [b"x"]) == 0
    rig.server.hold_back(identity, 10**9)
    assert not rig.server.holding_back
    rig.server.disconnect(identity, [b"farewell"])
    assert (len(rig.server), list(rig.server.gone), rig.server.receive()) == (0, [identity], None)


def test_holding_back_lasts_until_it_is_due(rig):
    _connection, identity = rig.shaken()
    assert not rig.server.holding_back
    rig.server.hold_back(identity, 1000)
    assert rig.server.holding_back
    rig.clock.advance_ns(999)
    rig.server.step()
    assert rig.server.holding_back
    rig.clock.advance_ns(1)
    rig.server.step()
    assert not rig.server.holding_back


def test_a_flush_reaches_those_that_are_leaving(rig):
    connection, identity = rig.shaken()
    for _ in range(100):
        rig.server.send(identity, [bytes(10_000)])
    rig.server.disconnect(identity, [b"farewell"])
    assert rig.server.flush()  # nobody waits for them
    told = bytearray()
    connection.settimeout(5)
    while not told.endswith(b"farewell"):
        told += connection.recv(1 << 16)
        rig.server.flush()


def test_a_stranger_over_tcp_is_told_by_its_address_in_the_log(tmp_path, caplog):
    with served(tmp_path, endpoint="tcp://127.0.0.1:*") as rig:
        with socket.create_connection(("127.0.0.1", int(rig.endpoint.rpartition(":")[2]))) as connection:
            connection.sendall(b"nonsense")
            rig.until(lambda: count_of(rig, "refused_not_zmtp"))
        assert "disconnected 127.0.0.1: the peer does not speak ZeroMQ" in caplog.text


def test_what_closes_the_server_closes_everybody(tmp_path):
    with served(tmp_path) as rig:
        (first, _), (second, identity) = rig.shaken(), rig.shaken()
        for _ in range(100):
            rig.server.send(identity, [bytes(10_000)])
        rig.server.disconnect(identity, [b"farewell"])
        rig.server.close()
        for connection in (first, second):
            connection.settimeout(5)
            while connection.recv(1 << 16):
                pass
        assert not rig.reactor.wait(0)
        assert not rig.path.exists()
