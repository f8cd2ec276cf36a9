"""The far end's buffer with its reader: right sound at the right time, whatever the voice and the clocks do."""

import numpy as np
import pytest

from ear.ear_signals import BLOCK_NS, RATE_HZ, START_NS
from mien.bench.ear_hours import drift_for_hours
from mien.core.ear_bus import EAR_BLOCK_FRAMES, FarEnd
from mien.ear.far_end import JUMP_BLOCKS, FarEndBuffer, Reader


def ramp(first, frames=EAR_BLOCK_FRAMES):
    """A slow sine, which says where it was read."""
    return np.rint(12000 * np.sin(2 * np.pi * 200 * (first + np.arange(frames)) / RATE_HZ)).astype(np.int16)


def written(blocks=20, stream=1):
    buffer = FarEndBuffer()
    for number in range(blocks):
        offset = number * EAR_BLOCK_FRAMES
        buffer.write(block(offset, stream), ramp(offset), float(offset))
    return buffer


def block(offset, stream=1, at_ns=None):
    at_ns = START_NS + offset * 1_000_000_000 // RATE_HZ if at_ns is None else at_ns
    return FarEnd(stream=stream, offset=offset, frames=EAR_BLOCK_FRAMES, at_ns=at_ns)


@pytest.mark.parametrize("position", [640.0, 700.25, 1000.5, 3000.996])
@pytest.mark.parametrize("step", [1.0, 1.0001, 0.9998])
def test_any_fraction_of_a_frame_can_be_read(position, step):
    read, missing = written().read(position, step)
    wanted = 12000 * np.sin(2 * np.pi * 200 * (position + step * np.arange(EAR_BLOCK_FRAMES)) / RATE_HZ)
    assert missing == 0
    assert np.abs(read - wanted).max() < 40


def test_what_has_not_come_is_silent_and_counted():
    read, missing = written(4).read(3 * 320.0 + 160, 1.0)
    assert 150 < missing < 200
    assert np.abs(read[:120]).max() > 10000
    assert np.abs(read[200:]).max() == 0
    assert not written(4).read(-2000.0, 1.0)[0].any()


def test_lost_blocks_are_silent_and_counted():
    buffer = written(4)
    buffer.write(block(6 * 320), ramp(6 * 320), 6 * 320.0)
    assert buffer.lost_frames == 2 * 320
    assert not buffer.read(4 * 320 + 20.0, 1.0)[0].any()
    assert buffer.read(6 * 320 - 100.0, 1.0)[0].any()


def test_a_block_that_comes_late_takes_its_place():
    buffer = written(4)
    buffer.write(block(5 * 320), ramp(5 * 320), 5 * 320.0)
    buffer.write(block(4 * 320), ramp(4 * 320), 4 * 320.0)
    read, _ = buffer.read(4 * 320.0 - 100, 1.0)
    assert np.abs(read - ramp(4 * 320 - 100)).max() < 40
    assert buffer.end == 6 * 320


def test_the_buffer_goes_round_without_a_trace():
    buffer = written(300)
    read, _ = buffer.read(290 * 320.0, 1.0)
    assert np.abs(read - ramp(290 * 320)).max() < 40
    assert not buffer.read(50 * 320.0, 1.0)[0].any()


def test_a_new_stream_begins_where_it_is_heard():
    buffer, reader = written(10), Reader()
    reader.restart_at(START_NS, 0.0)
    heard_ns = START_NS + 7 * BLOCK_NS + 5_000_000  # the old one still held three blocks, which are dropped
    assert buffer.write(block(0, stream=2, at_ns=heard_ns), ramp(0), reader.predicted(heard_ns))
    read, _ = buffer.read(reader.predicted(heard_ns), 1.0)
    assert np.abs(read[:280] - ramp(0)[:280]).max() < 100
    assert buffer.end == round(reader.predicted(heard_ns)) + 320


def test_a_restarted_voice_counts_from_one_again():
    buffer, reader = written(300), Reader()
    reader.restart_at(START_NS, 0.0)
    heard_ns = START_NS + 400 * BLOCK_NS
    assert buffer.write(block(0, stream=1, at_ns=heard_ns), ramp(0), reader.predicted(heard_ns))
    assert np.abs(buffer.read(400 * 320.0, 1.0)[0][:280] - ramp(0)[:280]).max() < 100


def test_the_reader_follows_a_drift_without_a_jump():
    reader = Reader()
    reader.restart_at(START_NS, 0.0)
    positions, random = [], np.random.default_rng(2)
    for number in range(3000):
        true = number * EAR_BLOCK_FRAMES * (1 + 200e-6)
        position, _ = reader.advance(START_NS + number * BLOCK_NS, true + 8 * random.standard_normal())
        positions.append(position - true)
    assert np.abs(positions).max() < 16  # 1 ms
    assert np.abs(positions[1000:]).max() < 4
    assert np.abs(np.diff(positions)).max() < 2.0
    assert reader.drift_ppm == pytest.approx(200, abs=25)
    assert reader.jumps == 0


def test_one_wrong_reading_moves_nothing_but_a_lasting_one_does():
    reader = Reader()
    reader.restart_at(START_NS, 0.0)
    for number in range(50):
        reader.advance(START_NS + number * BLOCK_NS, number * 320.0 + (4000 if number == 20 else 0))
    assert reader.jumps == 0
    assert reader.predicted(START_NS + 50 * BLOCK_NS) == pytest.approx(50 * 320, abs=1)
    for number in range(50, 50 + JUMP_BLOCKS):
        reader.advance(START_NS + number * BLOCK_NS, number * 320.0 + 4000)
    assert reader.jumps == 1
    assert reader.predicted(START_NS + 60 * BLOCK_NS) == pytest.approx(60 * 320 + 4000, abs=2)


def test_after_a_gap_the_reader_is_where_time_is():
    reader = Reader()
    reader.restart_at(START_NS, 100.0)
    for number in range(10):
        reader.advance(START_NS + number * BLOCK_NS, 100 + number * 320.0)
    later_ns = START_NS + 60 * BLOCK_NS
    reader.resume(later_ns)
    assert reader.advance(later_ns, None)[0] == pytest.approx(100 + 60 * 320, abs=1)


@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_minutes_of_drift_stay_aligned(ppm):
    run = drift_for_hours(0.03, ppm, lambda _: None)
    assert run.first_ms < 1.0
    assert run.worst_ms < 0.3
    assert run.jumps == 0
