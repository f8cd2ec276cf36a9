"""The same face without a clock to keep up with: a whole utterance into motion frames, and into poses at any rate."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from mien.core.pose import CHANNEL_COUNT, Pose, new_pose
from mien.core.timeline import Timeline
from mien.face.director import Director
from mien.face.speech_motion import SpeechMotion
from mien.motion.base import MotionEngine, MotionFrames, Pcm
from mien.motion.prosody import PROSODY_CHANNELS, PROSODY_HZ, ProsodyFrames, ProsodyStream
from mien.units import NS_PER_S

MOTION_WIDTH = 55


def motion_frames(engine: MotionEngine, chunks: Iterable[Pcm], progress: Callable[[float], None]) -> MotionFrames:
    """All frames of one utterance, float32 (N, 55), by the streaming engine. progress: seconds of speech so far."""
    made, seconds = [], 0.0
    for chunk in chunks:
        made.append(engine.push(chunk).copy())
        seconds += len(chunk) / engine.info.rate_hz
        progress(seconds)
    made.append(engine.flush().copy())
    return np.concatenate(made) if made else np.zeros((0, MOTION_WIDTH), np.float32)


def prosody_frames(speech: Pcm, lookahead_ms: float) -> ProsodyFrames:
    """How one utterance is said, float32 (N, 5), as known with that lookahead. speech: mono at 16 kHz."""
    stream = ProsodyStream(lookahead_ms)
    return np.concatenate([stream.push(speech).copy(), stream.flush()])


def poses(
    frames: MotionFrames, prosody: ProsodyFrames, frame_hz: int, fps: float, seed: int, tail_s: float = 0.5
) -> Iterator[Pose]:
    """The directed performance, one pose a picture at `fps`: a vector that is reused. Ends tail_s after the speech."""
    timeline = Timeline(width=MOTION_WIDTH, frame_hz=frame_hz, capacity=max(1, len(frames)))
    timeline.begin(0)
    timeline.append(frames)
    track = Timeline(width=len(PROSODY_CHANNELS), frame_hz=PROSODY_HZ, capacity=max(1, len(prosody)))
    track.begin(0)
    track.append(prosody)
    director, motion = Director(seed=seed), SpeechMotion()
    target, speech, out = new_pose(), new_pose(), np.zeros(CHANNEL_COUNT, np.float32)
    said = np.zeros(len(PROSODY_CHANNELS), np.float32)
    speech_s = len(frames) / frame_hz
    for number in range(int((speech_s + tail_s) * fps)):
        now_ns = int(number * NS_PER_S / fps)
        live = now_ns < speech_s * NS_PER_S and timeline.sample(now_ns, target[:MOTION_WIDTH])
        motion.step(now_ns, epoch=0, live=live, target=target, out=speech)
        heard = live and track.sample(now_ns, said)
        director.compose(now_ns, "speaking" if live else "idle", speech, out, said if heard else None)
        yield out
