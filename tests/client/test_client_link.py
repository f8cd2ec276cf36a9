"""A link is one connection: no message queued for one voice reaches the next."""

import asyncio
import contextlib

import pytest
import zmq
import zmq.asyncio

from mien.client._link import Link

PATIENCE_S = 20


@contextlib.contextmanager
def router(endpoint):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind(endpoint)
        yield socket


@pytest.fixture(params=["ipc", "tcp"])
def where(request, tmp_path):
    if request.param == "ipc":
        return f"ipc://{tmp_path}/voice.sock"
    with router("tcp://127.0.0.1:*") as free:
        return free.getsockopt_string(zmq.LAST_ENDPOINT)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE_S))


async def until_over(link):
    while await link.receive(0.1) is not None:
        pass


def test_what_is_queued_for_one_voice_never_reaches_the_next(where):
    """The next voice is up before the program has read the disconnect."""

    async def talk():
        context = zmq.asyncio.Context()
        with router(where) as first:
            link = Link(context, where)
            await link.send((b"hello",))
            assert first.poll(PATIENCE_S * 1000)
        with router(where) as second:
            for _ in range(100):
                await link.send((b"audio",))
                second.poll(5)
            heard = second.poll(300)
            await until_over(link)
            link.close()
        context.term()
        return heard

    assert run(talk()) == 0


def test_where_nobody_listens_it_is_over_soon_and_the_next_link_finds_who_came(where):
    async def talk():
        context = zmq.asyncio.Context()
        with Link(context, where) as link:
            await link.send((b"hello",))
            await until_over(link)
        with router(where) as voice, Link(context, where) as link:
            await link.send((b"hello",))
            assert voice.poll(PATIENCE_S * 1000)
            identity, hello = voice.recv_multipart()
            voice.send_multipart([identity, b"welcome"])
            while not (frames := await link.receive(0.1)):
                assert frames is not None
        context.term()
        return hello, frames

    assert run(talk()) == (b"hello", [b"welcome"])


MANY = 5000  # of 1 kB: more than ZeroMQ queues by itself, and than the kernel's buffers hold


def test_a_program_that_is_busy_loses_nothing_of_what_the_voice_sends(where):
    async def talk():
        context = zmq.asyncio.Context()
        with router(where) as voice, Link(context, where) as link:
            voice.setsockopt(zmq.SNDHWM, 1)
            voice.setsockopt(zmq.ROUTER_MANDATORY, 1)
            await link.send((b"hello",))
            assert voice.poll(PATIENCE_S * 1000)
            identity, _ = voice.recv_multipart()
            for number in range(MANY):
                assert voice.poll(PATIENCE_S * 1000, zmq.POLLOUT)
                voice.send_multipart([identity, b"%1000d" % number])
            heard = [await link.receive(PATIENCE_S) for _ in range(MANY)]
        context.term()
        return [int(frames[0]) for frames in heard]

    assert run(talk()) == list(range(MANY))


def test_what_the_credit_allows_is_queued_without_waiting_for_the_voice(where):
    async def talk():
        context = zmq.asyncio.Context()
        with router(where) as voice:
            voice.setsockopt(zmq.RCVHWM, 1)
            link = Link(context, where)
            for _ in range(MANY):
                await link.send((bytes(1000),))
            link.close(linger_ms=0)
        context.term()

    run(talk())


def test_the_options_that_matter_are_those_of_the_page():
    """PROTOCOL.md, for clients in other languages: nothing is dropped, a dead peer is found, and nothing reconnects."""

    async def read():
        context = zmq.asyncio.Context()
        with Link(context, "tcp://127.0.0.1:1") as link:
            asked = (
                zmq.LINGER,
                zmq.RECONNECT_IVL,
                zmq.SNDHWM,
                zmq.RCVHWM,
                zmq.TCP_KEEPALIVE,
                zmq.TCP_KEEPALIVE_IDLE,
                zmq.TCP_KEEPALIVE_INTVL,
                zmq.TCP_KEEPALIVE_CNT,
            )
            found = [link._socket.get(option) for option in asked]
        closed = link._socket.closed, link._monitor.closed
        context.term()
        return found, closed

    found, closed = run(read())
    assert found == [200, 30_000, 0, 0, 1, 2, 1, 3]
    assert closed == (True, True)


def test_waiting_is_in_seconds(where):
    async def wait():
        context = zmq.asyncio.Context()
        with router(where), Link(context, where) as link:
            began_s = asyncio.get_running_loop().time()
            assert await link.receive(0.1) == []
            waited_s = asyncio.get_running_loop().time() - began_s
        context.term()
        return waited_s

    assert 0.09 < run(wait()) < PATIENCE_S / 2
