"""The mute key, read from a pipe that carries the kernel's events, because this machine has no /dev/input."""

import os

import pytest

from mien.core.clock import ManualClock
from mien.ear.mute_key import MuteKey
from mien.host.evdev import EV_KEY, EV_SW, EVENT, KEY_MICMUTE, RETRY_NS, SW_MUTE_DEVICE

EV_SYN, KEY_A = 0, 30


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "event0"
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    yield path, lambda kind, code, value: os.write(keeper, EVENT.pack(1, 2, kind, code, value))
    os.close(keeper)


def test_each_press_changes_it_and_a_release_does_not(device):
    path, event = device
    key = MuteKey(path, ManualClock())
    seen = [key.poll()]
    for value in (1, 0, 1, 0):
        event(EV_KEY, KEY_MICMUTE, value)
        event(EV_SYN, 0, 0)
        seen.append(key.poll())
    assert seen == [False, True, True, False, False]


def test_a_held_key_repeats_without_effect(device):
    path, event = device
    key = MuteKey(path, ManualClock())
    for value in (1, 2, 2, 2, 0):
        event(EV_KEY, KEY_MICMUTE, value)
    assert key.poll() is True


def test_a_switch_says_what_it_is(device):
    path, event = device
    key = MuteKey(path, ManualClock())
    for value in (1, 1, 0, 1):
        event(EV_SW, SW_MUTE_DEVICE, value)
        assert key.poll() is bool(value)


def test_other_keys_do_nothing(device):
    path, event = device
    key = MuteKey(path, ManualClock())
    event(EV_KEY, KEY_A, 1)
    event(EV_KEY, 113, 1)  # KEY_MUTE is the speaker's
    assert key.poll() is False


def test_an_unplugged_key_leaves_the_microphone_muted_and_is_tried_again(tmp_path, caplog):
    clock = ManualClock()
    path = tmp_path / "event0"
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    key = MuteKey(path, clock)
    os.write(keeper, EVENT.pack(1, 2, EV_KEY, KEY_MICMUTE, 1))
    assert key.poll()
    os.close(keeper)  # the pipe's end, as ENODEV is a device's
    path.unlink()
    assert key.poll()
    for _ in range(10):
        clock.advance_ns(RETRY_NS)
        assert key.poll()
    assert sum("cannot be read" in line.message for line in caplog.records) == 1
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    clock.advance_ns(RETRY_NS)
    key.poll()
    os.write(keeper, EVENT.pack(1, 2, EV_KEY, KEY_MICMUTE, 1))
    assert key.poll() is False
    key.close()
    os.close(keeper)
