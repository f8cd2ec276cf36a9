"""The ear's benchmark: its scores, its rooms, its drift, without speech synthesis."""

import json
import sys

import msgspec
import numpy as np
import pytest

from ear.ear_signals import babble
from mien.bench import ear, ear_voices, ear_words
from mien.bench.ear_hours import drift_for_hours
from mien.bench.ear_rooms import drifted, loudspeaker, noise, rms, rooms, through
from mien.bench.ear_scores import Spoken, erle_db, log_spectral_distance_db, match, si_sdr_db
from mien.bench.ear_voices import first_sound, phrases
from mien.errors import MienError

RATE_HZ = 16000


def tone(seconds=1.0, hertz=440.0, level=8000.0):
    return np.rint(level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.int16)


def test_starts_are_matched_to_the_interruption_they_belong_to():
    spoken = [Spoken(1.0, 2.0, 5.0), Spoken(5.0, 6.0, 5.0), Spoken(9.0, 10.0, 5.0)]
    result = match(spoken, [(1.15, 1.02), (1.9, 1.8), (4.0, 3.9), (9.2, 8.99)])
    assert result.latencies_ms == pytest.approx([150, 200])
    assert result.errors_ms == pytest.approx([20, -10])
    assert (result.missed, result.false) == (1, 1)


def test_erle_is_the_ratio_of_the_powers():
    assert erle_db(tone(), tone(level=800), 0.0, 1.0) == pytest.approx(20, abs=0.05)


def test_untouched_sound_has_no_distance_and_changed_sound_has():
    assert log_spectral_distance_db(tone(), tone()) == 0
    assert log_spectral_distance_db(tone(), tone(level=800)) == pytest.approx(20, abs=1)
    noisy = (tone() + np.random.default_rng(1).standard_normal(RATE_HZ) * 800).astype(np.int16)
    assert si_sdr_db(tone(), (tone() * 0.5).astype(np.int16)) > 60
    assert si_sdr_db(tone(), noisy) == pytest.approx(17, abs=0.5)


def test_rooms_echo_for_as_long_as_they_say():
    booth, *_, hall = rooms()
    for room in (booth, hall):
        assert np.sum(room.echo**2) == pytest.approx(1)
        assert np.argmax(np.abs(room.mouth)) < 60
    tail = [np.sum(room.echo[1600:] ** 2) for room in (booth, hall)]
    assert tail[1] > 10 * tail[0]
    assert np.allclose(through(np.eye(1, 4000)[0], booth.echo)[: len(booth.echo)], booth.echo[:4000])


def test_rooms_without_pyroomacoustics_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(MienError, match=r"mien\[dev\]"):
        rooms()


def test_a_distorting_speaker_adds_harmonics():
    sound = tone(hertz=500) / 32768 * 3
    clean, driven = (np.abs(np.fft.rfft(loudspeaker(sound, amount))) for amount in (0.0, 1.0))
    assert clean[1500] < clean[500] * 1e-3
    assert driven[1500] > driven[500] * 1e-2


def test_a_fast_clock_plays_sooner():
    sound = np.zeros(10 * RATE_HZ)
    sound[8 * RATE_HZ] = 1
    assert np.argmax(np.abs(drifted(sound, 100))) == pytest.approx(8 * RATE_HZ * (1 - 1e-4), abs=1)
    assert drifted(sound, 0) is sound


def test_noise_and_rms():
    made = noise(RATE_HZ, np.random.default_rng(0))
    assert rms(made) == pytest.approx(1, abs=0.05)
    assert rms(np.concatenate((made, np.zeros(RATE_HZ)))) == pytest.approx(1, abs=0.05)


def test_a_breath_is_no_first_sound():
    speech = tone() / 32768
    breath = np.random.default_rng(0).standard_normal(1280) * 0.003
    assert first_sound(np.concatenate((breath, speech))) == pytest.approx(1280, abs=128)
    assert len(phrases(np.concatenate((speech, np.zeros(8000), speech, speech, np.zeros(8000), speech[:3000])))) == 2


def test_a_missing_synthesiser_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MienError, match="espeak-ng"):
        ear_voices.speak("a sentence that nobody has cached", "en")


def test_drift_is_followed():
    run = drift_for_hours(0.02, 100, lambda _: None)
    assert run.worst_ms < 0.5
    assert type(run.worst_ms) is type(run.first_ms) is float  # JSON knows no numpy


@pytest.mark.timeout(300)  # a minute and a half beside forty busy processes
def test_the_whole_benchmark_at_its_smallest(monkeypatch, tmp_path):
    # What a machine may have fetched or built stays out: the recogniser and the emulator take a minute.
    monkeypatch.setattr(ear_words, "is_there", lambda: False)
    monkeypatch.setenv("MIEN_QEMU", str(tmp_path))
    customers = tuple(babble(1.5, pitch_hz=180 + 10 * seed, seed=seed) for seed in (3, 4, 5, 7))
    voices = ear._Voices((babble(14, pitch_hz=110, seed=1),), customers, 4)
    monkeypatch.setattr(ear, "_voices", lambda *_: voices)
    monkeypatch.setattr(ear, "QUICK", ear.Size(interruptions=2, echo_s=30, hours=0.01, rooms=1, voices=1))
    monkeypatch.setattr(ear, "COST_RUNS", 1)
    monkeypatch.setattr(ear, "COST_S", 1)
    told = []
    report = ear.run_ear(True, told.append)
    (made,) = json.loads(json.dumps(msgspec.to_builtins([report])))
    values = {row["name"]: row["value"] for row in made["rows"]}
    assert values["ERLE after five seconds, median"] > 26
    assert values["interruptions missed"] == 0
    assert values["0.01 simulated hours at +200 ppm, worst error of the alignment"] < 1
    assert 10 < values["signal path in a process of its own, PSS"] < 60
    unmeasured = [row for row in made["rows"] if row["value"] is None]
    assert len(unmeasured) == 3  # two of the recogniser's, one of the emulator's
    assert all(row["note"] for row in unmeasured)  # each says what is missing
    assert any("interruptions" in line for line in told)
