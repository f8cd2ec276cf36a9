"""Figures that were found together, by search over recordings or by looking: who changes one has to look at all again.

The searches and what they reached are in models/. A figure that is ten times another moves no test of a single rule.
"""

from mien.motion import aligner, guidance, guide, guided_lips, phone_chain, phone_model, pitch, prosody, speech_gate


def test_the_chain_of_phones_moves_as_fast_as_people_speak():
    """Probabilities for each frame of 10 ms."""
    assert phone_chain.FRAME_HZ == 100
    assert (phone_chain.STAY, phone_chain.SKIP, phone_chain.PAUSE, phone_chain.PAUSE_STAYS) == (0.6, 0.05, 0.15, 0.92)
    assert (phone_chain.LEAVE, phone_chain.ADVANCE, phone_chain.ENTER) == (0.03, 0.04, 3e-4)
    assert (phone_chain.EARLY_S, phone_chain.LATE_S) == (0.15, 0.25)


def test_the_aligner_looks_at_a_window_of_words():
    assert (aligner.WINDOW, aligner._BEHIND, aligner._MOVE_AT, aligner._LOOK_EVERY) == (20, 4, 10, 16)
    assert aligner._BEHIND < aligner._MOVE_AT < aligner.WINDOW
    assert (aligner._OTHER_LIKELIHOOD, aligner._OUTSIDE) == (0.5, 1e-4)


def test_guidance_is_bounded_as_the_protocol_is():
    assert (guidance.MOST_PHONES, guidance.MOST_WORDS) == (32, 4_000)
    assert (guidance._ABUT_S, guidance._JOINED, guide._KEPT) == (0.03, 8, 100)


def test_the_lips_trust_a_text_that_fits():
    assert (guided_lips.TRUST_AT_FIRST, guided_lips.TRUST_RISES) == (0.9, 0.03)
    assert (guided_lips.FIT_AT_FIRST, guided_lips._FIT_FOLLOWS) == (0.8, 0.02)
    assert (guided_lips._FITS, guided_lips._TRUSTED) == ((0.8, 0.3), (0.75, 0.3))
    ramps = (guided_lips._OPENS, guided_lips._SHUTS, guided_lips._BITES)
    assert ramps == ((0.6, 0.25), (0.25, 0.25), (0.5, 0.25))


def test_the_phone_model_is_read_as_it_was_trained():
    assert (phone_model.FORMAT, phone_model.TAPS, phone_model.SHARPNESS, phone_model._LOG_FLOOR) == (1, 3, 0.3, -10.0)


def test_pitch_is_looked_for_in_voices_of_people():
    assert (pitch.RATE_HZ, pitch.STEP_SAMPLES, pitch.DECIMATION, pitch.LOW_RATE_HZ) == (16_000, 320, 4, 4_000)
    assert (pitch.COMPARED, pitch._TAPS, pitch._CUTOFF_HZ, pitch._LONG_LAG_COSTS) == (120, 32, 900.0, 0.12)


def test_prosody_follows_a_speaker_and_not_the_room():
    assert prosody.PROSODY_HZ == 50
    assert (prosody._VOICED, prosody._LEAST_DB, prosody._SPEAKER_RANGE_DB) == (0.6, -66.0, 22.0)
    assert (prosody._PEAK_FALLS_DB_PER_S, prosody._MEAN_S, prosody._PAUSE_S, prosody._RISE_KEPT_S) == (
        3.0,
        1.5,
        0.24,
        0.6,
    )


def test_the_gate_opens_for_speech_and_not_for_music_or_noise():
    assert (speech_gate.STEP_S, speech_gate._BACK, speech_gate._AUDIBLE, speech_gate._PAUSE_STEPS) == (0.02, 3, -1.5, 8)
    assert (speech_gate._LIVELY, speech_gate._GLIDING, speech_gate._HYSTERESIS) == (0.5, 0.11, 1.8)
    assert (speech_gate._DECAY, speech_gate._VOICED, speech_gate._GLIDE_SEMITONES) == (0.02, 0.62, (0.05, 1.5))
