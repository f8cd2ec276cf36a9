"""Prosody: pitch, stressed syllables, phrases, questions, independence of chunking."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.motion.pitch import STEP_SAMPLES, Pitch
from mien.motion.prosody import EFFORT, PITCH, RISE, STRESS, VOICE, Melody, ProsodyStream

RATE_HZ = 16_000


def voice(hz: np.ndarray | float, seconds: float, level: float | np.ndarray = 0.3) -> np.ndarray:
    """A buzz with a pitch contour: 24 decaying partials, float."""
    count = int(seconds * RATE_HZ)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, (count,))) / RATE_HZ
    buzz = sum(np.sin(k * phase) / k for k in range(1, 24))
    return np.asarray(buzz / 2 * level)


def pcm(sound: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(sound, -1, 1) * 32767, dtype=np.int16)


def pitches(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(hz, clarity) of every step."""
    tracker, found = Pitch(), []
    for at in range(0, len(sound) - STEP_SAMPLES + 1, STEP_SAMPLES):
        tracker.step(pcm(sound[at : at + STEP_SAMPLES]))
        found.append((tracker.hz, tracker.clarity))
    return np.array(found)[:, 0], np.array(found)[:, 1]


def track(sound: np.ndarray, lookahead_ms: float = 100.0) -> np.ndarray:
    stream = ProsodyStream(lookahead_ms)
    return np.concatenate([stream.push(pcm(sound)).copy(), stream.flush()])


def syllables(count: int, *, loud: dict[int, float] | None = None, hz: dict[int, float] | None = None) -> np.ndarray:
    """Syllables of 160 ms every 200 ms at 120 Hz, some of them `loud` times as loud or at another `hz`."""
    rise = np.hanning(int(0.16 * RATE_HZ))
    return np.concatenate([
        np.concatenate([voice((hz or {}).get(n, 120.0), 0.16, 0.15 * (loud or {}).get(n, 1.0) * rise),
                        np.zeros(int(0.04 * RATE_HZ))])
        for n in range(count)
    ])  # fmt: skip


@pytest.mark.parametrize("hz", [75, 110, 180, 260, 380])
@pytest.mark.parametrize("level", [0.3, 0.003])
def test_pitch_is_found_within_a_quarter_of_a_semitone(hz: float, level: float) -> None:
    found, clarity = pitches(voice(hz, 0.6, level))
    assert np.abs(12 * np.log2(found[5:] / hz)).max() < 0.25
    assert clarity[5:].min() > 0.8


def test_a_fundamental_that_the_telephone_cut_off_is_heard() -> None:
    spectrum = np.fft.rfft(voice(110, 0.6))
    spectrum[: int(300 * 0.6)] = 0
    found, _ = pitches(np.fft.irfft(spectrum))
    assert np.abs(12 * np.log2(found[5:-2] / 110)).max() < 0.5


def test_noise_offset_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).standard_normal(2 * RATE_HZ) * 0.1
    for sound in (noise, np.full(RATE_HZ, 0.4), np.zeros(RATE_HZ)):
        assert (pitches(sound)[1][5:] < 0.6).all()


@pytest.mark.parametrize("decibels", [0, -20, -34])
@pytest.mark.parametrize("how", [{"loud": {9: 2.2, 16: 2.2}}, {"hz": {9: 160.0, 16: 160.0}}])
def test_louder_and_higher_syllables_are_stressed_and_others_are_not(how: dict, decibels: float) -> None:
    stress = track(syllables(22, **how) * 10 ** (decibels / 20))[:, STRESS]
    begun_s = (np.flatnonzero((stress[1:] > 0) & (stress[:-1] == 0)) + 1) / 50
    for at in (9, 16):
        assert np.abs(begun_s - (0.2 * at + 0.08)).min() < 0.08
    assert (begun_s > 1.6).sum() <= 3  # before that, too little is known of the speaker


def test_stress_comes_later_but_comes_with_little_lookahead() -> None:
    far, near = (track(syllables(14, loud={9: 2.5}), ahead)[:, STRESS][60:] for ahead in (100.0, 40.0))
    assert 2 <= int(near.argmax()) - int(far.argmax()) <= 4


def test_effort_follows_loudness_relative_to_the_speaker() -> None:
    louder = track(np.concatenate([voice(120, 1.5, 0.1), voice(120, 0.5, 0.25)]))[:, EFFORT]
    softer = track(np.concatenate([voice(120, 1.5, 0.1), voice(120, 0.5, 0.04)]))[:, EFFORT]
    assert louder[-12:].max() > 0.75 > 0.4 > softer[-8:].min()


def test_a_question_rises_and_a_statement_does_not() -> None:
    level, count = voice(130, 0.8), int(0.35 * RATE_HZ)
    tail = np.zeros(int(0.4 * RATE_HZ))
    question = track(np.concatenate([level, voice(np.linspace(130, 190, count), 0.35), tail]))
    statement = track(np.concatenate([level, voice(np.linspace(130, 95, count), 0.35), tail]))
    assert question[58:70, RISE].min() > 0.8
    assert statement[58:70, RISE].max() < 0.1
    assert question[:, PITCH].max() > 0.4
    assert statement[:, PITCH].min() < -0.3


def test_a_phrase_ends_with_its_pause_and_not_in_a_stop() -> None:
    stop, pause = np.zeros(int(0.12 * RATE_HZ)), np.zeros(int(0.6 * RATE_HZ))
    heard = track(np.concatenate([voice(120, 0.6), stop, voice(120, 0.6), pause, voice(120, 0.6)]))[:, VOICE]
    begun, ended = (np.flatnonzero(np.diff(heard) == step) for step in (1, -1))
    assert len(ended) == 1
    assert 1.32 < ended[0] / 50 < 1.56
    assert 1.8 < begun[-1] / 50 < 2.0


