"""Draws the states and emotions as the director plays them: python models/avatars/states_sheet.py OUT.jpg [AVATAR]

One column per state, at two moments of its first four seconds; below, the emotions at full intensity.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

from mien.avatar.load import load_avatar
from mien.bench.speech import utterances
from mien.core.pose import Pose, new_pose
from mien.core.timeline import Timeline
from mien.face.behaviour.expressions import EMOTIONS, STATES
from mien.face.director import Director
from mien.face.offline import motion_frames, prosody_frames
from mien.motion.load import load_engine
from mien.motion.prosody import PROSODY_CHANNELS, PROSODY_HZ
from mien.render.gles import GlesRenderer
from mien.units import NS_PER_S

CELL = (168, 224)
FPS = 25
SEED = 3
MOMENTS_S = (2.48, 4.0)


class Speech:
    """A sentence that starts at a given time."""

    def __init__(self, begins_s: float) -> None:
        pcm, engine = np.concatenate(utterances(3)), load_engine()
        self._begins_ns = int(begins_s * NS_PER_S)
        frames = motion_frames(engine, [pcm], lambda _: None)
        prosody = prosody_frames(pcm, engine.info.lookahead_ms)
        self._motion = Timeline(width=55, frame_hz=engine.info.frame_hz, capacity=len(frames))
        self._said = Timeline(width=len(PROSODY_CHANNELS), frame_hz=PROSODY_HZ, capacity=len(prosody))
        for track, rows in ((self._motion, frames), (self._said, prosody)):
            track.begin(0)
            track.append(rows)
        self.prosody = np.zeros(len(PROSODY_CHANNELS), np.float32)

    def at(self, now_ns: int, out: Pose) -> None:
        self._motion.sample(now_ns - self._begins_ns, out[:55])
        self._said.sample(now_ns - self._begins_ns, self.prosody)


def performance(state: str, emotion: str) -> Iterator[tuple[float, Pose, float]]:
    """(seconds, pose, presence) of every frame. With an emotion the gaze stays on the viewer."""
    director, mouth, out = Director(seed=SEED), new_pose(), new_pose()
    speech = Speech(1.5) if state == "speaking" else None
    director.set_emotion(emotion or "neutral", 1.0, 0)
    if emotion:
        director.look_at(0.0, 0.0, 0)
    for number in range(int(MOMENTS_S[-1] * FPS) + 2):
        now_ns = number * NS_PER_S // FPS
        if speech is not None:
            speech.at(now_ns, mouth)
        director.compose(now_ns, state, mouth, out, None if speech is None else speech.prosody)
        yield number / FPS, out, director.presence


def main(arguments: list[str]) -> None:
    if not arguments:
        sys.exit(__doc__)
    renderer = GlesRenderer(load_avatar(Path(arguments[1]) if arguments[1:] else None), width=CELL[0], height=CELL[1])
    pygame.font.init()
    font = pygame.font.Font(None, 22)
    rows = len(MOMENTS_S) + 1
    page = pygame.Surface((CELL[0] * len(STATES), CELL[1] * rows))

    def place(name: str, pose: Pose, presence: float, column: int, row: int) -> None:
        renderer.set_presence(presence)
        renderer.draw(pose)
        page.blit(pygame.surfarray.make_surface(renderer.capture().swapaxes(0, 1)), (CELL[0] * column, CELL[1] * row))
        renderer.present()
        page.blit(font.render(name, True, (245, 245, 245)), (CELL[0] * column + 6, CELL[1] * row + 6))

    for column, state in enumerate(STATES):
        for seconds, pose, presence in performance(state, ""):
            if any(abs(seconds - moment) < 0.5 / FPS for moment in MOMENTS_S):
                row = int(np.argmin([abs(seconds - moment) for moment in MOMENTS_S]))
                place(state if row == 0 else "", pose, presence, column, row)
    for column, emotion in enumerate(EMOTIONS):
        for seconds, pose, presence in performance("idle", emotion):
            if abs(seconds - MOMENTS_S[-1]) < 0.5 / FPS:
                place(emotion, pose, presence, column, rows - 1)
    renderer.close()
    pygame.image.save(page, arguments[0])


if __name__ == "__main__":
    main(sys.argv[1:])
