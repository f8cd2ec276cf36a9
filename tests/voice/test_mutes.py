"""Who mutes the microphone."""

from itertools import pairwise

import pytest

from mien.errors import ProtocolError
from mien.voice.codec import S16Codec
from mien.voice.mutes import Mutes
from mien.voice.sessions import Session


def session(identity, name):
    return Session(identity, "s", name, "speaker", "local", S16Codec(16000))


def test_it_is_muted_as_long_as_anybody_mutes():
    mutes, ada, ben = Mutes(configured=False), session(b"a", "ada"), session(b"b", "ben")
    assert not mutes
    mutes.mute(ben)
    mutes.mute(ada)
    mutes.mute(session(b"c", "ben"))
    assert (bool(mutes), mutes.by_clients, b"a" in mutes, b"x" in mutes) == (True, True, True, False)
    assert mutes.why == "muted by ada, ben; it ends when all of them unmute or leave"
    mutes.unmute(ada)
    mutes.leave(b"c")
    assert mutes
    mutes.leave(b"b")
    assert (bool(mutes), mutes.by_clients) == (False, False)


def test_each_change_is_noticed_and_what_changes_nothing_is_none():
    mutes, seen = Mutes(configured=False), [0]
    for act in (lambda: mutes.mute(session(b"a", "ada")), lambda: mutes.leave(b"x"), lambda: mutes.leave(b"a")):
        act()
        seen.append(mutes.changes)
    assert [after != before for before, after in pairwise(seen)] == [True, False, True]


def test_the_configuration_mutes_and_says_how_to_lift_that():
    mutes, ada = Mutes(configured=True), session(b"a", "ada")
    assert (bool(mutes), mutes.by_clients) == (True, False)
    assert "set ear.muted = false in mien.toml" in mutes.why
    mutes.mute(ada)
    assert mutes.by_clients
    with pytest.raises(ProtocolError, match=r"set ear\.muted = false") as refused:
        mutes.unmute(ada)
    assert refused.value.code == "not_allowed"
    assert not mutes.by_clients
