"""Smoke test for any rig: a face is seen, a sentence is heard, the mouth moves."""

import threading

import numpy as np
import pytest

from hil.analysis import mouth, onsets
from hil.board import SERVICES, Board
from hil.captured import Frame
from hil.speech import Pcm, sentences
from mien.client import Client
from mien.core.wire import Finished

MOST_TURNS = 6
MOUTH_MOVED = 0.002  # of the mouth region; a silent face moves less
SPEECH_LEVEL = 300  # of int16: between turns there is silence


@pytest.mark.first
def test_a_sentence_is_said_seen_and_heard(board: Board) -> None:
    assert board.stages.shows_face()
    assert board.active(*SERVICES)
    before = board.rig.screen.frame()
    board.findings.screenshot("ready", before.pixels)
    # An emulated board takes one to three seconds per frame: it speaks more, until its mouth is seen to move.
    emulated = board.rig.patience > 1
    pcm, client = np.concatenate(sentences(4 if emulated else 1)), board.client()
    frames = [before]
    done: list[Finished] = []
    for turn in range(1, 1 + (MOST_TURNS if emulated else 1)):
        frames += talking(board, client, pcm, done)
        _, opened = mouth.opening(frames)
        moved = float(opened.max() - opened.min())
        if len(done) < turn or moved > MOUTH_MOVED:
            break
    assert done, "the client was lost"
    assert done[0].reason == "played"
    assert abs(done[0].played_ms - len(pcm) / 48) < 2
    sound = board.rig.ears.sound()
    assert int(np.abs(sound.pcm.astype(int)).max()) > SPEECH_LEVEL, "nothing was heard"
    first, last = onsets.first_sound_ns(sound), onsets.last_sound_ns(sound)
    board.findings.waveform("A sentence", sound, {"first": first or 0, "last": last or 0})
    board.findings.figure("turns until the mouth was seen to move", len(done))
    board.findings.figure("frames captured while it spoke", len(frames))
    board.findings.figure("mouth: fraction of its region that opened and closed", moved, must=f"above {MOUTH_MOVED}")
    board.findings.screenshot("widest open", frames[int(opened.argmax())].pixels)
    different = len({frame.pixels.tobytes() for frame in frames})
    board.findings.figure("different frames while it spoke", different)
    assert different > 1, "the screen never changed"
    assert moved > MOUTH_MOVED, "the mouth never moved"


def talking(board: Board, client: Client, pcm: Pcm, done: list[Finished]) -> list[Frame]:
    """Capture the screen while a turn is spoken; its Finished is appended to `done`."""
    talk = threading.Thread(target=lambda: done.append(client.say(pcm)))
    talk.start()
    frames = [board.rig.screen.frame()]
    while talk.is_alive():
        frames.append(board.rig.screen.frame())
        talk.join(0.05 if board.rig.patience <= 1 else 0.25)  # each capture costs an emulated board time
    return frames
