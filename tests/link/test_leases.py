"""Who watches, until when."""

import pytest

from mien.errors import FleetError
from mien.link.leases import MAX_WATCHERS, Leases


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
