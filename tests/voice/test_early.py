"""What comes before its turn: claimed once, bounded by turns and by memory."""

import pytest

from mien.voice.early import Early


def early(limit=3, bytes_each=100):
    return Early(limit, bytes_each, "", len)


def kept(box, owner=b"a"):
    return dict(box._early.get(owner, {}))


def test_what_came_is_claimed_once():
    box = early()
    box._keep(b"a", "t", "hello", 0)
    assert box._of(b"a", "t") == "hello"
    assert (box._of(b"a", "u"), box._of(b"b", "t")) == ("", "")
    assert [box.claim(b"b", "t"), box.claim(b"a", "t"), box.claim(b"a", "t")] == ["", "hello", ""]


def test_a_client_that_leaves_takes_its_own_with_it():
    box = early()
    box._keep(b"a", "t", "x", 0)
    box._keep(b"b", "t", "y", 0)
    box.leave(b"a")
    box.leave(b"nobody")
    assert (box.claim(b"a", "t"), box.claim(b"b", "t")) == ("", "y")


def test_of_more_turns_than_there_may_be_the_oldest_go_and_news_makes_one_the_newest():
    box = early(limit=3)
    for name in ("t", "u", "v", "t", "w"):
        box._keep(b"a", name, name, 0)
    assert list(kept(box)) == ["v", "t", "w"]


@pytest.mark.parametrize(("held", "left"), [(0, ["t", "u"]), (40, ["t", "u"]), (41, ["u"]), (70, ["u"]), (71, [])])
def test_the_oldest_go_until_the_rest_fits_beside_what_turns_hold(held, left):
    box = early()
    box._keep(b"a", "t", "x" * 30, 0)
    box._keep(b"a", "u", "x" * 30, held)
    assert list(kept(box)) == left


def test_nothing_is_not_kept_and_takes_back_what_was():
    box = early()
    box._keep(b"a", "t", "", 0)
    assert box._early == {}
    box._keep(b"a", "t", "x", 0)
    box._keep(b"a", "u", "y", 0)
    box._keep(b"a", "t", "", 0)
    assert kept(box) == {"u": "y"}
