"""Poses and heard speech of both services as processes: with the face, without it, with the next one."""

import signal
import time

from mien.client import HeardSpeech, Poses, connect
from mien.core.pose import CHANNEL_INDEX
from mien.core.pose_frames import decode_frames
from mien.fleet.packets import PoseBatch, PoseReader
from pipeline.test_processes import running, speechlike


def read(batches):
    """The poses of all frames, none of them lost."""
    reader, poses = PoseReader(), []
    for batch in batches:
        frames = decode_frames(batch.data, key=batch.key)
        poses += reader.take(PoseBatch(batch.seq, batch.at_ns // 1_000_000, batch.key, frames))
    assert not reader.lost
    return [pose for _, pose in poses]


def test_a_watcher_sees_the_face_speak_and_the_next_face_too(tmp_path):
    with (
        running(tmp_path) as (stack, _),
        connect(f"ipc://{tmp_path}/voice.sock") as speaker,
        connect(f"ipc://{tmp_path}/voice.sock", role="observer") as eye,
    ):
        eye.subscribe("poses", "heard")
        live = eye.live()

        def watch(until):
            came = []
            while not came or not until(came):
                came.append(next(live))
            return came

        begun_ns = time.monotonic_ns()
        speaker.say(speechlike(2.0))
        came = watch(lambda items: isinstance(items[-1], HeardSpeech) and items[-1].last)
        batches = [item for item in came if isinstance(item, Poses)]
        assert batches[0].key
        jaw = [pose[CHANNEL_INDEX["jawOpen"]] for pose in read(batches)]
        assert max(jaw) - min(jaw) > 0.05
        assert all(abs(batch.at_ns - begun_ns) < 60e9 for batch in batches)
        heard = [item for item in came if isinstance(item, HeardSpeech)]
        assert sum(len(item.data) for item in heard) >= 2 * 2 * 16000
        assert heard[0].first

        stack.face.send_signal(signal.SIGKILL)
        stack.face.wait()
        stack.start_face()
        fresh = watch(lambda items: isinstance(items[-1], Poses) and items[-1].key and not items[-1].seq)[-1]
        assert decode_frames(fresh.data, key=True)[0].whole
        eye.subscribe()
        live.close()
