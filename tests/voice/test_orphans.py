"""Sessions that left turns behind: who may claim them, and for how long they are known."""

import pytest

from mien.config import VoiceConfig
from mien.core import wire
from mien.units import NS_PER_S
from mien.voice.codec import S16Codec
from mien.voice.orphans import ENDS_KEPT, SESSIONS_KEPT, Orphans
from mien.voice.session_log import NullSessionLog
from mien.voice.sessions import Session
from mien.voice.turn import Turn
from mien.voice.turn_queue import TurnQueue


def a_session(identity=b"a", session="1-1", name="bot", role="speaker", principal="local"):
    return Session(identity, session, name, role, principal, S16Codec(16000))


def a_turn(queue, owner=b"a", name="t"):
    turn = Turn(name=name, owner=owner, rate_hz=16000, sink_rate_hz=16000, now_ns=0)
    queue.turns.append(turn)
    return turn


@pytest.fixture
def queue():
    return TurnQueue(VoiceConfig(), 16000, NullSessionLog())


@pytest.fixture
def orphans(queue):
    return Orphans(queue)


def left(queue, orphans, *, said_bye=False, now_ns=0, **fields):
    session = a_session(**fields)
    turn = a_turn(queue, session.identity)
    orphans.add(session, now_ns, said_bye=said_bye)
    return turn


def claimed(orphans, principal="local", **fields):
    hello = wire.Hello(protocol=1, **{"client": "bot", "role": "speaker", **fields})
    return [owner for owner, _ in orphans.claim(hello, principal)]


def test_only_a_session_with_turns_to_be_heard_is_known(queue, orphans):
    orphans.add(a_session(), 0, said_bye=False)
    assert len(orphans) == 0
    turn = a_turn(queue)
    turn.interrupted = True
    orphans.add(a_session(), 0, said_bye=False)
    assert (len(orphans), orphans.turns_of(b"a")) == (0, [])
    a_turn(queue, name="u")
    orphans.add(a_session(), 0, said_bye=False)
    assert (len(orphans), orphans.find(b"a").name, orphans.find(b"b")) == (1, "bot", None)


@pytest.mark.parametrize(
    ("said_bye", "fields", "mine"),
    [
        (False, {}, True),
        (False, {"client": "other"}, False),
        (False, {"role": "agent"}, False),
        (False, {"principal": "agent/ada"}, False),
        (False, {"client": "other", "role": "agent", "replaces": "1-1"}, True),
        (False, {"client": "other", "replaces": "1-2"}, False),
        (False, {"replaces": "1-1", "principal": "agent/ada"}, False),
        (True, {}, False),
        (True, {"replaces": "1-1"}, True),
    ],
)
def test_a_restart_is_the_same_client_or_names_the_session(queue, orphans, said_bye, fields, mine):
    left(queue, orphans, said_bye=said_bye)
    assert claimed(orphans, **fields) == ([b"a"] if mine else [])
    assert claimed(orphans, **fields) == []


def test_of_many_the_oldest_are_forgotten(queue, orphans):
    for number in range(SESSIONS_KEPT + 2):
        left(queue, orphans, identity=b"%d" % number, session=f"1-{number}")
    assert len(orphans) == SESSIONS_KEPT
    assert (orphans.find(b"1"), orphans.find(b"2").session) == (None, "1-2")


def test_the_first_ends_of_each_are_remembered(queue, orphans):
    left(queue, orphans)
    for number in range(ENDS_KEPT + 5):
        done = wire.Finished(turn=str(number), played_ms=1.5, interrupted=False, reason="played", words_heard=2)
        orphans.finished(b"a", done)
        orphans.finished(b"nobody", done)
    [(_, orphan)] = orphans.claim(wire.Hello(protocol=1, client="bot"), "local")
    assert [end.turn for end in orphan.ends] == [str(number) for number in range(ENDS_KEPT)]
    assert (orphan.ends[0].played_ms, orphan.ends[0].words_heard) == (1.5, 2)


def test_one_is_forgotten_a_minute_after_it_left_if_all_of_it_was_heard(queue, orphans):
    turn = left(queue, orphans, now_ns=5)
    orphans.sweep(5 + 600 * NS_PER_S)
    assert len(orphans) == 1
    queue.turns.remove(turn)
    orphans.sweep(5 + 60 * NS_PER_S)
    assert len(orphans) == 1
    orphans.sweep(6 + 60 * NS_PER_S)
    assert len(orphans) == 0


def test_an_heir_takes_the_place_of_an_owner(queue, orphans):
    left(queue, orphans)
    orphans.reassign(b"x", b"y")
    orphans.reassign(b"a", b"orphan/1")
    assert (orphans.find(b"a"), orphans.find(b"orphan/1").name, len(orphans)) == (None, "bot", 1)
