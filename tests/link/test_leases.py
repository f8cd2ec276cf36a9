"""Who watches, until when."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import FleetError
from mien.fleet.command import Watch
from mien.link.leases import MAX_WATCH_BYTES, MAX_WATCHERS, Leases, read_watch


def test_a_request_is_read():
    assert read_watch(b'{"streams": ["pose", "ear"], "for_s": 20}') == Watch(streams=("pose", "ear"), for_s=20.0)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'{"streams": ["everything"]}',
        b'{"streams": ["pose"], "for_s": 61}',
        b'{"streams": ["pose"], "for_s": -1}',
        b'{"streams": ["pose"], "user": "x"}',
        b'{"streams": ["pose", "pose", "pose", "pose", "pose"]}',
        b'{"streams": ["\xff"]}',
        b'{"streams": ' + b"[" * 500,
        b" " * (MAX_WATCH_BYTES + 1),
    ],
)
def test_anything_else_is_refused(payload):
    with pytest.raises(FleetError):
        read_watch(payload)


@settings(max_examples=500, deadline=None)
@given(
    st.binary(max_size=64) | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps).map(str.encode)
)
def test_noise_raises_nothing_else(payload):
    with pytest.raises(FleetError):
        read_watch(payload)


def test_a_lease_ends_by_time_unless_it_is_repeated():
    leases = Leases()
    assert leases.extend("ada", ("pose",), 20, 100) == {"pose"}
    assert leases.extend("ada", ("pose",), 20, 110) == frozenset()
    leases.expire(129.9)
    assert leases.streams == {"pose"}
    leases.expire(130)
    assert not leases


def test_two_windows_of_one_user_do_not_take_each_others_streams():
    leases = Leases()
    leases.extend("ada", ("pose", "heard"), 20, 0)
    leases.extend("ada", ("pose",), 5, 1)
    assert leases.streams == {"pose", "heard"}
    leases.expire(19)
    assert leases.streams == {"pose", "heard"}


@pytest.mark.parametrize("asked", [((), 20), (("pose",), 0)])
def test_no_streams_or_no_time_ends_the_users_leases(asked):
    leases = Leases()
    leases.extend("ada", ("pose",), 20, 0)
    leases.extend("bob", ("heard",), 20, 0)
    leases.extend("ada", *asked, 1)
    assert leases.users() == ("bob",)


def test_who_watches_what():
    leases = Leases()
    leases.extend("bob", ("pose", "ear"), 20, 0)
    leases.extend("ada", ("pose",), 20, 0)
    assert (leases.users(), leases.users("ear"), leases.users("caption")) == (("ada", "bob"), ("bob",), ())


def test_one_more_than_may_watch_is_refused_and_those_who_do_go_on():
    leases = Leases()
    for number in range(MAX_WATCHERS):
        leases.extend(f"u{number}", ("pose",), 20, 0)
    with pytest.raises(FleetError, match="32 users watch"):
        leases.extend("late", ("pose",), 20, 0)
    leases.extend("u0", ("heard",), 20, 0)
    leases.expire(20)
    leases.extend("late", ("pose",), 20, 20)
    assert leases.users() == ("late",)
