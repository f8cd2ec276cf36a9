"""Offline rendering: a whole utterance as motion frames, poses at any frame rate, or timed captions."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from mien.config import CaptionsConfig, Config
from mien.core.bus import Anchor, CaptionCue
from mien.core.pose import CHANNEL_COUNT, Pose, new_pose
from mien.core.stats import Counters
from mien.core.timeline import Timeline
from mien.face.director import Director
from mien.face.overlay.annotations import Annotations
from mien.face.speech_motion import SpeechMotion
from mien.face.state import MOTION_WIDTH, CueStore
from mien.motion.base import MotionEngine, MotionFrames, Pcm
from mien.motion.prosody import PROSODY_CHANNELS, PROSODY_HZ, ProsodyFrames, ProsodyStream
from mien.render.base import Renderer
from mien.text.pango import libpango
from mien.units import NS_PER_MS, NS_PER_S

_TURN = "video"


def motion_frames(engine: MotionEngine, chunks: Iterable[Pcm], progress: Callable[[float], None]) -> MotionFrames:
    """All frames of one utterance, float32 (N, 55), from the streaming engine. progress(seconds of speech so far)."""
    made, seconds = [], 0.0
    for chunk in chunks:
        made.append(engine.push(chunk).copy())
        seconds += len(chunk) / engine.info.rate_hz
        progress(seconds)
    made.append(engine.flush().copy())
    return np.concatenate(made) if made else np.zeros((0, MOTION_WIDTH), np.float32)


def prosody_frames(speech: Pcm, lookahead_ms: float) -> ProsodyFrames:
    """The prosody of one utterance at that lookahead, float32 (N, 5). speech: mono at 16 kHz."""
    stream = ProsodyStream(lookahead_ms)
    return np.concatenate([stream.push(speech).copy(), stream.flush()])


def poses(
    frames: MotionFrames,
    prosody: ProsodyFrames,
    frame_hz: int,
    fps: float,
    seed: int,
    tail_s: float = 0.5,
    lead_s: float = 0.0,
) -> Iterator[Pose]:
    """The directed performance, one pose per frame at `fps`, in a reused vector.

    Begins lead_s before the speech, at rest, and ends tail_s after it.
    """
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
    lead_ns = round(lead_s * NS_PER_S)
    for number in range(int((lead_s + speech_s + tail_s) * fps)):
        now_ns = int(number * NS_PER_S / fps)
        media_ns = now_ns - lead_ns
        live = 0 <= media_ns < speech_s * NS_PER_S and timeline.sample(media_ns, target[:MOTION_WIDTH])
        motion.step(now_ns, epoch=0, live=live, target=target, out=speech)
        heard = live and track.sample(media_ns, said)
        director.compose(now_ns, "speaking" if live else "idle", speech, out, said if heard else None)
        yield out


class VideoCaptions:
    """Captions for a video of one utterance: a text spread over speech of length_ms that begins with the video."""

    def __init__(self, renderer: Renderer, text: str, length_ms: int) -> None:
        """Raises TextError if Pango is missing."""
        libpango()
        self._end_ns = length_ms * NS_PER_MS
        cues = CueStore()
        cues.take(CaptionCue(epoch=0, turn=_TURN, text=text, length_ms=length_ms))
        config = Config(captions=CaptionsConfig(enabled=True))
        self._annotations = Annotations(config, renderer, cues, Counters())

    def step(self, now_ns: int) -> None:
        """Update the overlay to this time of the video, for the next draw()."""
        speaking = now_ns < self._end_ns
        anchor = Anchor(
            epoch=0,
            media_ns=0,
            at_ns=0,
            until_ns=self._end_ns,
            phase="speaking" if speaking else "idle",
            turn=_TURN if speaking else "",
        )
        worker = self._annotations.worker
        assert worker is not None
        for _ in range(2):  # the first step requests a page, the second shows it
            self._annotations.step(now_ns, anchor, now_ns, voice=None, motion_lost=False)
            worker.do()
