"""Restarts of a face that exits: with growing pauses, each reported, without giving up."""

import itertools

from mien.cli.run import STABLE_NS, ChildSupervisor
from mien.units import NS_PER_MS, NS_PER_S


class Faces:
    """Faces that run for lives_s; time advances in steps of 100 ms."""

    def __init__(self, lives_s):
        self.lives_ns = lives_s * NS_PER_S
        self.now_ns = 77
        self.started_s, self.said = [], []
        self.keeper = ChildSupervisor("face", self.start, self.said.append)

    def start(self):
        self.started_s.append((self.now_ns - 77) / NS_PER_S)
        self.ends_ns = self.now_ns + self.lives_ns
        return self

    def poll(self):
        return 1 if self.now_ns >= self.ends_ns else None

    def run(self, seconds):
        for _ in range(seconds * 10):
            self.keeper.step(self.now_ns)
            self.now_ns += 100 * NS_PER_MS


def test_a_face_that_cannot_live_is_tried_for_ever_with_growing_pauses():
    faces = Faces(lives_s=0)
    faces.run(seconds=600)
    starts = faces.started_s
    assert starts[0] == 0
    pauses = [round(later - earlier, 1) for earlier, later in itertools.pairwise(starts)]
    assert pauses[:7] == [0.6, 1.1, 2.1, 4.1, 8.1, 16.1, 30.1]
    assert set(pauses[7:]) == {30.1}
    assert starts[-1] > 560
    for start in starts:
        assert sum(start <= other < start + 60 for other in starts) <= 7


def test_each_end_is_said():
    faces = Faces(lives_s=0)
    faces.run(seconds=100)
    assert len(faces.said) == len(faces.started_s)
    assert faces.said[:3] == [
        "the face exited with 1; restarting it in 0.5 s",
        "the face exited with 1; restarting it in 1 s",
        "the face exited with 1; restarting it in 2 s",
    ]


def test_a_face_that_lives_is_left_alone():
    faces = Faces(lives_s=10_000)
    faces.run(seconds=600)
    assert (faces.started_s, faces.said) == ([0], [])


def test_a_calm_minute_is_a_clean_slate():
    faces = Faces(lives_s=0)
    faces.run(seconds=40)  # the pauses have grown to 30 s
    faces.lives_ns = STABLE_NS
    faces.run(seconds=160)
    assert faces.said[-1] == "the face exited with 1; restarting it in 0.5 s"
    faces.lives_ns = STABLE_NS - NS_PER_S
    faces.run(seconds=300)
    assert [text.split()[-2] for text in faces.said[-4:]] == ["1", "2", "4", "8"]
