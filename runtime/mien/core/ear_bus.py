"""The messages on the bus of the ear.

The voice publishes what is heard at the speaker (the far end) and what it wants of the ear; the ear reports cleaned
speech and events. A message is one frame: a version byte, then msgpack arrays. `FarEnd` with sound, and `NearEnd`, have
one payload frame after it. Both ends come from one release: the version only serves to refuse a mixed installation.

All times are CLOCK_MONOTONIC in ns, of the sound itself: when it was heard at the speaker, or reached the microphone.
"""

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from mien.core.bus_frame import BusFrame

EAR_BUS_VERSION: Final = 1
EAR_RATE_HZ: Final = 16000
EAR_BLOCK_FRAMES: Final = 320  # 20 ms

Encoding = Literal["s16le", "opus"]

EarState = Literal[
    "ok",
    "muted",  # by a client, the configuration or the mute key: nothing leaves the ear
    "no_card",  # there is no capture device; it is retried
    "no_echo_reference",  # the far end stopped coming: sound is not cleaned, and starts nothing
    "silent",  # the microphone delivers digital silence
    "clipping",  # the microphone is overdriven
    "loopback",  # the microphone is the speaker's own loopback
]


class EarBusMessage(Struct, frozen=True, kw_only=True, array_like=True, tag=True):
    """The base of all messages between voice and ear."""


class FarEnd(EarBusMessage, frozen=True):
    """voice -> ear: sound written to the device, filler included, with one payload frame of mono s16le unless silent.

    stream: a new number whenever the device's stream was interrupted. offset: frames at EAR_RATE_HZ since the stream
    began. frames: the length of this block, 1..EAR_BLOCK_FRAMES with sound. at_ns: when its first frame is heard, which
    may lie in the future, by the device's clock at the time of sending.
    """

    stream: int
    offset: int
    frames: int
    at_ns: int
    silent: bool = False


class EarOrders(EarBusMessage, frozen=True):
    """voice -> ear, on every change and once a second: what the voice wants.

    encodings: of near-end speech that clients listen to; () when nobody listens. always: someone wants all sound, not
    only speech. muted: by a client.
    """

    encodings: tuple[Encoding, ...] = ()
    always: bool = False
    muted: bool = False


class NearEnd(EarBusMessage, frozen=True):
    """ear -> voice: 20 ms of cleaned sound, with one payload frame: EAR_BLOCK_FRAMES of mono s16le or an Opus packet.

    One message for each ordered encoding. seq: counts blocks of captured sound, sent or not; sound that was not
    captured is a gap in it. at_ns: when its first frame reached the microphone. speech: inside an utterance, or within
    the pre-roll before one. With orders.always the blocks of a pre-roll were already sent, without speech; they come a
    second time, with it: a listener to all sound has had them.
    """

    seq: int
    at_ns: int
    encoding: Encoding
    speech: bool


class UserStarted(EarBusMessage, frozen=True):
    """ear -> voice: the customer began to speak at at_ns. confidence: 0..1. utterance: counts up from 1."""

    utterance: int
    at_ns: int
    confidence: float


class UserStopped(EarBusMessage, frozen=True):
    """ear -> voice: the customer's last sound was at at_ns. confidence: of the whole utterance, 0..1."""

    utterance: int
    at_ns: int
    started_ns: int
    confidence: float


class EarLevels(EarBusMessage, frozen=True):
    """ear -> meters on this machine, ten times a second. Levels of the last tenth of a second, -100 while muted.

    peak_dbfs: of the raw microphone. far_dbfs: of what the speaker plays. speech: an utterance is going on.
    """

    level_dbfs: float
    peak_dbfs: float
    clean_dbfs: float
    far_dbfs: float
    speech: bool


class EarHealth(EarBusMessage, frozen=True):
    """ear -> voice, once a second and on each change of state.

    level_dbfs: RMS of the raw microphone since the last report, -100 for silence. clean_dbfs: of the cleaned sound.
    erle_db: how much of the echo was removed over the last second of far-end speech; None without any. delay_ms:
    between the speaker's clock and the microphone's, as aligned; drift_ppm: of the card against CLOCK_MONOTONIC; None
    unknown. recording: the sound is being written to files, by `mien ear record`.
    """

    pid: int
    state: EarState
    why: str
    level_dbfs: float
    clean_dbfs: float
    counters: dict[str, int]
    erle_db: float | None = None
    delay_ms: float | None = None
    drift_ppm: float | None = None
    pss_mb: float | None = None
    recording: bool = False


VoiceToEar: TypeAlias = FarEnd | EarOrders
EarToVoice: TypeAlias = NearEnd | UserStarted | UserStopped | EarHealth
EarToMeter: TypeAlias = EarLevels | EarHealth | UserStarted | UserStopped

_FROM_VOICE: msgspec.msgpack.Decoder[VoiceToEar] = msgspec.msgpack.Decoder(VoiceToEar)
_FROM_EAR: msgspec.msgpack.Decoder[EarToVoice] = msgspec.msgpack.Decoder(EarToVoice)
_FOR_METERS: msgspec.msgpack.Decoder[EarToMeter] = msgspec.msgpack.Decoder(EarToMeter)
_FRAME: Final = BusFrame(
    EAR_BUS_VERSION,
    bus="the ear's bus",
    processes="mien-voice and mien-ear",
    malformed="malformed message on the ear's bus",
)


def encode(message: EarBusMessage) -> bytes:
    """One frame."""
    return _FRAME.encode(message)


def decode_from_voice(frame: bytes) -> VoiceToEar:
    """Decode a message of the voice. Raises BusError."""
    return _FRAME.decode(_FROM_VOICE, frame)


def decode_from_ear(frame: bytes) -> EarToVoice:
    """Decode a report of the ear. Raises BusError."""
    return _FRAME.decode(_FROM_EAR, frame)


def decode_for_meter(frame: bytes) -> EarToMeter:
    """Decode what the ear publishes for meters. Raises BusError."""
    return _FRAME.decode(_FOR_METERS, frame)
