"""The contract of mien.audio.base, over every backend that can load.

A rig says how time passes for its backend (`wait_ms`), and how it takes sound: paced backends play it at rate_hz, to
within `slack_frames`. ALSA's own `null` PCM swallows everything at once: there the promise is a delay of 0 at all
times, and the tests below demand just that of it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from mien.audio.alsa import AlsaSink
from mien.audio.base import Pcm, Sink
from mien.audio.converted import ConvertedSink
from mien.audio.null import NullSink
from mien.audio.wav import WavSink
from mien.core.clock import ManualClock
from mien.errors import SinkError
from mien.units import ms_to_frames
from rigs.card_sink import CardSink

RATE_HZ = 48000
BUFFER_MS = 100
BACKENDS = ("null", "wav", "card", "converted", "alsa-null", "alsa-pulse")


@dataclass(frozen=True, kw_only=True)
class Rig:
    sink: Sink
    wait_ms: Callable[[float], None]
    paced: bool = True
    slack_frames: int = 0

    def frames(self, ms: float) -> Pcm:
        return np.full(ms_to_frames(ms, self.sink.format.rate_hz), 1000, np.int16)

    def queued(self, frames: int) -> int:
        """The expected delay_frames() when a paced device would hold `frames`."""
        return frames if self.paced else 0

    def until_dry(self) -> None:
        self.wait_ms(BUFFER_MS)
        for _ in range(200):
            if self.sink.delay_frames() == 0:
                return
            self.wait_ms(5)
        pytest.fail("the device never finished what it had")


def sleep_ms(duration_ms: float) -> None:
    time.sleep(duration_ms / 1000)


def open_rig(backend: str, request: pytest.FixtureRequest) -> Rig:
    clock = ManualClock(start_ns=123_456_789)
    buffer_frames = ms_to_frames(BUFFER_MS, RATE_HZ)
    if backend == "null":
        return Rig(sink=NullSink(clock, RATE_HZ, buffer_frames), wait_ms=clock.advance_ms)
    if backend == "wav":
        path = request.getfixturevalue("tmp_path") / "heard.wav"
        return Rig(sink=WavSink(clock, RATE_HZ, buffer_frames, path), wait_ms=clock.advance_ms)
    if backend == "converted":
        device = NullSink(clock, 44100, ms_to_frames(BUFFER_MS, 44100))
        return Rig(sink=ConvertedSink(device, RATE_HZ), wait_ms=clock.advance_ms, slack_frames=2)
    if backend == "card":  # the voice's tests use this double, so it must implement the contract too
        return Rig(
            sink=CardSink(clock, RATE_HZ, buffer_frames),
            wait_ms=clock.advance_ms,
            slack_frames=ms_to_frames(10, RATE_HZ),
        )
    pytest.importorskip("alsaaudio", reason="pyalsaaudio is not installed: pip install 'mien[board]'")
    definitions = request.getfixturevalue("alsa_definitions")
    request.getfixturevalue("monkeypatch").setenv("ALSA_CONFIG_PATH", str(definitions))
    if backend == "alsa-null":
        return Rig(sink=AlsaSink("null", RATE_HZ, BUFFER_MS), wait_ms=sleep_ms, paced=False)
    request.getfixturevalue("sound_server")
    # The server reads 50 ms ahead, and a busy machine wakes us late.
    return Rig(sink=AlsaSink("paced", RATE_HZ, BUFFER_MS), wait_ms=sleep_ms, slack_frames=ms_to_frames(60, RATE_HZ))


@pytest.fixture(params=BACKENDS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    opened = open_rig(request.param, request)
    yield opened
    opened.sink.close()


def test_the_format_is_what_was_asked_for(rig: Rig) -> None:
    assert rig.sink.format.rate_hz == RATE_HZ
    assert rig.sink.format.buffer_frames == pytest.approx(ms_to_frames(BUFFER_MS, RATE_HZ), rel=0.1)


def test_a_new_sink_is_empty(rig: Rig) -> None:
    assert rig.sink.delay_frames() == 0
    assert rig.sink.underruns == 0


def test_what_fits_is_taken_and_what_is_taken_is_still_to_be_heard(rig: Rig) -> None:
    pcm = rig.frames(60)
    assert rig.sink.write(pcm) == len(pcm)
    delay = rig.sink.delay_frames()
    assert 0 <= delay <= len(pcm)
    assert delay == pytest.approx(rig.queued(len(pcm)), abs=rig.slack_frames)


def test_nothing_is_nothing(rig: Rig) -> None:
    assert rig.sink.write(rig.frames(0)) == 0
    assert rig.sink.delay_frames() == 0
    assert rig.sink.underruns == 0


def test_no_write_takes_more_than_the_free_room(rig: Rig) -> None:
    room = rig.sink.format.buffer_frames
    assert rig.sink.write(rig.frames(500)) == room
    free = room - rig.sink.delay_frames()
    if not rig.slack_frames:
        # PulseAudio's plugin passes a whole first buffer to its server and reports all of it as free.
        assert free == (0 if rig.paced else room)
    assert rig.sink.write(rig.frames(500)) <= free + rig.slack_frames
    assert rig.sink.delay_frames() <= room


def test_room_comes_back_at_the_pace_of_the_device(rig: Rig) -> None:
    """A second of sound through a buffer of 0.1 s takes a second, minus the buffer."""
    sink, left, waited_ms = rig.sink, len(rig.frames(1000)), 0
    pcm = rig.frames(1000)
    began = time.monotonic()
    while left:
        left -= sink.write(pcm[:left])
        rig.wait_ms(5)
        waited_ms += 5
        assert waited_ms < 4000, "the device does not take its sound"
    took_ms = max(waited_ms, (time.monotonic() - began) * 1000)
    if rig.paced:
        slack_ms = rig.slack_frames * 1000 / RATE_HZ
        assert took_ms >= 1000 - BUFFER_MS - slack_ms - 5
        assert sink.underruns == 0 or rig.slack_frames


def test_the_delay_falls_at_the_rate_and_never_rises_by_itself(rig: Rig) -> None:
    rig.sink.write(rig.frames(BUFFER_MS))
    seen = []
    for _ in range(16):
        seen.append(rig.sink.delay_frames())
        rig.wait_ms(5)
    assert all(later <= earlier for earlier, later in pairwise(seen))
    if rig.slack_frames == 0 and rig.paced:
        assert seen == [rig.queued(ms_to_frames(BUFFER_MS - 5 * step, RATE_HZ)) for step in range(16)]
    if not rig.paced:
        assert seen == [0] * 16


def test_in_the_end_all_was_heard(rig: Rig) -> None:
    rig.sink.write(rig.frames(40))
    rig.until_dry()
    assert rig.sink.delay_frames() == 0


def test_it_goes_on_by_itself_after_it_ran_dry_and_counts_that(rig: Rig) -> None:
    rig.sink.write(rig.frames(30))
    rig.until_dry()
    before = rig.sink.underruns
    pcm = rig.frames(30)
    assert rig.sink.write(pcm) == len(pcm)
    assert rig.sink.delay_frames() == pytest.approx(rig.queued(len(pcm)), abs=rig.slack_frames)
    if rig.paced:
        assert (before, rig.sink.underruns) == (0, 1)
    rig.until_dry()
    rig.sink.write(pcm)
    if rig.paced:
        assert rig.sink.underruns == 2


def test_drop_forgets_and_the_next_write_is_heard_at_once(rig: Rig) -> None:
    rig.sink.write(rig.frames(90))
    rig.sink.drop()
    assert rig.sink.delay_frames() == 0
    pcm = rig.frames(20)
    assert rig.sink.write(pcm) == len(pcm)
    assert rig.sink.delay_frames() <= rig.queued(len(pcm))
    assert rig.sink.underruns == 0
    rig.until_dry()


def test_drop_of_nothing_is_allowed(rig: Rig) -> None:
    rig.sink.drop()
    rig.sink.drop()
    assert rig.sink.write(rig.frames(10)) == len(rig.frames(10))
    assert rig.sink.underruns == 0


def test_the_array_stays_the_callers(rig: Rig) -> None:
    pcm = rig.frames(20)
    pcm.flags.writeable = False
    taken = rig.sink.write(pcm)
    assert taken == len(pcm)
    assert np.all(pcm == 1000)


def test_any_slice_can_be_written(rig: Rig) -> None:
    pcm = rig.frames(40)[::2]
    assert rig.sink.write(pcm) == len(pcm)


def test_closing_twice_is_allowed_and_nothing_else_after_it(rig: Rig) -> None:
    rig.sink.write(rig.frames(20))
    rig.sink.close()
    rig.sink.close()
    with pytest.raises(SinkError, match="closed"):
        rig.sink.write(rig.frames(1))
    with pytest.raises(SinkError, match="closed"):
        rig.sink.delay_frames()
    with pytest.raises(SinkError, match="closed"):
        rig.sink.drop()
