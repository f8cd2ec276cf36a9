"""Messages between voice and face: they come back as they went, and what is no message is told apart."""

import msgspec
import pytest

from mien.core import bus
from mien.errors import BusError

V = bytes([bus.BUS_VERSION])
FROM_VOICE = [
    bus.Anchor(epoch=3, media_ns=1, at_ns=2, until_ns=4, phase="speaking", turn="t"),
    bus.Speech(epoch=3, turn="t", turn_start_ns=5, offset=320),
    bus.TurnEnd(epoch=3, turn="t", turn_start_ns=5, frames=640, end_ns=45),
    bus.Expression(epoch=3, state="listening", emotion="happy", intensity=0.5, look_x=-1.0, look_y=0.25),
    bus.GestureCue(epoch=3, name="nod"),
    bus.CaptionCue(epoch=3, turn="t", text="one", words=(("one", 0, 40),), turn_start_ns=5, length_ms=40),
    bus.Choices(epoch=3, number=2, items=(("yes", "Yes, please"),), again=True),
    bus.PresenceCue(epoch=3),
    bus.ScreenOrder(epoch=3, power="off", brightness=0.5),
    bus.AttendSign(epoch=3, listening=True, name="Ada"),
    bus.PhoneCue(epoch=3, turn="t", turn_start_ns=5, first=2, words=(("h aɪ", 0, 40), ("m", None, None))),
    bus.VoiceHealth(epoch=3, pid=9, level="full", clients=1, pss_mb=31.5, counters={"a": 1}, session="s"),
    bus.ThumbnailRequest(epoch=3, width=96),
    bus.PoseOrders(epoch=3, wanted=True),
]
FROM_FACE = [
    bus.MotionReady(epoch=3, ready_ns=7),
    bus.Thumbnail(epoch=3, width=96, height=72, encoding="jpeg", data=b"x"),
    bus.ChoicesShown(epoch=3, number=2, shortened=("yes",)),
    bus.ChoiceMade(epoch=3, number=2, id="yes", by="key", at_ns=5),
    bus.Touched(epoch=3),
    bus.PoseBatch(epoch=3, seq=1, at_ns=5, key=True, frames=b"x"),
]
HEALTH = bus.FaceHealth(
    epoch=3,
    pid=8,
    level="full",
    fps=60.0,
    shown=59,
    missed=1,
    offset_median_ms=-0.5,
    offset_p95_ms=None,
    motion_lead_ms=200.0,
    pss_mb=None,
    counters={},
)


@pytest.mark.parametrize("message", [*FROM_VOICE, HEALTH], ids=lambda message: type(message).__name__)
def test_what_the_voice_publishes_comes_back(message):
    assert bus.decode_from_voice(bus.encode(message)) == message


@pytest.mark.parametrize("message", [*FROM_FACE, HEALTH], ids=lambda message: type(message).__name__)
def test_what_a_face_reports_comes_back(message):
    assert bus.decode_from_face(bus.encode(message)) == message


@pytest.mark.parametrize("message", FROM_FACE, ids=lambda message: type(message).__name__)
def test_reports_are_not_published_nor_the_other_way_round(message):
    with pytest.raises(BusError, match="malformed bus message"):
        bus.decode_from_voice(bus.encode(message))
    with pytest.raises(BusError, match="malformed bus message"):
        bus.decode_from_face(bus.encode(FROM_VOICE[1]))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (b"", "the bus has version none, this process version 5"),
        (b"\x01\x90", "the bus has version 1, this process version 5"),
        (b"\x00", "the bus has version 0"),
        (V, "malformed bus message"),
        (V + b"\xc1", "malformed bus message"),
        (V + b"\x92\xaaGestureCue\xff", "malformed bus message"),
        (V + b"\x91" * 20_000 + b"\x01", "malformed bus message"),
        (V + b"\x93\xaaGestureCue\x01\xa1\xff", "malformed bus message"),
    ],
)
def test_another_release_and_noise_are_told_apart(frame, says):
    for decode in (bus.decode_from_voice, bus.decode_from_face):
        with pytest.raises(BusError, match=says):
            decode(frame)


def test_what_is_not_said_is_neutral():
    """A face that has heard nothing is at rest and looks nowhere; a caption without times has none."""
    rest = bus.Expression(epoch=1)
    assert (rest.state, rest.emotion, rest.intensity, rest.look_x, rest.look_y) == ("idle", "neutral", 0.0, None, None)
    cue = bus.CaptionCue(epoch=1, turn="t", text="x")
    assert (cue.words, cue.turn_start_ns, cue.length_ms) == ((), 0, 0)
    assert bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="idle").turn == ""
    assert (HEALTH.renderer, HEALTH.quality) == ("", "")


def test_motion_runs_at_the_rate_of_its_models():
    assert bus.MOTION_RATE_HZ == 16_000


def test_times_are_whole_and_of_any_size():
    """Epochs come from a clock in ns; 2^63 is beyond it, and must be read all the same or refused as a message."""
    far = bus.MotionReady(epoch=2**63 - 1, ready_ns=2**63 - 1)
    assert bus.decode_from_face(bus.encode(far)) == far
    with pytest.raises(BusError, match="malformed bus message"):
        bus.decode_from_face(V + msgspec.msgpack.encode(["MotionReady", 1, 0.5]))


def test_a_message_nested_without_end_is_malformed():
    """Fields of a later version are passed over, whatever they hold."""
    health = bus.encode(bus.MotionReady(epoch=1, ready_ns=2))
    longer = health[:1] + bytes([health[1] + 1]) + health[2:]
    assert bus.decode_from_face(longer + b"\x90").ready_ns == 2
    with pytest.raises(BusError, match="malformed"):
        bus.decode_from_face(longer + b"\x91" * 100_000 + b"\x90")


def test_what_is_not_said_of_the_ear_the_buttons_and_the_processes_is_the_ordinary_case():
    sign = bus.EarSign(epoch=1)
    assert (sign.live, sign.muted, sign.speaking) == (False, False, False)
    offer = bus.Choices(epoch=1, number=1)
    assert (offer.items, offer.again, offer.qr) == ((), False, "")
    shown = bus.ChoicesShown(epoch=1, number=1)
    assert (shown.shortened, shown.qr) == ((), False)
    voice = bus.VoiceHealth(epoch=1, pid=1, level="full", clients=0, pss_mb=1.0, counters={})
    assert (voice.session, voice.device) == ("", "open")
    assert (HEALTH.idle, HEALTH.screen) == (False, "on")
