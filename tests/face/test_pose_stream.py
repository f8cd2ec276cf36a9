"""The poses that watchers get: as shown, 30 a second, only what changed; none while nobody watches."""

import tracemalloc

import numpy as np
import pytest

from mien.core import bus
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, new_pose
from mien.core.pose_frames import CHANNELS, decode_frames
from mien.core.stats import Counters
from mien.face.pose_stream import RING, PoseStream
from mien.fleet.packets import PoseBatch, PoseReader
from rigs.face_rig import MS, FaceRig

JAW, PITCH = CHANNEL_INDEX["jawOpen"], CHANNEL_INDEX["headPitch"]


def stream():
    counters = Counters()
    made = PoseStream(counters)
    made.order(True)
    return made, counters


def posed(**values):
    pose = new_pose()
    for name, value in values.items():
        pose[CHANNEL_INDEX[name]] = value
    return pose


def shown(poses, hz, seconds, motion=lambda _: posed(), start_s=1):
    """Frames of a display; the batches that came, with the time at which each did."""
    batches = []
    for number in range(round(hz * seconds)):
        now_ns = start_s * 10**9 + round(number * 1e9 / hz)
        poses.add(now_ns, motion(number / hz))
        if (batch := poses.batch(now_ns, 1)) is not None:
            batches.append((now_ns, batch))
    return batches


def moving(at_s):
    return posed(jawOpen=0.5 + 0.4 * np.sin(9 * at_s), headPitch=0.2 * np.sin(3 * at_s))


