"""What a calibration finds, in synthetic rooms: delays, gain, and every microphone that is no good."""

import numpy as np
import pytest

from mien.ear import calibrate
from mien.ear.calibrate import Part, analyse, signal
from mien.units import NS_PER_S

RATE_HZ = 16000
START_NS = 50 * NS_PER_S


def blocks(sound, start_ns, *, ppm=0.0, size=320):
    """A recording as blocks with times; ppm: how much faster than nominal its card is."""
    pcm = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    hz = RATE_HZ * (1 + ppm / 1e6)
    return [Part(pcm[at : at + size], start_ns + round(at * NS_PER_S / hz)) for at in range(0, len(pcm), size)]


def room(rt60_s=0.3, *, speaker=(2.1, 1.0, 1.1)):
    """An impulse response: of a real shape by the image-source method, where that is installed."""
    pra = pytest.importorskip("pyroomacoustics", reason="pip install 'mien[dev]'")
    absorption, order = pra.inverse_sabine(rt60_s, (4, 3, 2.5))
    box = pra.ShoeBox((4, 3, 2.5), fs=RATE_HZ, materials=pra.Material(absorption), max_order=min(order, 20))
    box.add_source(speaker)
    box.add_microphone((2.0, 0.7, 1.4))
    box.compute_rir()
    response = np.asarray(box.rir[0][0])
    return response / np.abs(response).max()


def travel_ms(response):
    """When the direct sound arrives."""
    return int(np.argmax(np.abs(response) > 0.5)) * 1000 / RATE_HZ


def measured(*, delay_ms=35.0, response=None, gain=0.3, noise=20.0, clip=32767, ppm=0.0, played=None, seed=1):
    """A calibration: what is played reaches the microphone delay_ms later, through the room."""
    played = np.concatenate((np.zeros(8000), signal().astype(float), np.zeros(8000))) if played is None else played
    heard = played if response is None else np.convolve(played, response)[: len(played)]
    if ppm:
        times = np.arange(len(heard)) / (1 + ppm / 1e6)
        heard = np.interp(times, np.arange(len(heard)), heard)
    noises = np.random.default_rng(seed).normal(0, noise, len(heard)) if noise else 0
    near = np.clip(heard * gain + noises, -clip, clip)
    start_ns = START_NS + round(delay_ms * 1e6)
    return analyse(blocks(played, START_NS), blocks(near, start_ns, ppm=ppm, size=320))


@pytest.mark.parametrize("delay_ms", [-120.0, 0.0, 12.5, 35.0, 180.0, 430.0])
def test_the_delay_between_the_clocks_is_found_to_a_tenth_of_a_millisecond(delay_ms):
    found = measured(delay_ms=delay_ms)
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.1)
    assert found.heard == calibrate.CHIRPS
    assert found.spread_ms < 0.1


@pytest.mark.parametrize("rt60_s", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("noise", [10.0, 300.0])
def test_in_a_room_it_is_the_direct_sound_s(rt60_s, noise):
    response = room(rt60_s)
    found = measured(response=response, delay_ms=20.0, gain=0.4, noise=noise)
    # The image-source method puts 40 frames before each arrival, for its fractional delays.
    assert found.delay_ms == pytest.approx(20.0 + travel_ms(response), abs=0.5)
    assert found.problems == ()
    assert found.likeness < calibrate.LOOPBACK


def test_drift_of_the_cards_does_not_shift_it():
    found = measured(ppm=200.0, response=room(0.3))
    assert found.delay_ms == pytest.approx(35.0 + travel_ms(room(0.3)), abs=0.5)
    assert found.problems == ()


@pytest.mark.parametrize("gain_db", [-30.0, -12.0, -3.0])
def test_the_gain_of_the_loop_is_measured(gain_db):
    response = np.zeros(400)
    response[[0, 300]] = 1.0, 0.05
    found = measured(gain=10 ** (gain_db / 20), response=response, noise=3.0)
    assert found.gain_db == pytest.approx(gain_db, abs=0.5)


def test_the_noise_is_that_of_the_room_before_the_first_chirp():
    found = measured(noise=327.0, response=room(), gain=0.5)
    assert found.noise_dbfs == pytest.approx(-40.0, abs=0.5)


def test_a_chirp_that_a_slammed_door_hides_is_done_without():
    rng = np.random.default_rng(4)
    played = np.concatenate((np.zeros(8000), signal().astype(float), np.zeros(8000)))
    near = played * 0.1 + rng.normal(0, 10, len(played))
    at = 8000 + 600 * 16 + 1200 * 16
    near[at - 2000 : at + 8000] += rng.normal(0, 12000, 10000)
    found = analyse(blocks(played, START_NS), blocks(near, START_NS + 30 * 10**6))
    assert found.delay_ms == pytest.approx(30.0, abs=0.2)
    assert found.heard >= calibrate.NEEDED


def test_a_microphone_that_does_not_hear_the_speaker():
    found = measured(gain=0.0, noise=100.0)
    assert found.problems == (calibrate.UNHEARD,)
    assert (found.delay_ms, found.gain_db) == (None, None)


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_is_never_taken_for_chirps(seed):
    assert measured(gain=0.0, noise=3000.0, seed=seed).delay_ms is None


def test_a_silent_microphone():
    assert measured(gain=0.0, noise=0.0).problems == (calibrate.SILENT,)


def test_a_microphone_that_clips():
    found = measured(gain=4.0, response=room())
    assert calibrate.CLIPS in found.problems
    assert found.peak_dbfs == pytest.approx(0.0, abs=0.1)
    assert found.delay_ms is not None


def test_the_loopback_of_the_speaker_is_no_microphone():
    found = measured(delay_ms=5.0, gain=0.9, noise=0.5)
    assert found.problems == (calibrate.LOOPED,)
    assert found.likeness > calibrate.LOOPBACK


def test_a_voice_that_does_not_tell_what_it_plays():
    found = measured(played=np.zeros(60_000), noise=50.0)
    assert found.problems == (calibrate.UNTOLD,)


def test_a_room_that_is_nearly_as_loud():
    found = measured(gain=0.02, noise=200.0, response=room())
    assert found.problems == (calibrate.TOO_NOISY,)
    assert found.delay_ms is not None


def test_no_recording_at_all():
    assert analyse([], []).problems == (calibrate.SILENT,)


def test_a_gap_in_the_recording_shifts_nothing_after_it():
    played = np.concatenate((np.zeros(8000), signal().astype(float), np.zeros(8000)))
    near = blocks(played * 0.3 + np.random.default_rng(1).normal(0, 10, len(played)), START_NS + 30 * 10**6)
    del near[60:75]  # 300 ms between the first and the second chirp
    assert analyse(blocks(played, START_NS), near).delay_ms == pytest.approx(30.0, abs=0.2)


def test_a_delay_that_changes_is_not_averaged():
    played = np.concatenate((np.zeros(8000), signal().astype(float), np.zeros(8000)))
    near = np.random.default_rng(1).normal(0, 10, len(played) + 8000)
    for index, delay_ms in enumerate((20, 45, 80, 130)):
        at = 8000 + 600 * 16 + index * 1200 * 16
        near[at + delay_ms * 16 : at + delay_ms * 16 + 4000] += played[at : at + 4000] * 0.3
    found = analyse(blocks(played, START_NS), blocks(near, START_NS))
    assert found.problems == (calibrate.UNSTEADY,)
    assert found.delay_ms is None
