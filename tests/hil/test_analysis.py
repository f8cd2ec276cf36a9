"""The rig's analysis on synthetic frames and sound with known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.analysis import correlate, flashes, goldens, growth, intact, lipsync, mouth, onsets, pacing
from hil.captured import BAR, MOUTH, Frame, Region, Sound
from mien.face.calibration import flash_times_ms, is_lit

MS = 1_000_000
RATE = 48_000


def clicks(times_ms, length_ms, start_ns=0, noise=0):
    pcm = (
        np.random.default_rng(1).normal(0, noise, length_ms * RATE // 1000)
        if noise
        else np.zeros(length_ms * RATE // 1000)
    )
    tone = 12_000 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 50) / RATE)
    for at in times_ms:
        first = round(at * RATE / 1000)
        pcm[first : first + len(tone)] += tone
    return Sound(start_ns, RATE, pcm.astype(np.int16))


def bar_frames(length_ms, *, offset_ms=0.0, fps=30.0, phase_ms=3.0, drift=0.0):
    frames = []
    for at_ms in np.arange(phase_ms, length_ms, 1000 / fps):
        pixels = np.full((40, 24, 3), 90, np.uint8)
        pixels[35:] = 255 if is_lit(round((at_ms * (1 - drift) - offset_ms) * MS)) else 0
        frames.append(Frame(round(at_ms * MS), pixels))
    return frames


def measured(offset_ms, **how):
    length_ms = how.pop("length_ms", 20_000)
    edges = flashes.rising_edges(*flashes.levels(bar_frames(length_ms, offset_ms=offset_ms, **how)))
    return lipsync.measure(edges, onsets.click_times_ns(clicks(flash_times_ms(length_ms), length_ms)))


@settings(max_examples=25, deadline=None)
@given(st.floats(-300, 300), st.sampled_from([25.0, 30.0, 59.94, 5.3]))
def test_the_offset_is_found_at_any_frame_rate(offset_ms, fps):
    found = measured(offset_ms, fps=fps)
    assert found.offset_ms == pytest.approx(offset_ms, abs=found.half_width_ms + 1000 / fps / 4)


def test_the_frame_spacing_counts_neither_as_jitter_nor_as_drift():
    found = measured(12.0)
    assert found.jitter_ms < 3.0
    assert abs(found.drift_ms_a_minute) < 40
    assert found.unpaired <= 1


def test_drift_is_told_from_offset():
    found = measured(0.0, length_ms=60_000, drift=0.001)
    assert found.drift_ms_a_minute == pytest.approx(60.0, rel=0.2)


def test_a_flash_that_is_missing_is_counted_and_does_not_shift_the_others():
    frames = bar_frames(20_000, offset_ms=10)
    gone = [frame for frame in frames if not 1650 * MS < frame.time_ns < 1950 * MS]
    edges = flashes.rising_edges(*flashes.levels(gone))
    found = lipsync.measure(edges, onsets.click_times_ns(clicks(flash_times_ms(20_000), 20_000)))
    assert found.offset_ms == pytest.approx(10, abs=6)
    assert found.unpaired >= 1


def test_much_jitter_and_a_lost_second_do_not_match_the_pattern_elsewhere():
    rng = np.random.default_rng(8)
    times = [at for at in flash_times_ms(20_000) if not 9000 < at < 12_000]
    edges = [
        flashes.Edge(round((at + 30 + shake) * MS), round((at + 60 + shake) * MS))
        for at, shake in zip(times, rng.normal(0, 40, len(times)), strict=True)
    ]
    edges += [flashes.Edge(round(at * MS), round((at + 20) * MS)) for at in (10_050, 10_700)]
    found = lipsync.measure(edges, onsets.click_times_ns(clicks(flash_times_ms(20_000), 20_000)))
    assert found.offset_ms == pytest.approx(45, abs=25)


def test_patterns_that_have_nothing_to_do_with_each_other_are_no_measurement():
    times = np.sort(np.random.default_rng(9).uniform(0, 20_000, 27))
    edges = [flashes.Edge(round(at * MS), round((at + 30) * MS)) for at in times]
    heard = onsets.click_times_ns(clicks(flash_times_ms(20_000), 20_000))
    assert lipsync.measure(edges, heard) is None


def test_nothing_seen_or_heard_is_no_measurement():
    assert lipsync.measure([], [1, 2, 3]) is None
    assert onsets.click_times_ns(Sound(0, RATE, np.zeros(RATE, np.int16))) == []
    assert onsets.first_sound_ns(Sound(0, RATE, np.zeros(RATE, np.int16))) is None


def test_clicks_are_found_in_noise_to_the_millisecond():
    times = flash_times_ms(9000)
    found = onsets.click_times_ns(clicks(times, 9000, start_ns=7 * MS, noise=60))
    assert np.allclose(np.array(found) / MS - 7, times, atol=1.0)


def test_when_a_voice_that_was_cut_fell_silent():
    pcm = np.full(2 * RATE, 4000, np.int16)
    pcm[RATE // 2 :] = 0
    sound = Sound(100 * MS, RATE, pcm)
    assert onsets.stopped_ns(sound, 300 * MS) == 600 * MS
    assert onsets.stopped_ns(sound, 900 * MS) == 900 * MS
    assert onsets.stopped_ns(Sound(0, RATE, np.full(RATE, 4000, np.int16)), 0) is None


def test_how_long_a_voice_stood_still():
    pcm = np.full(RATE, 4000, np.int16)
    pcm[4800:9600] = 0
    pcm[20_000:20_100] = 0
    pcm[:1000] = 0
    assert onsets.stalls_ms(Sound(0, RATE, pcm)) == [pytest.approx(100, abs=0.1)]


def test_a_pause_between_words_is_not_the_end():
    pcm = np.full(RATE, 4000, np.int16)
    pcm[4800:6000] = 0
    assert onsets.stopped_ns(Sound(0, RATE, pcm), 0) is None


def face(opened):
    """Skin, and an opening with teeth in it."""
    pixels = np.full((160, 96, 3), (190, 130, 110), np.uint8)
    depth = round(18 * opened)
    pixels[92 : 92 + depth, 38:60] = 40
    pixels[92 : 92 + depth // 3, 42:56] = (220, 215, 205)
    return pixels


def test_the_mouths_opening_is_seen_and_its_lag_found():
    at_ms = np.arange(0, 6000, 33.3)
    speech = np.maximum(0, np.sin(2 * np.pi * 1.3 * at_ms / 1000) * np.sin(2 * np.pi * 0.21 * at_ms / 1000))
    frames = [Frame(round((ms + 60) * MS), face(value)) for ms, value in zip(at_ms, speech, strict=True)]
    times, opened = mouth.opening(frames, MOUTH)
    assert np.corrcoef(opened, speech)[0, 1] > 0.9
    found = correlate.lag(((at_ms * MS).astype(np.int64), speech), (times, opened))
    assert found.lag_ms == pytest.approx(60, abs=10)
    assert found.correlation > 0.9


def test_a_face_that_holds_still_gives_no_lag():
    frames = [Frame(n * 33 * MS, face(0)) for n in range(200)]
    assert correlate.lag(mouth.opening(frames), mouth.opening(frames)) is None


def test_dropped_frames_are_counted():
    times = [n * 33 * MS for n in range(60) if n not in (20, 41, 42)]
    found = pacing.pacing(times)
    assert (found.dropped, found.median_ms, found.longest_ms) == (3, 33.0, 99.0)
    assert pacing.pacing(times[:2]) is None


def test_a_frame_that_did_not_change_is_not_a_new_frame():
    still, moved = face(0.2), face(0.6)
    frames = [Frame(n, pixels) for n, pixels in enumerate([still, still, moved, moved, still])]
    assert pacing.change_times_ns(frames) == [2, 4]


def test_a_golden_forgives_a_breath_and_not_another_face():
    rng = np.random.default_rng(2)
    image = np.repeat(np.repeat(rng.integers(0, 255, (30, 20, 3)), 16, 0), 12, 1).astype(np.uint8)
    golden = goldens.blocks(image)
    assert goldens.likeness(image, golden).mean == 0
    assert goldens.likeness(np.roll(image, 1, axis=0), golden).matches
    assert not goldens.likeness(image[::-1], golden).matches
    assert not goldens.likeness(np.zeros_like(image), golden).matches


def test_a_golden_fits_any_size():
    image = np.tile(np.linspace(0, 255, 96).astype(np.uint8)[None, :, None], (160, 1, 3))
    larger = np.repeat(np.repeat(image, 3, axis=0), 3, axis=1)
    assert goldens.likeness(larger, goldens.blocks(image)).mean < 1


def speech(seconds=2.0):
    return (np.random.default_rng(4).normal(0, 4000, int(seconds * RATE))).astype(np.int16)


def test_speech_that_was_heard_whole_is_told_from_speech_with_a_gap():
    said = speech()
    heard = np.zeros(5 * RATE, np.int16)
    heard[RATE : RATE + len(said)] = said
    found = intact.compare(Sound(0, RATE, heard), said)
    assert (found.start_ns, found.missing_ms) == (1000 * MS, 0)
    heard[RATE + 4800 : RATE + 4800 + 960] = 0
    assert intact.compare(Sound(0, RATE, heard), said).missing_ms == pytest.approx(20, abs=5)


def test_speech_that_stood_still_is_whole_and_speech_that_lost_a_piece_is_not():
    said = np.where((noise := speech()) == 0, np.int16(1), noise)
    stood_still = np.concatenate(
        [np.zeros(RATE, np.int16), said[:30_000], np.zeros(4000, np.int16), said[30_000:], np.zeros(RATE, np.int16)]
    )
    assert intact.compare(intact.without_stalls(Sound(0, RATE, stood_still)), said).missing_ms == 0
    lost = np.concatenate([np.zeros(RATE, np.int16), said[:30_000], said[32_000:], np.zeros(RATE, np.int16)])
    assert intact.compare(intact.without_stalls(Sound(0, RATE, np.append(lost, said[:9000]))), said).missing_ms > 0
    silence = Sound(0, RATE, np.zeros(9, np.int16))
    assert intact.without_stalls(silence) is silence


def test_speech_that_was_quieter_or_noisy_is_whole():
    said = speech()
    heard = np.concatenate([np.zeros(RATE), said * 0.5, np.zeros(RATE)]) + np.random.default_rng(5).normal(
        0, 20, 4 * RATE
    )
    found = intact.compare(Sound(0, RATE, heard.astype(np.int16)), said)
    assert found.missing_ms == 0
    assert found.residual_db < -30


def test_speech_that_was_never_heard_is_not_found():
    assert intact.compare(Sound(0, RATE, np.zeros(3 * RATE, np.int16)), speech()) is None


def test_growth_is_a_slope_and_not_a_jump():
    seconds = np.arange(0, 3600, 10.0)
    assert growth.slope_an_hour(seconds, 50 + seconds / 3600) == pytest.approx(1.0)
    jumped = np.where(seconds > 3500, 90.0, 50.0)
    assert growth.slope_an_hour(seconds, jumped) == 0.0


def test_a_region_is_never_empty():
    assert Region(0.5, 0.5, 0.5, 0.5).of(np.zeros((3, 3, 3), np.uint8)).size == 3
    assert BAR.of(np.zeros((160, 96, 3), np.uint8)).shape[0] == 14


def test_a_part_of_a_sound_keeps_its_time():
    part = Sound(100 * MS, 1000, np.arange(1000, dtype=np.int16)).between(150 * MS, 160 * MS)
    assert (part.start_ns, part.pcm.tolist()) == (150 * MS, list(range(50, 60)))
    assert loud_at(part) == part.start_ns + 5 * MS


def loud_at(sound):
    return (
        int(onsets.loudness(sound, window_ms=10, step_ms=10)[0][0]) if len(sound.pcm) > 10 else sound.start_ns + 5 * MS
    )


def test_speech_with_gaps_and_repeats_is_found_in_part():
    speech = np.random.default_rng(5).normal(scale=3000, size=96_000).astype(np.int16)
    whole = np.concatenate([np.zeros(9600, np.int16), speech, np.zeros(9600, np.int16)])
    assert intact.share_found(Sound(0, 48_000, whole), speech) == 1.0
    dropped = np.concatenate([speech[:30_000], speech[40_000:60_000], np.zeros(5000, np.int16), speech[60_000:]])
    assert 0.6 < intact.share_found(Sound(0, 48_000, dropped), speech) < 0.95
    assert intact.share_found(Sound(0, 48_000, whole[::-1].copy()), speech) == 0.0
