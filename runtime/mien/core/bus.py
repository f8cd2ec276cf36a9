"""The messages on the bus between the processes of one machine.

The voice publishes, the face reports. A bus message is one frame: a version byte, then msgpack arrays; `Speech` has one
payload frame of mono s16le at MOTION_RATE_HZ after it. Both ends come from one release: the version only serves to
refuse a mixed installation.

Media time is the time of the speech inside an epoch, in ns. It starts at 0, runs only while speech is heard, continues
from turn to turn, and skips the position of a turn that was published and then dropped. Monotonic times are
CLOCK_MONOTONIC in ns, which all processes share.
"""

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from mien.core.bus_frame import BusFrame

BUS_VERSION: Final = 5
MOTION_RATE_HZ: Final = 16000

DeviceState = Literal["open", "released", "lost"]
Phase = Literal["idle", "preroll", "speaking", "stalled", "paused"]
# off: the display is switched off. blank: it cannot be switched off, and shows black.
Screen = Literal["on", "dim", "blank", "off"]


class BusMessage(Struct, frozen=True, kw_only=True, array_like=True, tag=True):
    """The base of all bus messages. epoch: the epoch that the message belongs to."""

    epoch: int


class Anchor(BusMessage, frozen=True):
    """The state of playback: media_ns is heard at at_ns, which lies in the future before a turn opens.

    From at_ns on, media time follows the clock up to until_ns, the end of contiguous speech. phase says why it may
    stand still.
    """

    media_ns: int
    at_ns: int
    until_ns: int
    phase: Phase
    turn: str = ""


class Speech(BusMessage, frozen=True):
    """A block of a turn's speech, with one payload frame."""

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
    """What clients have set on the face, always complete, so that a face that joins late has it too."""

    state: str = "idle"
    emotion: str = "neutral"
    intensity: float = 0.0
    look_x: float | None = None
    look_y: float | None = None


class GestureCue(BusMessage, frozen=True):
    """One gesture to make now."""

    name: str


class CaptionCue(BusMessage, frozen=True):
    """The complete caption of a turn, published shortly before the turn is heard and whenever the caption changes.

    words: text, start and end in ms on the turn's clock, where known. turn_start_ns: the turn's start in media time.
    length_ms: the length of its speech; 0 until the client has ended it.
    """

    turn: str
    text: str
    words: tuple[tuple[str, int, int], ...] = ()
    turn_start_ns: int = 0
    length_ms: int = 0


class PhoneCue(BusMessage, frozen=True):
    """How a turn sounds, published before the speech that it belongs to where the client sent it in time.

    words: IPA phones separated by spaces, start and end in ms on the turn's clock, None where unknown. first: the
    number of the first of them in the turn. turn_start_ns: the turn's start in media time.
    """

    turn: str
    turn_start_ns: int
    first: int
    words: tuple[tuple[str, int | None, int | None], ...]


class EarSign(BusMessage, frozen=True):
    """What the face shows of the ear, on every change, always complete.

    live: sound leaves the ear for a client. muted: the microphone is muted. speaking: the customer speaks.
    """

    live: bool = False
    muted: bool = False
    speaking: bool = False


class Choices(BusMessage, frozen=True):
    """The buttons to show, always complete: id and text of each; none hides them.

    number: of this offer, which reports about it repeat. again: whether they may be chosen more than once. qr: the text
    of a QR code beside them.
    """

    number: int
    items: tuple[tuple[str, str], ...] = ()
    again: bool = False
    qr: str = ""


class PresenceCue(BusMessage, frozen=True):
    """Somebody is there: a screen that sleeps wakes."""


class ScreenOrder(BusMessage, frozen=True):
    """What an operator wants of the screen, always complete. brightness: a factor, 0.05..1."""

    power: Literal["auto", "on", "off"] = "auto"
    brightness: float = 1.0


class AttendSign(BusMessage, frozen=True):
    """Whether a person elsewhere listens or speaks through this face, always complete. name: "" is not told."""

    listening: bool = False
    speaking: bool = False
    name: str = ""


