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
