"""The benchmark's driver: the script's segments through server, bridge and voice."""

import pytest

from adapters.realtime.rig import run
from mien.bench import coded
from mien.bench.adapters.drive_realtime import Driver
from mien.bench.adapters.driver import Segment
from rigs.services import running_voice


def segment(number, ms, **script):
    return Segment(number, coded.samples(number, 0, ms * 24), (), **script)


def test_segments_are_heard_once_with_their_positions(tmp_path):
    async def drive():
        driver = Driver()
        await driver.open(f"ipc://{tmp_path}/voice.sock")
        whole = await driver.speak(segment(0, 300))
        cut = await driver.speak(segment(1, 5000, interrupt_after_ms=300, paced=True))
        empty = await driver.speak(segment(2, 0))
        late = await driver.speak(segment(3, 100, interrupt_after_ms=3000))
        await driver.close()
        assert (whole.interrupted, whole.position_ms) == (False, pytest.approx(300, abs=1))
        assert cut.interrupted
        assert 0 < cut.position_ms <= 320
        assert (empty.position_ms, empty.interrupted) == (0, False)
        assert (late.interrupted, late.interrupted_ns) == (False, None)
        assert [driver.finishes(number) for number in range(5)] == [1, 1, 1, 1, 0]

    with running_voice(tmp_path):
        run(drive())
