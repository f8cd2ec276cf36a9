"""The benchmark's driver for HTTP."""

import pytest

from adapters.http.rig import run
from mien.bench import coded
from mien.bench.adapters.drive_http import Driver
from mien.bench.adapters.driver import Segment, Word
from rigs.services import running_voice

WORDS = (Word("good", 0, 150), Word("morning", 150, 300))


def segment(number, ms, **script):
    return Segment(number, coded.samples(number, 0, ms * 24), **{"words": WORDS, **script})


def test_segments_are_heard_once_with_their_positions(tmp_path):
    async def drive():
        driver = Driver()
        await driver.open(f"ipc://{tmp_path}/voice.sock")
        whole = await driver.speak(segment(0, 300))
        cut = await driver.speak(segment(1, 5000, interrupt_after_ms=300, paced=True))
        empty = await driver.speak(segment(2, 0, words=()))
        held = await driver.speak(segment(3, 400, pause_after_ms=50, pause_ms=100))
        late = await driver.speak(segment(4, 100, interrupt_after_ms=3000))
        await driver.close()
        assert (whole.interrupted, whole.position_ms) == (False, pytest.approx(300, abs=1))
        assert whole.words == ("good", "morning")
        assert cut.interrupted
        assert 0 < cut.position_ms <= 320
        assert (empty.position_ms, empty.interrupted) == (0, False)
        assert held.position_ms == pytest.approx(400, abs=1)
        assert (late.interrupted, late.interrupted_ns) == (False, None)
        assert [driver.finishes(number) for number in range(6)] == [1, 1, 1, 1, 1, 0]

    with running_voice(tmp_path):
        run(drive())
