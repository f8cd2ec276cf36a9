"""The event loop that runs for programs without one."""

import asyncio
import concurrent.futures
import threading

import pytest

from mien.client._portal import Portal
from mien.errors import ClientError


@pytest.fixture
def portal():
    portal = Portal()
    yield portal
    portal.close()


async def value(of):
    await asyncio.sleep(0)
    return of


async def fails():
    raise KeyError("x")


def test_a_call_returns_or_raises_what_its_coroutine_does(portal):
    assert portal.call(value(7)) == 7
    with pytest.raises(KeyError):
        portal.call(fails())
    assert portal.call(value(8)) == 8


def test_a_call_out_of_its_own_loop_would_wait_for_itself_and_is_refused(portal):
    async def inner():
        return portal.call(value(1))

    with pytest.raises(ClientError) as refused:
        portal.call(inner())
    assert (refused.value.code, refused.value.retryable) == ("closed", False)


def test_an_interrupted_wait_cancels_what_it_waited_for(portal, monkeypatch):
    begun, cancelled = threading.Event(), threading.Event()

    async def forever():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def interrupted(*_):
        assert begun.wait(20)
        raise KeyboardInterrupt

    monkeypatch.setattr(concurrent.futures.Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        portal.call(forever())
    assert cancelled.wait(20)


def test_closing_leaves_no_thread_and_may_be_done_twice():
    before = set(threading.enumerate())
    portal = Portal()
    assert portal.call(asyncio.to_thread(lambda: 3)) == 3
    assert len(set(threading.enumerate()) - before) == 2
    portal.close()
    portal.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(ClientError, match="was closed") as refused:
        portal.call(value(1))
    assert (refused.value.code, refused.value.retryable) == ("closed", False)