class VoiceHealth(BusMessage, frozen=True):
    """The voice's report, once a second. session: the newest session. visit: the phase of the visit, "" unknown.

    device: the sound card. released: closed during a long silence, and opened again when speech is coming. headphones:
    whether they have the sound.
    """

    pid: int
    level: str
    clients: int
    pss_mb: float
    counters: dict[str, int]
    session: str = ""
    device: DeviceState = "open"
    visit: str = ""
    language: str = ""
    headphones: bool = False


class ThumbnailRequest(BusMessage, frozen=True):
    """An observer asks for a thumbnail about `width` pixels wide. A face that cannot provide one does not answer."""

    width: int


class PoseOrders(BusMessage, frozen=True):
    """Whether somebody watches the poses, on every change and whenever one more does: the next batch is then a key."""

    wanted: bool = False


class Thumbnail(BusMessage, frozen=True):
    """face -> voice: the thumbnail. encoding: of data, such as jpeg. data: at most 131072 bytes."""

    width: int
    height: int
    encoding: str
    data: bytes


class PoseBatch(BusMessage, frozen=True):
    """face -> voice, while PoseOrders wants them: frames as mien.core.pose_frames encodes them.

    seq: counts batches. at_ns: when the first frame was visible. key: the first frame has every channel.
    """

    seq: int
    at_ns: int
    key: bool
    frames: bytes


class MotionReady(BusMessage, frozen=True):
    """face -> voice: the timeline holds final motion up to ready_ns of media time."""

    ready_ns: int


class ChoicesShown(BusMessage, frozen=True):
    """face -> voice: the buttons of an offer are on the screen, and where qr says so its QR code.

    shortened: ids of those that end with an ellipsis.
    """

    number: int
    shortened: tuple[str, ...] = ()
    qr: bool = False


class ChoiceMade(BusMessage, frozen=True):
    """face -> voice: the customer chose a button of an offer at at_ns."""

    number: int
    id: str
    by: Literal["touch", "mouse", "key"]
    at_ns: int


class Touched(BusMessage, frozen=True):
    """face -> voice, at most once a second: somebody touches the screen or its keys."""


class FaceHealth(BusMessage, frozen=True):
    """face -> voice and watchers, once a second. Offsets: pose shown minus audio heard, in ms, over the last second.

    pss_mb: None if it could not be read. idle: fewer frames were drawn than the display can show, because nothing fast
    moved; fps is then what was needed. brightness: the factor with which the newest frame was drawn, 0..1.
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
    brightness: float = 1.0


VoiceBusMessage: TypeAlias = (
    Anchor
    | Speech
    | TurnEnd
    | Expression
    | GestureCue
    | CaptionCue
    | PhoneCue
    | EarSign
    | Choices
    | PresenceCue
    | ScreenOrder
    | AttendSign
    | VoiceHealth
    | FaceHealth
    | ThumbnailRequest
    | PoseOrders
)
FaceBusMessage: TypeAlias = MotionReady | FaceHealth | Thumbnail | ChoicesShown | ChoiceMade | Touched | PoseBatch

_FROM_VOICE: msgspec.msgpack.Decoder[VoiceBusMessage] = msgspec.msgpack.Decoder(VoiceBusMessage)
_FROM_FACE: msgspec.msgpack.Decoder[FaceBusMessage] = msgspec.msgpack.Decoder(FaceBusMessage)
_FRAME: Final = BusFrame(
    BUS_VERSION, bus="the bus", processes="mien-voice and mien-face", malformed="malformed bus message"
)


def encode(message: BusMessage) -> bytes:
    """One bus frame."""
    return _FRAME.encode(message)


def decode_from_voice(frame: bytes) -> VoiceBusMessage:
    """Decode a message of the voice. Raises BusError."""
    return _FRAME.decode(_FROM_VOICE, frame)


def decode_from_face(frame: bytes) -> FaceBusMessage:
    """Decode a report of the face. Raises BusError."""
    return _FRAME.decode(_FROM_FACE, frame)
