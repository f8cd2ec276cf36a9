"""Devices for the voice's tests."""

import pytest

from rigs.card_sink import CardSink
from rigs.voice_rig import RecordingSink, VoiceRig


@pytest.fixture(params=["ideal", "card"])
def any_device(request, monkeypatch):
    """The test runs twice: over the ideal device, and over one with position steps, partial writes and a latency."""
    device = RecordingSink if request.param == "ideal" else jittery
    monkeypatch.setattr(VoiceRig, "DEVICE", staticmethod(device) if request.param == "card" else device)
    return request.param


def jittery(clock, rate_hz, buffer_frames):
    """A card whose position moves by 10 ms, and which now and then takes only a part of what it could."""
    return CardSink(clock, rate_hz, buffer_frames, step_ms=10, period_ms=5, partial=0.3)
