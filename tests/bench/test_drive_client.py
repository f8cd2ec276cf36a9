"""The baseline of the adapters' benchmark: segments through mien.client, with the script's interruption and pause."""

import asyncio

import pytest

from mien.bench import coded
from mien.bench.adapters.drive_client import Driver
from mien.bench.adapters.driver import Segment, Word
from mien.errors import ClientError
from rigs.services import PATIENCE_S, running_voice
from rigs.voice_server import served_voice

RATE_HZ = 24000
WORDS = (Word("good", 0, 150), Word("morning", 150, 300))


def segment(number, ms, **script):
    return Segment(number, coded.samples(number, 0, ms * RATE_HZ // 1000), **{"words": WORDS, **script})


def speak(tmp_path, *segments):
    """The verdicts on these segments, and the driver."""

    async def run(endpoint):
        driver = Driver()
        await driver.open(endpoint)
        async with asyncio.timeout(PATIENCE_S):
            verdicts = [await driver.speak(each) for each in segments]
        await driver.close()
        return verdicts, driver

    with running_voice(tmp_path):
        return asyncio.run(run(f"ipc://{tmp_path}/voice.sock"))


def test_a_segment_is_heard_whole_with_its_words(tmp_path):
    (verdict,), driver = speak(tmp_path, segment(0, 300))
    assert verdict.position_ms == pytest.approx(300, abs=1)
    assert (verdict.interrupted, verdict.interrupted_ns, verdict.words) == (False, None, ("good", "morning"))
    assert verdict.pushed_ns > 0
    assert driver.finishes(0) == 1


def test_an_interrupted_segment_says_how_much_was_heard(tmp_path):
    (verdict,), driver = speak(tmp_path, segment(0, 5000, interrupt_after_ms=250))
    assert verdict.interrupted
    assert 0 < verdict.position_ms < 2000
    assert verdict.interrupted_ns - verdict.pushed_ns >= 250e6
    assert driver.finishes(0) == 1


def test_an_interruption_that_comes_too_late_is_none(tmp_path):
    (verdict,), _ = speak(tmp_path, segment(0, 100, interrupt_after_ms=5000))
    assert (verdict.interrupted, verdict.interrupted_ns) == (False, None)


def test_an_empty_segment_finishes_once(tmp_path):
    (verdict, after), driver = speak(tmp_path, segment(0, 0, words=()), segment(1, 100))
    assert (verdict.position_ms, verdict.interrupted) == (0, False)
    assert (driver.finishes(0), driver.finishes(1), driver.finishes(2)) == (1, 1, 0)
    assert after.position_ms == pytest.approx(100, abs=1)


def test_a_pause_loses_nothing(tmp_path):
    (verdict,), _ = speak(tmp_path, segment(0, 400, pause_after_ms=50, pause_ms=150, paced=True))
    assert verdict.position_ms == pytest.approx(400, abs=1)


def test_a_voice_that_is_lost_is_an_error_and_no_hang(tmp_path):
    async def run(voice):
        driver = Driver()
        await driver.open(voice.endpoint)
        spoken = asyncio.ensure_future(driver.speak(segment(0, 20_000)))
        await asyncio.sleep(0.2)
        voice.stop()
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ClientError):
                await spoken
        assert driver.finishes(0) == 0
        await driver.close()

    with served_voice(f"ipc://{tmp_path}/voice.sock", rate_hz=RATE_HZ) as voice:
        asyncio.run(run(voice))
