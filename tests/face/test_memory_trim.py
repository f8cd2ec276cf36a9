"""The face trims its memory after start-up, and when it has grown while idle."""

import errno

from mien.core.stats import Counters
from mien.face.memory_trim import CREPT_EVERY, CREPT_MB, GROWN_MB, MemoryTrim


class Memory:
    """The memory of a process in MB, of which `spare` can be released."""

    def __init__(self, used: float, spare: float) -> None:
        self.used, self.spare, self.releases = used, spare, 0

    def measure(self) -> float:
        return self.used + self.spare

    def release(self) -> None:
        self.spare = 0.0
        self.releases += 1


def test_what_starting_left_goes_back_once_and_not_while_a_face_rejoins_a_sentence() -> None:
    memory = Memory(80.0, 60.0)
    trim = MemoryTrim(Counters(), memory.measure, memory.release)
    assert trim.step(speaking=True) == 140.0
    assert memory.releases == 0
    for _ in range(100):
        assert trim.step(speaking=False) == 80.0
    assert memory.releases == 1


def test_what_grew_goes_back_when_speech_is_over() -> None:
    memory = Memory(80.0, 0.0)
    trim = MemoryTrim(Counters(), memory.measure, memory.release)
    trim.step(speaking=False)
    memory.spare = GROWN_MB + 1
    assert trim.step(speaking=True) == 80.0 + GROWN_MB + 1
    assert memory.releases == 1
    assert trim.step(speaking=False) == 80.0
    assert memory.releases == 2


def test_ordinary_growth_is_left_alone_and_lasting_growth_is_the_new_measure() -> None:
    memory = Memory(80.0, 0.0)
    trim = MemoryTrim(Counters(), memory.measure, memory.release)
    trim.step(speaking=False)
    memory.used += GROWN_MB - 1
    trim.step(speaking=False)
    assert memory.releases == 1
    memory.used += 2
    for _ in range(10):
        trim.step(speaking=False)
    assert memory.releases == 2


def test_what_crept_goes_back_every_two_minutes_and_what_is_needed_again_is_left_alone() -> None:
    memory = Memory(80.0, 0.0)
    trim = MemoryTrim(Counters(), memory.measure, memory.release)
    trim.step(speaking=False)
    memory.spare = CREPT_MB + 1
    for _ in range(CREPT_EVERY - 1):
        trim.step(speaking=False)
    assert memory.releases == 1
    trim.step(speaking=True)
    assert memory.releases == 1
    trim.step(speaking=False)
    assert memory.releases == 2
    memory.spare = CREPT_MB - 1
    for _ in range(3 * CREPT_EVERY):
        trim.step(speaking=False)
    assert memory.releases == 2


def test_no_figure_is_counted_and_told_as_none_and_ends_nothing() -> None:
    memory, counters = Memory(80.0, 0.0), Counters()
    broken = False

    def measure() -> float:
        if broken:
            raise OSError(errno.EMFILE, "Too many open files")
        return memory.measure()

    trim = MemoryTrim(counters, measure, memory.release)
    assert trim.step(speaking=False) == 80.0
    broken = True
    assert [trim.step(speaking=False) for _ in range(3)] == [None] * 3
    assert counters["memory_unread"] == 3
    broken = False
    assert trim.step(speaking=False) == 80.0


def test_a_give_back_that_fails_ends_nothing() -> None:
    counters = Counters()

    def release() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    assert MemoryTrim(counters, lambda: 80.0, release).step(speaking=False) is None
    assert counters["memory_unread"] == 1
