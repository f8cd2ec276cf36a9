"""The frame of a message on a local bus: its version, and what is refused."""

import msgspec
import pytest

from mien.core.bus_frame import BusFrame
from mien.errors import BusError


class Word(msgspec.Struct, array_like=True, tag=True):
    """A message."""

    text: str


DECODER = msgspec.msgpack.Decoder(Word)
FRAME = BusFrame(3, bus="the bus of tests", processes="both ends", malformed="bad word")


def test_a_frame_is_its_version_and_msgpack():
    assert FRAME.encode(Word("a")) == b"\x03\x92\xa4Word\xa1a"
    assert FRAME.decode(DECODER, b"\x03\x92\xa4Word\xa1a") == Word("a")


@pytest.mark.parametrize(("frame", "version"), [(b"", "none"), (b"\x02\x92\xa4Word\xa1a", "2"), (b"\xff", "255")])
def test_another_version_is_told_with_both_numbers_and_the_remedy(frame, version):
    says = (
        f"^the bus of tests has version {version}, this process version 3: "
        "install both ends from one release and restart both$"
    )
    with pytest.raises(BusError, match=says):
        FRAME.decode(DECODER, frame)


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x92\xa4Word", b"\x92\xa4Word\x01", b"\x92\xa4Word\xa1\xff", b"\x91" * 20_000 + b"\x01"]
)
def test_what_is_no_message_is_told_so(body):
    with pytest.raises(BusError, match=r"^bad word: "):
        FRAME.decode(DECODER, b"\x03" + body)
