"""The measure of a takeover: what counts as heard, and how late."""

import json
import math
import random
from typing import Any

import pytest

from fleet_sim.takeover import MESSAGES, PACKETS, STRETCHES, latencies_s, speak
from mien.fleet.packets import decode_sound


class Recorder:
    """In place of the probe."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.sounds: list[bytes] = []

    def command(self, board: str, payload: bytes) -> None:
        self.commands.append(json.loads(payload)["command"])

    def speech(self, board: str, payload: bytes) -> None:
        self.sounds.append(payload)


def test_a_stretch_is_as_late_as_its_first_sound_with_the_message_that_it_waits_for() -> None:
    late = latencies_s([10.0, 12.0, 14.0], [9.0, 10.05, 10.4, 14.1])
    assert late[0] == pytest.approx(0.11)
    assert late[1] == math.inf  # nobody heard it
    assert late[2] == pytest.approx(0.16)


def test_an_agent_takes_the_floor_speaks_in_stretches_and_hands_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    recorder: Any = Recorder()
    began = speak(recorder, "berlin/k1", random.Random(1))
    assert recorder.commands == ["take_floor", "release_floor"]
    sounds = [decode_sound(payload) for payload in recorder.sounds]
    assert len(began) == STRETCHES
    assert len(sounds) == STRETCHES * MESSAGES
    assert [sound.first for sound in sounds[:MESSAGES]] == [True] + [False] * (MESSAGES - 1)
    assert sounds[MESSAGES - 1].last
    assert all(len(sound.packets) == PACKETS for sound in sounds)
