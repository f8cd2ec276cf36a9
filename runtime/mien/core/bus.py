"""The messages on the bus between mien-voice and mien-face (and whoever watches).

The voice publishes, the face reports. A bus message is one frame: a version byte, then msgpack arrays; `Speech` has one
payload frame of mono s16le at MOTION_RATE_HZ after it. Both ends come from one release, so that the version is only
there to refuse a mixed installation.

Media time is the time of the speech inside an epoch, in ns: it starts at 0, runs only while speech is heard, and goes
on from turn to turn. It leaps over the place of a turn that the face was told of and that was then dropped. Monotonic
times are CLOCK_MONOTONIC in ns, which all processes share.
"""

from typing import Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from mien.errors import BusError

BUS_VERSION: Final = 2
MOTION_RATE_HZ: Final = 16000

DeviceState = Literal["open", "released", "lost"]
Phase = Literal["idle", "preroll", "speaking", "stalled", "paused"]
# off: the display is switched off. blank: it cannot be, and shows black.
Screen = Literal["on", "dim", "blank", "off"]


class BusMessage(Struct, frozen=True, kw_only=True, array_like=True, tag=True):
    """What every bus message has in common: which epoch it belongs to."""

    epoch: int


class Anchor(BusMessage, frozen=True):
    """Playback truth: media_ns is heard at at_ns (which may lie in the future, before a turn opens).

    From there media time follows the clock and stops at until_ns, the end of the speech that the voice holds without a
    gap. phase says why it may stand still.
    """

    media_ns: int
    at_ns: int
    until_ns: int
    phase: Phase
    turn: str = ""


class Speech(BusMessage, frozen=True):
    """Some of a turn's speech, with one payload frame."""

    turn: str
    turn_start_ns: int
    offset: int  # frames at MOTION_RATE_HZ since the turn began


class TurnEnd(BusMessage, frozen=True):
    """A turn's last frame was published. frames: its length at MOTION_RATE_HZ. end_ns: its end in media time."""

    turn: str
    turn_start_ns: int
    frames: int
    end_ns: int


class Expression(BusMessage, frozen=True):
    """What the client asked of the face: the whole of it each time, so that a face that joins late has it too."""

    state: str = "idle"
    emotion: str = "neutral"
    intensity: float = 0.0
    look_x: float | None = None
    look_y: float | None = None


class GestureCue(BusMessage, frozen=True):
    """One gesture, now."""

    name: str


class CaptionCue(BusMessage, frozen=True):
    """All that is known of a turn's text, each time; published when the turn comes near, and whenever it changes.

    words: text, start and end in ms on the turn's clock, where they are known. turn_start_ns: the turn's place in media
    time. length_ms: of all its speech; 0 while the client has not ended it.
    """

    turn: str
    text: str
    words: tuple[tuple[str, int, int], ...] = ()
    turn_start_ns: int = 0
    length_ms: int = 0


class VoiceHealth(BusMessage, frozen=True):
    """Once a second: what `mien watch` shows of the voice. pid, level, counters by name; session: the newest one's.

    device: the sound card; released: let go in a long silence, and opened again when speech is coming.
    """

    pid: int
    level: str
    clients: int
    pss_mb: float
    counters: dict[str, int]
    session: str = ""
    device: DeviceState = "open"


class ThumbnailRequest(BusMessage, frozen=True):
    """An observer asks for one picture, about `width` pixels wide. A face that cannot give one need not answer."""

    width: int


class Thumbnail(BusMessage, frozen=True):
    """face -> voice: the picture that was asked for. encoding: what data is, such as jpeg; at most 131072 bytes."""

    width: int
    height: int
    encoding: str
    data: bytes


class MotionReady(BusMessage, frozen=True):
    """face -> voice: the timeline holds final motion up to ready_ns of media time."""

    ready_ns: int


class FaceHealth(BusMessage, frozen=True):
    """face -> voice and watchers, once a second. Offsets: pose shown minus audio heard, in ms, of the last second.

    pss_mb: None where it could not be read. idle: whether fewer frames were drawn than the display can show because
    nothing fast moved; fps is then what was needed.
    """

    pid: int
    level: str
    fps: float
    shown: int
    missed: int
    offset_median_ms: float | None
    offset_p95_ms: float | None
    motion_lead_ms: float | None
    pss_mb: float | None
    counters: dict[str, int]
    renderer: str = ""
    quality: str = ""
    idle: bool = False
    screen: Screen = "on"


VoiceBusMessage: TypeAlias = (
    Anchor | Speech | TurnEnd | Expression | GestureCue | CaptionCue | VoiceHealth | FaceHealth | ThumbnailRequest
)
FaceBusMessage: TypeAlias = MotionReady | FaceHealth | Thumbnail

_ENCODER = msgspec.msgpack.Encoder()
_FROM_VOICE: msgspec.msgpack.Decoder[VoiceBusMessage] = msgspec.msgpack.Decoder(VoiceBusMessage)
_FROM_FACE: msgspec.msgpack.Decoder[FaceBusMessage] = msgspec.msgpack.Decoder(FaceBusMessage)
_T = TypeVar("_T")
_VERSION: Final = bytes([BUS_VERSION])


def encode(message: BusMessage) -> bytes:
    """One bus frame."""
    return _VERSION + _ENCODER.encode(message)


def decode_from_voice(frame: bytes) -> VoiceBusMessage:
    """Read what the voice published. Raises BusError."""
    return _decode(_FROM_VOICE, frame)


def decode_from_face(frame: bytes) -> FaceBusMessage:
    """Read what the face reported. Raises BusError."""
    return _decode(_FROM_FACE, frame)


def _decode(decoder: msgspec.msgpack.Decoder[_T], frame: bytes) -> _T:
    if frame[:1] != _VERSION:
        raise BusError(
            f"the bus speaks version {frame[0] if frame else 'nothing'}, this process {BUS_VERSION}: "
            "install mien-voice and mien-face from one release and restart both"
        )
    try:
        return decoder.decode(memoryview(frame)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BusError(f"a bus message cannot be read: {error}") from None
