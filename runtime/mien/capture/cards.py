"""The capture devices of this machine, by ALSA's names."""

from msgspec import Struct

from mien.alsalib import load_alsa
from mien.capture.alsa import AlsaCapture
from mien.errors import CaptureError

_SOURCES = ("default", "pulse", "pipewire", "hw:", "plughw:", "sysdefault:")
"""How the names of devices begin; ALSA also names its converters, which need one."""


class Card(Struct, frozen=True, kw_only=True):
    """One device. device: for ear.device. problem: why it cannot be used; "" if it can, with rate and channels."""

    device: str
    rate_hz: int = 0
    channels: int = 0
    problem: str = ""


def capture_cards(rate_hz: int, channels: int) -> list[Card]:
    """The devices that ALSA names for capture, each opened for a moment. Raises CaptureError without pyalsaaudio."""
    try:
        alsa = load_alsa()
    except ImportError as error:
        raise CaptureError(str(error)) from None
    names = dict.fromkeys(["default", *alsa.pcms(alsa.PCM_CAPTURE)])
    return [_tried(name, rate_hz, channels) for name in names if name.startswith(_SOURCES)]


def _tried(device: str, rate_hz: int, channels: int) -> Card:
    try:
        capture = AlsaCapture(device, rate_hz, channels, buffer_ms=100)
    except CaptureError as error:
        return Card(device=device, problem=str(error).removeprefix(f"{device}: ").partition("; `")[0])
    form = capture.format
    capture.close()
    return Card(device=device, rate_hz=form.rate_hz, channels=form.channels)
