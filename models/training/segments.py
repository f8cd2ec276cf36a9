"""festival's segment lists, as printed by its voices and used as labels of recorded corpora."""

from .phones import from_festival
from .targets import TimedPhone


def read_segments(text: str, phoneset: str) -> list[TimedPhone]:
    """utt.save.segs: a header up to "#", then "end colour phone" a line -> timed phones in IPA.

    Raises KeyError for a label that is not in the phone set.
    """
    phones: list[TimedPhone] = []
    start = 0.0
    for line in text.partition("#")[2].splitlines():
        columns = line.split()
        if len(columns) != 3:
            continue
        end = float(columns[0])
        if end > start:
            phones.append((from_festival(columns[2], phoneset), start, end))
            start = end
    return phones
