"""Queued output: whole messages, counted in bytes. A connection: what it is polled for, how it ends."""

import os
import socket
import tracemalloc
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.transport.zmtp.connection import Connection, Outbox
from mien.transport.zmtp.reactor import READ, WRITE


def sending(limit, taken):
    """A sendmsg that accepts `limit` bytes a call."""

    def send(buffers):
        data = b"".join(buffers)[:limit]
        taken.append(data)
        return len(data)

    return send


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=80), st.integers(1, 300))
def test_everything_goes_out_in_order_however_little_is_taken(messages, limit):
    outbox, taken = Outbox(), []
    for message in messages:
        outbox.add(message)
    assert outbox.size == sum(map(len, messages)) + len(messages) * Outbox.OVERHEAD_BYTES
    outbox.flush(sending(limit, taken))
    assert b"".join(taken) == b"".join(messages)
    assert (outbox.size, bool(outbox)) == (0, False)


def test_a_kernel_that_takes_nothing_leaves_everything():
    outbox = Outbox()
    outbox.add(b"abc")

    def blocked(_):
        raise BlockingIOError

    with pytest.raises(BlockingIOError):
        outbox.flush(blocked)
    assert outbox.size == 3 + Outbox.OVERHEAD_BYTES


def partly_sent(count):
    outbox, taken = Outbox(), []
    for message in (b"first", b"second", b"third"):
        outbox.add(message)
    limits = iter((count,))

    def send(buffers):
        for limit in limits:
            taken.append(b"".join(buffers)[:limit])
            return limit
        raise BlockingIOError

    with pytest.raises(BlockingIOError):
        outbox.flush(send)
    return outbox, taken


@pytest.mark.parametrize(("count", "dropped", "left"), [(5, 2, b""), (2, 2, b"rst"), (7, 1, b"cond")])
def test_dropping_never_cuts_a_message_in_two(count, dropped, left):
    outbox, _ = partly_sent(count)
    assert outbox.drop_unsent() == dropped
    rest = []
    outbox.add(b"farewell")
    outbox.flush(sending(1000, rest))
    assert b"".join(rest) == left + b"farewell"
    assert outbox.size == 0


@pytest.mark.parametrize("size", [10, 1000])
def test_what_counts_as_queued_is_about_what_it_takes(size):
    """Small messages too: a peer's budget bounds memory."""
    outbox = Outbox()
    tracemalloc.start()
    for number in range(5000):
        outbox.add(number.to_bytes(size, "big"))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= outbox.size <= 1.5 * taken


def test_the_kernel_is_given_a_few_messages_at_a_time():
    """It refuses more than 1024 (IOV_MAX)."""
    outbox, counts = Outbox(), []
    for _ in range(100):
        outbox.add(b"x")
    outbox.flush(lambda batch: counts.append(len(batch)) or len(batch))
    assert counts == [32, 32, 32, 4]


@pytest.mark.parametrize("sent", [0, 3])
def test_what_is_left_after_dropping_is_counted(sent):
    outbox, _ = partly_sent(sent)
    outbox.drop_unsent()
    assert outbox.size == (5 + Outbox.OVERHEAD_BYTES if sent else 0)
    assert bool(outbox) is bool(sent)


@pytest.fixture
def ends():
    """A connection and its peer's socket."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    yield Connection(near, b"id", SimpleNamespace(full=False), None, 5), far
    near.close()
    far.close()


@pytest.mark.parametrize("farewell", [b"", b"why"])
def test_who_leaves_gets_its_farewell_and_then_the_end(ends, farewell):
    connection, far = ends
    connection.outbox.add(b"unsent")
    connection.leave(farewell, 7)
    assert (connection.leaving, connection.leave_by_ns, connection.open) == (True, 7, True)
    assert bool(connection.outbox) is bool(farewell)
    connection.flush()
    assert far.recv(100) == farewell
    assert far.recv(100) == b""


def test_without_leaving_nothing_ends(ends):
    connection, far = ends
    connection.outbox.add(b"data")
    connection.flush()
    assert far.recv(100) == b"data"
    with pytest.raises(BlockingIOError):
        far.recv(100)


def test_it_is_polled_for_what_can_be_done(ends):
    connection, _ = ends
    asked = []
    reactor = SimpleNamespace(watch=lambda descriptor, events: asked.append((descriptor, events)))

    def watched():
        asked.clear()
        connection.watch(reactor)
        return [events for _, events in asked]

    assert watched() == []  # it is watched for reading from the first
    connection.outbox.add(b"x")
    assert watched() == [READ | WRITE]
    assert watched() == []
    connection.held = True
    assert watched() == [WRITE]
    assert asked[0][0] == connection.socket.fileno()
    connection.leaving = True  # its input is discarded
    assert watched() == [READ | WRITE]
    connection.leaving, connection.held, connection.peer.full = False, False, True
    assert watched() == [WRITE]
    connection.open, connection.peer.full = False, False
    assert watched() == []


def test_the_log_names_a_process_or_an_address(ends):
    assert ends[0].address == f"process {os.getpid()} of user {os.getuid()}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            accepted, _ = server.accept()
            assert Connection(accepted, b"id", None, None, 0).address == "127.0.0.1"
        accepted.close()
    unconnected = socket.socket()
    assert Connection(unconnected, b"id", None, None, 0).address == "a disconnected peer"
    unconnected.close()