@pytest.mark.parametrize("sound", [
    np.zeros(2 * RATE_HZ), np.full(2 * RATE_HZ, 0.3), np.random.default_rng(1).standard_normal(2 * RATE_HZ) * 0.1,
], ids=["silence", "offset", "noise"])  # fmt: skip
def test_what_is_no_voice_moves_no_head(sound: np.ndarray) -> None:
    frames = track(sound)
    assert np.abs(frames[:, [STRESS, PITCH, VOICE, RISE]]).max() < 1e-6
    assert frames[:, EFFORT].max() < 0.05


def test_a_steady_tone_is_a_voice_without_accents() -> None:
    frames = track(0.3 * np.sin(2 * np.pi * 220 * np.arange(3 * RATE_HZ) / RATE_HZ))[25:-12]
    assert frames[:, STRESS].max() == 0
    assert np.abs(frames[:, PITCH]).max() < 0.05


def test_nothing_leaves_its_range_at_full_scale_and_in_nonsense() -> None:
    draw = np.random.default_rng(4)
    square = np.sign(voice(np.linspace(70, 480, 2 * RATE_HZ), 2.0))
    for sound in (square, draw.choice([-1.0, 1.0], RATE_HZ), draw.standard_normal(RATE_HZ)):
        frames = track(sound)
        assert np.isfinite(frames).all()
        assert frames.min() >= -1
        assert frames.max() <= 1
        assert frames[:, [STRESS, EFFORT, VOICE, RISE]].min() >= 0


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 14_000), max_size=30), lookahead_ms=st.sampled_from([20.0, 40.0, 62.5, 100.0]))
def test_frames_do_not_depend_on_chunks(cuts: list[int], lookahead_ms: float) -> None:
    sound = pcm(np.concatenate([syllables(4, loud={2: 2.0}), np.zeros(1003)]))
    stream = ProsodyStream(lookahead_ms)
    parts = [stream.push(part).copy() for part in np.split(sound, sorted(cuts))]
    whole = ProsodyStream(lookahead_ms)
    expected = np.concatenate([whole.push(sound).copy(), whole.flush()])
    np.testing.assert_array_equal(np.concatenate([*parts, stream.flush()]), expected)
    assert len(expected) == -(-len(sound) // STEP_SAMPLES)


@pytest.mark.parametrize("lookahead_ms", [20.0, 40.0, 100.0])
def test_a_frame_comes_no_later_than_its_lookahead(lookahead_ms: float) -> None:
    stream, given_frames = ProsodyStream(lookahead_ms), 0
    assert stream.lookahead_ms <= lookahead_ms
    for end in range(160, 16_000, 160):
        given_frames += len(stream.push(np.zeros(160, dtype=np.int16)))
        assert given_frames >= int((end / 16 - lookahead_ms) / 20) + 1 if end / 16 >= lookahead_ms else True


def test_a_rise_is_kept_for_600_ms_of_silence_and_no_longer() -> None:
    """A questioning look lasts while the answer is awaited, but not forever."""
    melody = Melody()
    for step in range(60):
        melody.step(10.0 + max(0, step - 45) * 0.5)
    risen = melody.rise
    assert risen > 0.8
    kept = []
    for _ in range(50):
        melody.step(None)
        kept.append(melody.rise)
    assert set(kept[:29]) == {risen}
    assert set(kept[31:]) == {0.0}
    melody.step(15.0)
    assert melody.rise < 0.3  # the next phrase is measured against itself


def test_a_short_stop_does_not_end_a_rise_that_goes_on() -> None:
    """A rise is measured from its lowest pitch, which survives a voiceless stop of 200 ms but not a pause."""
    risen = {}
    for silent_steps in (10, 13):
        melody = Melody()
        for _ in range(60):
            melody.step(10.0)
        for _ in range(silent_steps):
            melody.step(None)
        for step in range(8):
            melody.step(12.0 + step * 0.1)
        risen[silent_steps] = melody.rise
    assert risen[10] == pytest.approx(risen[13], abs=0.4)
    assert risen[10] > 0.2


def test_pitch_stays_within_what_it_tells_whatever_sounds():
    """Found by make chaos: a lag of -11 samples, whose logarithm ended the motion thread."""
    at = np.arange(2 * STEP_SAMPLES, dtype=np.int64)
    for number in range(400):  # saws with a fractional period
        saw = (1 + (number * 10_473 + (1000 + number * 7919 % 30_749) * at) % 32_749) / 32_768
        hz, _ = pitches(saw)
        assert hz.min() >= 64, number
        assert hz.max() <= 500, number


def test_a_rise_that_stays_far_below_the_speakers_mean_is_none() -> None:
    """A creaky end of a phrase is no question."""
    melody = Melody()
    for _ in range(100):
        melody.step(0.0)
    for semitones in (-2.0, -4.0, -6.0, -8.0, -10.0, -12.0, -12.0, -12.0, -12.0, -10.0):
        melody.step(semitones)
    for semitones in (-9.5, -9.0, -8.5):
        melody.step(semitones)
        assert melody._now - melody._low > 0.2
        assert melody.above < -5
        assert melody.rise == 0
    for semitones in (-7.0, -5.0, -3.0, -1.0, 1.0, 3.0, 3.0):
        melody.step(semitones)
    assert melody.rise > 0.9
