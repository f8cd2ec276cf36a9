"""The messages between voice and ear."""

import random

import msgspec
import pytest

from mien.core import ear_bus
from mien.errors import BusError

FROM_VOICE = [
    ear_bus.FarEnd(stream=5, offset=320, frames=320, at_ns=2**62),
    ear_bus.FarEnd(stream=5, offset=640, frames=100_000, at_ns=1, silent=True),
    ear_bus.EarOrders(),
    ear_bus.EarOrders(encodings=("s16le", "opus"), always=True, muted=True),
]
FROM_EAR = [
    ear_bus.NearEnd(seq=0, at_ns=1, encoding="opus", speech=False),
    ear_bus.UserStarted(utterance=1, at_ns=2, confidence=0.5),
    ear_bus.UserStopped(utterance=1, at_ns=9, started_ns=2, confidence=0.5),
    ear_bus.EarHealth(pid=1, state="silent", why="w", level_dbfs=-100.0, clean_dbfs=-100.0, counters={"gaps": 1}),
    ear_bus.EarHealth(
        pid=1, state="ok", why="", level_dbfs=-30.0, clean_dbfs=-60.0, counters={}, erle_db=31.5, delay_ms=12.25,
        drift_ppm=-3.0, pss_mb=51.0,
    ),
]  # fmt: skip


@pytest.mark.parametrize("message", FROM_VOICE, ids=repr)
def test_what_the_voice_says_comes_out_as_it_went_in_and_only_at_the_ear(message):
    assert ear_bus.decode_from_voice(ear_bus.encode(message)) == message
    with pytest.raises(BusError, match="malformed"):
        ear_bus.decode_from_ear(ear_bus.encode(message))


@pytest.mark.parametrize("message", FROM_EAR, ids=repr)
def test_what_the_ear_says_comes_out_as_it_went_in_and_only_at_the_voice(message):
    assert ear_bus.decode_from_ear(ear_bus.encode(message)) == message
    with pytest.raises(BusError, match="malformed"):
        ear_bus.decode_from_voice(ear_bus.encode(message))


def test_every_message_is_among_these():
    assert {type(message) for message in FROM_VOICE} == set(ear_bus.VoiceToEar.__args__)
    assert {type(message) for message in FROM_EAR} == set(ear_bus.EarToVoice.__args__)


def test_a_block_is_20_ms():
    assert ear_bus.EAR_BLOCK_FRAMES * 50 == ear_bus.EAR_RATE_HZ


@pytest.mark.parametrize("frame", [b"", b"\x00", b"\x02\x90", b"\xff" + bytes(40)])
def test_another_version_is_told_with_the_remedy(frame):
    with pytest.raises(BusError, match="install mien-voice and mien-ear from one release"):
        ear_bus.decode_from_ear(frame)


@pytest.mark.parametrize("state", ["asleep", "absent", "", 3])
def test_a_state_that_no_ear_has_is_refused(state):
    with pytest.raises(BusError, match="malformed"):
        ear_bus.decode_from_ear(b"\x01" + msgspec.msgpack.encode(["EarHealth", 1, state, "", 0.0, 0.0, {}]))


@pytest.mark.parametrize("seed", range(3))
def test_any_damage_is_a_message_or_a_bus_error(seed):
    generator = random.Random(seed)
    for _ in range(3000):
        damaged = bytearray(ear_bus.encode(generator.choice(FROM_EAR)))
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        try:
            message = ear_bus.decode_from_ear(bytes(damaged))
        except BusError:
            continue
        assert type(message) in ear_bus.EarToVoice.__args__


def test_what_is_not_said_is_the_ordinary_case():
    assert not ear_bus.FarEnd(stream=1, offset=0, frames=320, at_ns=0).silent
    orders = ear_bus.EarOrders()
    assert (orders.encodings, orders.always, orders.muted) == ((), False, False)
    health = ear_bus.EarHealth(pid=1, state="ok", why="", level_dbfs=0.0, clean_dbfs=0.0, counters={})
    assert (health.erle_db, health.delay_ms, health.drift_ppm, health.pss_mb) == (None, None, None, None)
    assert not health.recording


def test_what_meters_hear_is_told_apart_from_what_the_voice_hears():
    levels = ear_bus.EarLevels(level_dbfs=-30.0, peak_dbfs=-20.0, clean_dbfs=-60.0, far_dbfs=-100.0, speech=True)
    for message in (levels, *FROM_EAR[1:]):
        assert ear_bus.decode_for_meter(ear_bus.encode(message)) == message
    with pytest.raises(BusError, match="malformed"):
        ear_bus.decode_for_meter(ear_bus.encode(FROM_EAR[0]))
    with pytest.raises(BusError, match="malformed"):
        ear_bus.decode_from_ear(ear_bus.encode(levels))
