"""External measurements: start, lip-sync, barge-in, frame rate, appearance of each state."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hil.analysis import correlate, flashes, goldens, lipsync, mouth, onsets, pacing
from hil.board import Board
from hil.speech import clicks, sentences, syllables
from hil.stages import wait_until
from mien.client import Client
from mien.core import wire

BACK_S = 20.0
REAL_TIME = pytest.mark.lg_feature("real-time")


@pytest.mark.first
def test_from_power_to_the_first_face_and_the_first_sound(board: Board) -> None:
    finished = board.say(1.0)
    assert finished.reason == "played"
    heard_ns = onsets.first_sound_ns(board.rig.ears.sound())
    assert heard_ns is not None
    for name, seconds in board.stages.times_s.items():
        board.findings.figure(name, seconds, "s")
    board.findings.screenshot("ready", board.rig.screen.frame().pixels)


def begin_epoch(client: Client) -> None:
    """The flashes follow media time, which continues from turn to turn and restarts after an interrupt."""
    turn = client.turn()
    turn.write(syllables(2))
    while turn.played_ms < 100 and not turn.over:
        time.sleep(0.02)
    client.interrupt()
    time.sleep(0.3)


@REAL_TIME
def test_lip_sync_by_flash_and_click(board: Board) -> None:
    board.configure("mien-face", face_calibration="true")
    board.await_active("mien-face", within_s=BACK_S)
    board.await_level("full", BACK_S)
    pcm = clicks(22_000)
    client, done = board.client(), []
    begin_epoch(client)
    board.rig.ears.start()
    talk = threading.Thread(target=lambda: done.append(client.say(pcm)))
    talk.start()
    frames = board.watch(22.5, 100)
    talk.join(120 * board.rig.patience)
    assert done[0].reason == "played"
    sound = board.rig.ears.sound()
    times, level = flashes.levels(frames)
    found = lipsync.measure(flashes.rising_edges(times, level), onsets.click_times_ns(sound))
    board.restore("mien-face")
    assert found is not None, "no flash matched a click"
    note = f"{found.pairs} flashes, {found.unpaired} without a match"
    board.findings.figure(
        "lip-sync by flash: seen later than heard", found.offset_ms, "ms", note=note, must="within 45 ms"
    )
    board.findings.figure("lip-sync by flash: half width of the 95 % interval", found.half_width_ms, "ms")
    board.findings.figure("lip-sync by flash: jitter beyond the frame spacing", found.jitter_ms, "ms")
    board.findings.figure(
        "lip-sync by flash: drift",
        found.drift_ms_a_minute,
        "ms/min",
        note="over 22 s: its error is about the jitter",
    )
    lit = next(frame for frame, value in zip(frames, level, strict=True) if value > flashes.MIDDLE)
    board.findings.screenshot("calibration: lit", lit.pixels)
    board.findings.curve(
        "Lip-sync: each flash against its click",
        "s",
        "ms",
        {"seen later than heard": ([ms / 1000 for ms in found.seen_ms], found.offsets_ms)},
    )
    assert found.pairs >= 20
    assert abs(found.offset_ms) - found.half_width_ms < 45  # ITU-R BT.1359-1: detectable at 45 ms early


@REAL_TIME
def test_lip_sync_by_the_mouth_itself(board: Board) -> None:
    pcm = np.concatenate([np.concatenate([pcm, np.zeros(24_000, np.int16)]) for pcm in sentences(6)])
    client, done = board.client(), []
    talk = threading.Thread(target=lambda: done.append(client.say(pcm)))
    talk.start()
    frames = board.watch(len(pcm) / 48_000 + 0.5, 60)
    talk.join(120 * board.rig.patience)
    seen = mouth.opening(frames)
    sound = board.rig.ears.sound()
    heard = onsets.loudness(sound)
    found = correlate.lag(heard, seen)
    assert found is not None, "the mouth never moved"
    board.findings.figure(
        "lip-sync by the mouth: opening later than loudness",
        found.lag_ms,
        "ms",
        note=f"correlation {found.correlation:.2f}, precision {found.half_width_ms:.0f} ms; a mouth opens "
        "before its vowel sounds: not the offset itself, but comparable between versions",
    )
    scale = max(float(seen[1].max()), 1e-9)
    begin = int(seen[0][0])
    board.findings.curve(
        "Mouth opening and loudness, as captured",
        "s",
        "",
        {
            "mouth opening": ((seen[0] - begin) / 1e9, seen[1] / scale),
            "loudness": ((heard[0] - begin) / 1e9, heard[1] / max(float(heard[1].max()), 1e-9)),
        },
    )
    widest = frames[int(seen[1].argmax())]
    board.findings.screenshot("widest open", widest.pixels)
    assert found.correlation > 0.5


@REAL_TIME
def test_a_sentence_without_any_fault_is_heard_whole(board: Board) -> None:
    with board.speaking(12) as speech:
        board.assert_heard_whole(speech)
    board.note_stalls("sound stalled without any fault")


@REAL_TIME
def test_barge_in_at_the_speaker(board: Board) -> None:
    client, found = board.client(), []
    rng = np.random.default_rng(11)
    for _ in range(20):
        turn = client.turn()
        turn.write(syllables(4))
        turn.end()
        while turn.played_ms < 150 and not turn.over:
            time.sleep(0.01 * board.rig.patience)
        time.sleep(0.1 + 0.3 * float(rng.random()))
        sent_ns = board.rig.clock()
        client.interrupt()
        time.sleep(0.25 * board.rig.patience)
        sound = board.rig.ears.sound()
        stopped = onsets.stopped_ns(sound, sent_ns, quiet_ms=150)
        assert stopped is not None, "it never went silent"
        found.append((stopped - sent_ns) / 1e6)
        marks = {"interrupt": sent_ns, "silent": stopped}
    board.findings.waveform(
        "The last barge-in",
        sound.between(sent_ns - 400_000_000, sound.end_ns),
        marks,
    )
    board.findings.figure("barge-in to silence, median", float(np.median(found)), "ms", note="20 interruptions")
    board.findings.figure(
        "barge-in to silence, 95th percentile",
        float(np.percentile(found, 95)),
        "ms",
        must="at most 150 ms on a real board",
    )
    assert np.median(found) < 150 * board.rig.patience


@REAL_TIME
def test_first_sound_after_the_first_audio(board: Board) -> None:
    client, found = board.client(), []
    for number in range(10):
        board.rig.ears.start()
        pcm = syllables(0.5, seed=number)
        sent_ns = board.rig.clock()
        client.say(pcm)
        heard_ns = onsets.first_sound_ns(board.rig.ears.sound())
        assert heard_ns is not None
        found.append((heard_ns - sent_ns) / 1e6)
    board.findings.figure("first audio sent to first sound, median", float(np.median(found)), "ms")
    board.findings.figure("first audio sent to first sound, 95th percentile", float(np.percentile(found, 95)), "ms")


@REAL_TIME
def test_frames_per_second_while_it_speaks(board: Board) -> None:
    with board.speaking(8, heard_first_s=0.3) as speech:
        frames = board.watch(6, 120)
        speech.wait(60 * board.rig.patience)
    found = pacing.pacing(pacing.change_times_ns(frames))
    assert found is not None, "the screen never changed"
    board.findings.figure("frames per second, as captured", found.rate_hz, "Hz")
    board.findings.figure(
        "frames dropped in 6 s", found.dropped, note=f"at a median interval of {found.median_ms:.1f} ms"
    )
    board.findings.figure("longest frame", found.longest_ms, "ms")
    assert found.rate_hz > 5 / board.rig.patience


GOLDENS = Path(__file__).resolve().parents[1] / "goldens"
RENEW = os.environ.get("MIEN_HIL_GOLDENS") == "renew"


def likeness(name: str, pixels: NDArray[np.uint8]) -> goldens.Likeness:
    """Likeness to the golden image of that name: its block means, stored as a PNG of 16 x 24 pixels."""
    path = GOLDENS / f"{name}.png"
    if RENEW:
        GOLDENS.mkdir(exist_ok=True)
        Image.fromarray(goldens.blocks(pixels).round().astype(np.uint8)).save(path)
    assert path.exists(), f"{path} is missing: check the screenshot, then set MIEN_HIL_GOLDENS=renew"
    return goldens.likeness(pixels, np.asarray(Image.open(path).convert("RGB"), dtype=np.float64))


@pytest.mark.lg_feature("portrait")
@pytest.mark.parametrize("state", ["idle", "listening", "thinking"])
def test_each_state_looks_as_it_is_meant_to(board: Board, state: wire.AgentState) -> None:
    board.client().state(state)
    time.sleep(1.5)
    pixels = np.median([frame.pixels for frame in board.watch(3, 8)], axis=0).astype(
        np.uint8
    )  # the median drops blinks
    board.findings.screenshot(state, pixels)
    found = likeness(state, pixels)
    board.findings.figure(
        f"{state}: mean difference to its golden image",
        found.mean,
        "grey levels",
        must=f"at most {goldens.MEAN_TOLERANCE:.0f}",
    )
    assert found.matches


@pytest.mark.lg_feature("portrait")
def test_without_a_voice_the_face_is_grey_and_small_and_says_so(board: Board) -> None:
    board.ask("systemctl stop mien-voice")
    time.sleep(4)
    pixels = board.rig.screen.frame().pixels
    board.findings.screenshot("disconnected", pixels)
    board.ask("systemctl start mien-voice")
    board.await_active("mien-voice", within_s=BACK_S)
    shown = board.rig.screen.frame
    wait_until(lambda: colour(shown().pixels) > 1.5 * colour(pixels), BACK_S * board.rig.patience, "colour")
    assert likeness("disconnected", pixels).matches


def colour(pixels: NDArray[np.uint8]) -> float:
    """Colourfulness of a frame: the mean distance of its channels."""
    return float(np.ptp(pixels.astype(np.int16), axis=2).mean())
