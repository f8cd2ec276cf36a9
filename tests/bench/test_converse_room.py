"""The room of the conversation benchmark: what its microphone hears, and when."""

import time

import numpy as np

from mien.bench.converse_room import CUSTOMER_PEAK, RoomScene
from mien.bench.ear_rooms import Room
from mien.core.ear_bus import FarEnd

S = 1_000_000_000
DRY = Room(name="dry", rt60_s=0.1, echo=np.array([1.0, 0.0]), mouth=np.array([1.0, 0.0]))


def heard(scene, begin_ns, seconds):
    return np.concatenate([scene.between(begin_ns + n * S // 100, 160) for n in range(int(seconds * 100))])


def far_end(number, at_ns, stream=1):
    return FarEnd(stream=stream, offset=number * 320, frames=320, at_ns=at_ns)


def test_a_customer_is_heard_at_the_time_and_only_once():
    scene, now_ns = RoomScene(DRY), time.monotonic_ns()
    tone = np.sin(np.arange(8000) * 0.3)
    last_ns = scene.say(tone, now_ns + S)
    assert last_ns == now_ns + S + S // 2
    sound = heard(scene, now_ns, 3.0)
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    assert abs(int(loud[0]) - 16000) < 20
    assert abs(int(loud[-1]) - 24000) < 20
    assert abs(np.abs(sound).max() - CUSTOMER_PEAK) < 0.02
    assert np.abs(heard(scene, now_ns + 64 * S, 3.0)).max() < 0.05, "a turn of the ring later it is gone"


def test_the_kiosk_s_own_voice_is_added_to_the_customer():
    scene, now_ns = RoomScene(DRY), time.monotonic_ns()
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, 320)
    for number in range(50):
        scene.play(far_end(number, now_ns + S + number * S // 50), noise)
    alone = np.std(heard(scene, now_ns, 2.0)[16000:32000])
    assert alone > 0.01


def test_what_comes_too_late_is_lost():
    scene, now_ns = RoomScene(DRY), time.monotonic_ns()
    heard(scene, now_ns, 2.0)
    scene.say(np.ones(16000), now_ns + S)
    assert np.abs(heard(scene, now_ns + 2 * S, 1.0)).max() < 0.01


def test_blocks_of_one_stream_follow_each_other_however_their_times_jitter():
    scene, steady, now_ns = RoomScene(DRY), RoomScene(DRY), time.monotonic_ns()
    tone = np.sin(np.arange(320) * 2 * np.pi / 32) * 0.5
    for number in range(50):
        at_ns = now_ns + S + number * S // 50
        scene.play(far_end(number, at_ns + (number % 3) * 400_000 * (number > 0)), tone)
        steady.play(far_end(number, at_ns), tone)
    first, second = heard(scene, now_ns, 2.0), heard(steady, now_ns, 2.0)
    assert np.abs(first - second).max() < 0.02


def test_a_stream_that_moved_is_heard_where_it_is_now():
    scene, now_ns = RoomScene(DRY), time.monotonic_ns()
    scene.play(far_end(0, now_ns + S), np.full(320, 0.5))
    scene.play(far_end(1, now_ns + 2 * S), np.full(320, 0.5))
    loud = np.flatnonzero(np.abs(heard(scene, now_ns, 3.0)) > 0.05)
    assert abs(int(loud[0]) - 16000) < 20
    assert abs(int(loud[-1]) - 32320) < 400


def test_the_microphone_holds_back_what_the_speaker_has_not_played_yet():
    scene, now_ns = RoomScene(DRY), time.monotonic_ns()
    scene.play(far_end(0, now_ns), None)
    assert len(scene.between(now_ns, 640)) == 320
    scene.play(far_end(1, now_ns + S // 50), np.full(320, 0.5))
    sound = scene.between(now_ns + S // 50, 320)
    assert len(sound) == 320
    assert np.abs(sound).max() > 0.05
    assert scene.late_echo_ms == 0.0


def test_echo_that_comes_too_late_is_counted():
    scene, now_ns = RoomScene(DRY), time.monotonic_ns()
    heard(scene, now_ns, 1.0)
    scene.play(far_end(0, now_ns), np.full(320, 0.5))
    assert scene.late_echo_ms == 20.0
