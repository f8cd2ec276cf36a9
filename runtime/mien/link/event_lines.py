"""One event in the queue's files: a line that tells whether it is whole.

    8 hex digits of CRC-32, a space, the event's number, a space, its JSON, a line feed

A power cut leaves a torn last line, or a block of zeros where the card had not written yet. Neither has the right sum.
"""

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

_SUM_DIGITS: Final = 8


class Entry(NamedTuple):
    """An event in the queue. payload: its JSON, as it is sent."""

    seq: int
    payload: bytes


def line(entry: Entry) -> bytes:
    """The entry as a line. The payload holds no line feed: it is JSON."""
    body = b"%d %s" % entry
    return b"%08x %s\n" % (zlib.crc32(body), body)


def entries(data: bytes) -> Iterator[Entry]:
    """The whole entries of a file, in order. Torn or damaged lines are left out."""
    for raw in data.split(b"\n"):
        digits, _, body = raw.partition(b" ")
        number, _, payload = body.partition(b" ")
        if len(digits) == _SUM_DIGITS and digits == b"%08x" % zlib.crc32(body) and number.isdigit():
            yield Entry(int(number), payload)