def read(batches):
    reader, poses = PoseReader(), []
    for _, batch in batches:
        frames = decode_frames(batch.frames, key=batch.key)
        poses += reader.take(PoseBatch(batch.seq, batch.at_ns // MS, batch.key, frames))
    return poses


@pytest.mark.parametrize("hz", [24, 30, 50, 60, 75, 90, 120])
def test_about_thirty_a_second_whatever_the_display_has(hz):
    poses, _ = stream()
    batches = shown(poses, hz, 10, moving)
    frames = sum(len(decode_frames(batch.frames, key=batch.key)) for _, batch in batches)
    assert min(hz, 29) * 10 - 6 <= frames <= 310


@pytest.mark.parametrize("hz", [24, 30, 60])
def test_a_reader_has_each_pose_as_it_was_shown_and_when(hz):
    poses, _ = stream()
    batches = shown(poses, hz, 4, moving)
    got = read(batches)
    assert len(got) > 80
    for at_ms, pose in got:
        wanted = moving(at_ms / 1000 - 1)
        assert pose[JAW] == pytest.approx(wanted[JAW], abs=0.5 / 255 + 0.004)
        assert pose[PITCH] == pytest.approx(wanted[PITCH], abs=0.005 + 0.001)


def test_a_batch_has_three_frames_and_leaves_with_its_last():
    poses, _ = stream()
    for now_ns, batch in shown(poses, 30, 3, moving):
        assert len(decode_frames(batch.frames, key=batch.key)) == 3
        assert now_ns - batch.at_ns == pytest.approx(2e9 / 30, abs=2e6)


@pytest.mark.parametrize(("second_ms", "due_ms"), [(None, 45), (20, 65), (33, 70)])
def test_with_few_frames_a_batch_waits_for_the_next_and_no_longer(second_ms, due_ms):
    poses, _ = stream()
    poses.add(10**9, posed(jawOpen=0.1))
    if second_ms is not None:
        poses._due_ns = 0
        poses.add(10**9 + second_ms * MS, posed(jawOpen=0.2))
    assert poses.batch(10**9 + (due_ms - 1) * MS, 1) is None
    batch = poses.batch(10**9 + due_ms * MS, 1)
    assert batch is not None
    assert len(decode_frames(batch.frames, key=True)) == (1 if second_ms is None else 2)


def test_a_key_batch_within_every_second_moving_or_not():
    for motion in (moving, lambda _: posed(jawOpen=0.3)):
        poses, _ = stream()
        batches = [batch for _, batch in shown(poses, 60, 8, motion)]
        keys = [batch.at_ns for batch in batches if batch.key]
        assert batches[0].key
        assert max(np.diff(keys)) <= 1e9
        assert [batch.seq for batch in batches] == list(range(len(batches)))


def test_while_nothing_moves_there_are_only_key_batches():
    poses, _ = stream()
    batches = [batch for _, batch in shown(poses, 60, 8, lambda _: posed(jawOpen=0.3))]
    assert all(batch.key for batch in batches)
    assert len(batches) <= 10


def test_a_face_that_draws_nothing_repeats_what_is_seen():
    poses, _ = stream()
    shown(poses, 30, 1, moving)
    shown(poses, 30, 1, lambda _: posed(jawOpen=0.25), start_s=2)
    repeated = [poses.batch(3 * 10**9 + ms * MS, 1) for ms in range(0, 3000, 10)]
    keys = [batch for batch in repeated if batch is not None]
    assert 3 <= len(keys) <= 4
    assert {decode_frames(batch.frames, key=True)[0].changed[JAW] for batch in keys} == {64}


def test_before_the_first_frame_there_is_nothing_to_tell():
    poses, _ = stream()
    assert poses.wanted
    assert poses.batch(5 * 10**9, 1) is None


def test_who_begins_to_watch_gets_a_whole_pose_at_once():
    poses, _ = stream()
    shown(poses, 30, 1, moving)
    poses.order(True)
    assert poses.wanted
    poses.add(2 * 10**9 + 1, posed())
    assert not poses.wanted
    batch = poses.batch(2 * 10**9 + 100 * MS, 1)
    assert batch is not None
    assert batch.key


def test_values_beyond_their_range_are_at_its_end():
    poses, _ = stream()
    poses.add(0, posed(jawOpen=1.7, mouthLeft=-0.4, headPitch=-2.0, headYaw=2.0))
    batch = poses.batch(100 * MS, 1)
    changed = decode_frames(batch.frames, key=True)[0].changed
    assert [changed[CHANNEL_INDEX[name]] for name in ("jawOpen", "mouthLeft", "headPitch", "headYaw")] == [
        255, 0, -127, 127,
    ]  # fmt: skip


def test_a_motion_thread_that_is_busy_loses_frames_and_counts_them():
    poses, counters = stream()
    for number in range(RING + 5):
        poses.add(10**9 + number * 34 * MS, moving(number))
    assert counters["poses_dropped"] == 5
    batches = []
    while (batch := poses.batch(1800 * MS, 1)) is not None:
        batches.append((0, batch))
    assert len(read(batches)) == RING


def test_a_gap_longer_than_a_frame_can_tell_begins_a_batch():
    poses, _ = stream()
    for ms, jaw in ((0, 0.1), (400, 0.2), (433, 0.3)):
        poses.add(10**9 + ms * MS, posed(jawOpen=jaw))
    first, second = poses.batch(10**10, 1), poses.batch(10**10, 1)
    assert [len(decode_frames(b.frames, key=b.key)) for b in (first, second)] == [1, 2]
    assert [at_ms for at_ms, _ in read([(0, first), (0, second)])] == [1000, 1400, 1433]


def test_it_costs_nothing_until_somebody_watches():
    poses = PoseStream(Counters())
    pose = moving(1)
    poses.add(1, pose)
    tracemalloc.start()
    for number in range(1000):
        poses.add(number, pose)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 2000
    assert poses.batch(10**9, 1) is None
    assert poses._added == 0


class TestFace:
    """With the presenter and the motion stage."""

    def batches(self, rig):
        return [report for report in rig.reports if isinstance(report, bus.PoseBatch)]

    def run(self, rig, frames):
        for _ in range(frames):
            rig.anchor()
            rig.frame()
            rig.stage.send_poses(rig.clock.now_ns())

    def test_nothing_is_sent_unasked_and_nothing_after_the_end(self):
        rig = FaceRig()
        self.run(rig, 60)
        assert self.batches(rig) == []
        assert not rig.stage.hurried
        rig.hear(bus.PoseOrders(epoch=1, wanted=True))
        assert rig.stage.hurried
        self.run(rig, 60)
        told = len(self.batches(rig))
        assert told > 5
        rig.hear(bus.PoseOrders(epoch=1, wanted=False))
        self.run(rig, 60)
        assert len(self.batches(rig)) == told

    def test_what_is_sent_is_what_was_drawn(self):
        rig = FaceRig(fps=30)
        rig.anchor()
        rig.speech(to_ms=2000)
        rig.anchor(until_ms=2000, phase="speaking", turn="t")
        rig.hear(bus.PoseOrders(epoch=1, wanted=True))
        drawn = []
        for _ in range(45):
            drawn.append(rig.frame())
            rig.stage.send_poses(rig.clock.now_ns())
        got = dict(read([(0, batch) for batch in self.batches(rig)]))
        assert len(got) >= 42
        for seen_ns, pose in drawn[:42]:
            near = min(got, key=lambda at_ms: abs(at_ms - seen_ns / MS))
            assert abs(near - seen_ns / MS) <= 1.5
            assert np.abs(np.array(got[near]) - pose).max() <= 0.006

    def test_a_resting_face_draws_one_frame_for_a_new_watcher(self):
        rig = FaceRig()
        rig.presenter._rate._idle_ns = 10**9
        rig.hear(bus.PoseOrders(epoch=1, wanted=True))
        assert rig.state.wants_frame
        rig.frame()
        assert not rig.state.wants_frame


def test_the_masks_are_those_of_the_packets():
    assert CHANNELS == CHANNEL_COUNT
