"""The fuzzer, briefly: seeds that are kept, and what hypothesis makes of single messages."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core import wire
from rigs.voice_rig import VoiceRig
from voice import fuzz_intake

SEEDS = (1, 77, 20261122, 5)  # a seed that ever fails is added here
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=80)
    | st.binary(max_size=80),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)
_maps = st.dictionaries(st.sampled_from(("type", *fuzz_intake.FIELDS)), _values, max_size=6)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_clients_say_the_books_balance(seed):
    fuzz_intake.Fuzzer(seed).run(3_000)


@settings(max_examples=300, deadline=None)
@given(frames=st.lists(st.binary(max_size=64) | _maps.map(msgspec.msgpack.encode), max_size=3), hello=st.booleans())
def test_any_frames_are_answered_or_taken_and_never_raise(frames, hello):
    rig = VoiceRig()
    if hello:
        rig.hello()
    rig.voice.handle(b"a", frames)
    rig.step(10)
    answers = [type(message) for _, message in rig.sent]
    assert answers or hello


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(sorted(t.__struct_config__.tag for t in wire.ClientMessage.__args__)), fields=_maps)
def test_every_known_message_with_any_fields(kind, fields):
    rig = VoiceRig()
    rig.hello(role="agent")
    rig.voice.handle(b"a", [msgspec.msgpack.encode({**fields, "type": kind})])
    rig.step(10)


def test_the_fuzzer_notices_a_turn_that_is_finished_twice():
    fuzzer = fuzz_intake.Fuzzer(3)
    send = fuzzer.rig.voice.playback._send
    fuzzer.rig.voice.playback._send = lambda owner, message: [send(owner, message) for _ in range(2)]
    with pytest.raises(AssertionError, match="seed 3"):
        fuzzer.run(1_000)


def test_the_fuzzer_notices_sound_that_nobody_sent():
    fuzzer = fuzz_intake.Fuzzer(3)
    fuzzer.run(500)
    fuzzer.rig.sink.blocks.append(fuzzer.rig.sink.pcm[:1000] + 12_345)
    with pytest.raises(AssertionError, match="nobody sent"):
        fuzzer._check_sound()
