"""For any refusals and any message timing, all audio arrives once and in order, with one `finished` a turn."""

import itertools
from collections import deque
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.client._session import Session
from mien.client.audio import Encoding
from mien.core import wire
from mien.errors import ClientError
from rigs.voice_double import VoiceDouble

MS = 32
TURNS = 3


class Wire:
    """A session and a voice, with messages in flight in both directions until they are delivered."""

    def __init__(self, capacity_ms):
        self.session = Session(wire.Hello(protocol=1))
        self.voice = VoiceDouble(capacity_ms=capacity_ms)
        self.to_client = deque()
        self.now_s = 0.0
        self.session.greet(0.0)
        self.deliver(10)

    def deliver(self, count):
        """Deliver `count` messages in each direction, alternately."""
        for _ in range(count):
            if not self.session.outgoing and not self.to_client:
                return
            if self.session.outgoing:
                self.to_client.extend(self.voice.take(self.session.outgoing.popleft()))
            if self.to_client:
                self.session.receive([wire.encode(self.to_client.popleft())], self.now_s)

    def play(self, ms):
        self.to_client.extend(self.voice.play(ms))

    def pass_time(self):
        self.now_s += 0.3
        self.session.tick(self.now_s)

    def run_dry(self):
        """Deliver messages until none is in flight."""
        for _ in range(400):
            self.deliver(200)
            self.play(100)
            self.pass_time()
            if not self.session.turns:
                return


def sound(index, start, size):
    """Bytes that identify their turn and their position in it."""
    return b"".join((index * 20_000 + (start // 2 + n) % 20_000).to_bytes(2, "little") for n in range(size // 2))


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, TURNS - 1), st.integers(1, 700)),
        st.tuples(st.just("end"), st.integers(0, TURNS - 1), st.just(0)),
        st.tuples(st.just("interrupt"), st.integers(0, TURNS - 1), st.just(0)),
        st.tuples(st.just("deliver"), st.integers(1, 30), st.just(0)),
        st.tuples(st.just("play"), st.integers(1, 300), st.just(0)),
        st.tuples(st.just("time"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS, capacity_ms=st.sampled_from([150, 300, 777, 1000]))
def test_all_audio_arrives_once_and_in_order(actions, capacity_ms):
    both = Wire(capacity_ms)
    turns = [both.session.open_turn(f"t{index}") for index in range(TURNS)]
    written = [bytearray() for _ in turns]
    stopped = set()
    for action, index, amount in actions:
        if action == "write":
            write(both, turns[index], written[index], index, amount * MS)
        elif action == "end":
            end(both, turns[index])
        elif action == "interrupt":
            # What stands behind it at the voice goes too, so that any may be cut short.
            stopped.update(range(TURNS))
            both.session.interrupt(turns[index])
        elif action == "deliver":
            both.deliver(index)
        elif action == "play":
            both.play(index)
        else:
            both.pass_time()
    for turn in turns:
        end(both, turn)
    both.run_dry()
    for index, turn in enumerate(turns):
        arrived = bytes(both.voice.audio.get(turn.name, b""))
        assert turn.error is None
        assert turn.finished is not None
        assert bytes(written[index]).startswith(arrived)
        if index not in stopped:
            assert arrived == bytes(written[index])
            assert turn.finished.reason == "played"
            assert turn.finished.played_ms == len(arrived) / MS


@settings(max_examples=100, deadline=None)
@given(actions=ACTIONS)
def test_a_voice_that_keeps_its_word_refuses_nothing(actions):
    both = Wire(1000)
    turns = [both.session.open_turn(f"t{index}") for index in range(TURNS)]
    for action, index, amount in actions:
        if action == "write":
            write(both, turns[index], bytearray(), index, amount * MS)
        elif action == "end":
            end(both, turns[index])
        elif action == "deliver":
            both.deliver(index)
        elif action == "play":
            both.play(index)
    both.deliver(500)
    assert not [event for event in both.session.events if isinstance(event, wire.Error)]
    assert both.voice.held <= both.voice.capacity


@settings(max_examples=100, deadline=None)
@given(packets=st.integers(1, 120), capacity_ms=st.sampled_from([150, 300, 1000]), under_way=st.integers(1, 40))
def test_an_encoder_that_only_goes_forward_is_asked_once_a_packet(packets, capacity_ms, under_way):
    with mock.patch("mien.client._session.find_encoding", return_value=Encoding(320, 0, numbering_encoder)):
        both = Wire(capacity_ms)
    turn, rest = both.session.open_turn("t"), memoryview(bytes(packets * 640))
    while rest:
        rest = rest[both.session.write(turn, rest) :]
        both.deliver(under_way)
        both.play(20)
        both.pass_time()
    both.session.end(turn)
    both.run_dry()
    assert turn.finished.played_ms == packets * 20
    heard = bytes(both.voice.audio["t"])
    assert [int.from_bytes(heard[at : at + 640], "little") for at in range(0, len(heard), 640)] == [*range(packets)]
    assert turn.packets == {}


def numbering_encoder():
    """Packets as large as their PCM, because the double counts bytes, numbered in the order of encoding."""
    numbers = itertools.count()
    return lambda pcm: next(numbers).to_bytes(len(pcm), "little")


def write(both, turn, written, index, size):
    data = sound(index, len(written), size)
    if turn.end_wanted or turn.closing or turn.finished:
        with pytest.raises(ClientError, match=turn.name):
            both.session.write(turn, memoryview(data))
    else:
        written += data[: both.session.write(turn, memoryview(data))]


def end(both, turn):
    if turn.finished is None and not turn.closing:
        both.session.end(turn)
