"""Ready descriptors call their handlers, and only as long as they are watched."""

import select
import socket

import pytest

from mien.transport.zmtp.reactor import READ, WRITE, Reactor


@pytest.fixture
def reactor():
    reactor = Reactor()
    yield reactor
    reactor.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_handler_is_told_what_its_descriptor_is_ready_for(reactor, pair):
    ours, theirs = pair
    seen = []
    reactor.add(ours.fileno(), seen.append)
    assert reactor.wait(0) is False
    theirs.send(b"x")
    assert reactor.wait(0) is True
    assert seen == [READ]
    reactor.watch(ours.fileno(), READ | WRITE)
    assert reactor.wait(0) is True
    assert seen[1:] == [READ | WRITE]
    reactor.watch(ours.fileno(), 0)
    assert reactor.wait(0) is False
    theirs.close()
    assert reactor.wait(0) is True
    assert seen[2:] == [select.EPOLLHUP]  # told of errors all the same


def test_whoever_is_removed_hears_no_more_and_can_be_added_again(reactor, pair):
    ours, theirs = pair
    seen = []
    reactor.add(ours.fileno(), seen.append)
    theirs.send(b"x")
    reactor.remove(ours.fileno())
    assert reactor.wait(0) is False
    reactor.add(ours.fileno(), seen.append, WRITE)
    assert reactor.wait(0) is True
    assert seen == [WRITE]


def test_a_handler_may_remove_another_that_is_ready_too(reactor, pair):
    seen = []

    def remove(mine, other):
        seen.append(mine)
        reactor.remove(other)

    first, second = (end.fileno() for end in pair)
    for end in pair:
        end.send(b"x")
    reactor.add(first, lambda _: remove(first, second))
    reactor.add(second, lambda _: remove(second, first))
    assert reactor.wait(0) is True
    assert len(seen) == 1


def test_the_wait_is_in_milliseconds(reactor):
    waits = []
    real, reactor._epoll = reactor._epoll, type("Epoll", (), {"poll": lambda _, *asked: waits.append(asked) or []})()
    assert reactor.wait(250) is False
    reactor._epoll = real
    assert waits == [(0.25, 64)]
