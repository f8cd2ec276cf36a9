"""The least that a board must do, on any rig: a face is seen, a sentence is heard, the mouth moves."""

import threading

import numpy as np
import pytest
from hil.analysis import mouth, onsets
from hil.board import SERVICES, Board
from hil.speech import sentences

SPEECH_LEVEL = 300  # of int16: well above the filler between turns, which is silence


@pytest.mark.first
def test_a_sentence_is_said_seen_and_heard(board: Board):
    assert board.stages.shows_face()
    assert board.active(*SERVICES)
    before = board.rig.screen.frame()
    board.findings.picture("ready", before.pixels)
    # An emulated board shows a picture in one to three seconds: one sentence is over before its mouth is seen.
    spoken = sentences(1 if board.rig.patience <= 1 else 4)
    pcm, client, done = np.concatenate(spoken), board.client(), []
    talk = threading.Thread(target=lambda: done.append(client.say(pcm)))
    talk.start()
    frames = [before]
    while talk.is_alive():
        frames.append(board.rig.screen.frame())
        talk.join(0.05)
    assert done, "the client was lost"
    assert done[0].reason == "played"
    assert abs(done[0].played_ms - len(pcm) / 48) < 2
    sound = board.rig.ears.sound()
    assert int(np.abs(sound.pcm.astype(int)).max()) > SPEECH_LEVEL, "nothing was heard"
    first, last = onsets.first_sound_ns(sound), onsets.last_sound_ns(sound)
    board.findings.waveform("A sentence", sound, {"first": first or 0, "last": last or 0})
    _, opened = mouth.opening(frames)
    board.findings.figure("pictures captured while it spoke", len(frames))
    moved = float(opened.max() - opened.min())
    board.findings.figure("mouth: share of its region that opened and closed", moved, must="above 0.002")
    board.findings.picture("widest open", frames[int(opened.argmax())].pixels)
    different = len({frame.pixels.tobytes() for frame in frames})
    board.findings.figure("different pictures while it spoke", different)
    assert different > 1, "the picture stood still"
    # An emulated face draws so few pictures that the mouth may be shut in each; guest time has its first motion.
    assert moved > 0.002 or board.rig.patience > 1, "the mouth never moved"
