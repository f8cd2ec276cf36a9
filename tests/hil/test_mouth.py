"""The rig's mouth on a manual clock: walls, crystals, what is read of the speaker, when the customer is heard."""

import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hil.errors import RigError
from hil.mouth.acoustics import BLOCK_FRAMES, Convolver, Crystal, Loudspeaker, as_pcm
from hil.mouth.played import QemuPlayed, WavPlayed
from hil.mouth.plugin import alsa_configuration, microphone_plugin
from hil.mouth.ring import FRAMES, HEADER, LATENCY_NS, RATE_HZ, Ring
from hil.mouth.scene import BLOCK_NS, ECHO_DB, ECHO_GAIN_DB, SETTLES_NS, RoomSound, Scene, level
from mien.audio.wav import WavSink
from mien.bench.ear_rooms import Room
from mien.core.clock import ManualClock

MS = 1_000_000
QUIET_DB = 90.0  # of the noise below the echo
BARE = Room(name="bare", rt60_s=0.0, echo=np.eye(1, 480, 240)[0], mouth=np.eye(1, 480)[0])  # echo: 5 ms later


def blocks(sound):
    return sound[: len(sound) // BLOCK_FRAMES * BLOCK_FRAMES].reshape(-1, BLOCK_FRAMES)


def heard_by(ring):
    """What a card delivers: the newest FRAMES of the ring."""
    count = min(ring.written, FRAMES)
    return (
        np.roll(ring._sound, -ring.written)[FRAMES - count :] if ring.written > FRAMES else ring._sound[:count].copy()
    )


@pytest.mark.parametrize("length", [1, 480, 481, 3000])
def test_a_stream_is_convolved_as_a_whole_would_be(length):
    random = np.random.default_rng(length)
    sound, response = random.standard_normal(9600), random.standard_normal(length)
    stage = Convolver(response)
    made = np.concatenate([stage.process(block) for block in blocks(sound)])
    assert made == pytest.approx(np.convolve(sound, response)[:9600], abs=1e-8)


@pytest.mark.parametrize("ppm", [200.0, -200.0, 0.0])
def test_a_crystal_samples_earlier_and_earlier_or_later_and_later(ppm):
    seconds = 4
    at = np.arange(seconds * RATE_HZ) / RATE_HZ
    stage = Crystal(ppm)
    made = np.concatenate([stage.process(block) for block in blocks(np.sin(2 * np.pi * 3000 * at))])
    assert len(made) == pytest.approx(seconds * RATE_HZ * (1 + ppm * 1e-6), abs=25)
    wanted = np.sin(2 * np.pi * 3000 * np.arange(len(made)) / (RATE_HZ * (1 + ppm * 1e-6)))
    error = made[100:] - wanted[100:]
    assert 10 * np.log10((error**2).mean() / 0.5) < -50


def test_a_small_speaker_has_no_bass_and_bends_what_is_loud():
    at = np.arange(RATE_HZ) / RATE_HZ
    bass, middle = (
        np.concatenate([stage.process(block) for block in blocks(0.5 * np.sin(2 * np.pi * hertz * at))])[9600:].std()
        for hertz, stage in ((40, Loudspeaker(0.0)), (2000, Loudspeaker(0.0)))
    )
    assert bass < 0.25 * middle
    stage = Loudspeaker(1.0)
    loud = np.concatenate([stage.process(block) for block in blocks(np.sin(2 * np.pi * 1000 * at))])[9600:]
    spectrum = np.abs(np.fft.rfft(loud[: RATE_HZ // 2]))
    assert spectrum[1500] > 0.05 * spectrum[500]  # the third harmonic


def test_a_card_knows_its_crystal_and_what_came_too_late(tmp_path):
    ring = Ring(tmp_path / "ring", opened_ns=7, ppm=-200.0)
    now_ns = 7 + LATENCY_NS
    ring.write(np.arange(480, dtype=np.int16), now_ns)  # frame 0 is due now
    assert ring.late_frames == 0
    ring.write(np.arange(480, 960, dtype=np.int16), now_ns + 20 * MS)  # frame 960 is due now
    assert ring.late_frames == pytest.approx(480, abs=1)
    magic, rate_hz, opened_ns, latency_ns, written, frames, nominal_hz, plugged = HEADER.unpack_from(
        (tmp_path / "ring").read_bytes()
    )
    assert (magic, opened_ns, latency_ns, written, frames, nominal_hz, plugged) == (
        b"MIENMIC1", 7, LATENCY_NS, 960, FRAMES, RATE_HZ, 1,
    )  # fmt: skip
    assert rate_hz == pytest.approx(47_990.4)
    with (tmp_path / "ring").open("rb") as held:
        ring.close()
        ring.close()
        assert HEADER.unpack(held.read(HEADER.size))[-1] == 0  # whoever still has it sees the card gone
    assert not (tmp_path / "ring").exists()


def test_a_ring_goes_round(tmp_path):
    ring = Ring(tmp_path / "ring", opened_ns=0, ppm=0.0)
    for first in range(0, 3 * FRAMES // 2, 1000):
        ring.write((np.arange(first, first + 1000) % 30_000).astype(np.int16), 0)
    assert list(heard_by(ring)) == list(np.arange(ring.written - FRAMES, ring.written) % 30_000)
    ring.close()


def test_what_the_speaker_plays_is_read_at_its_time(tmp_path):
    clock = ManualClock(5_000 * MS)
    played = WavPlayed(lambda: tmp_path / "ear.wav")
    assert not played.heard(4_900 * MS, 4800, clock.now_ns()).any()  # there is no voice yet
    sink = WavSink(clock, RATE_HZ, 9600, tmp_path / "ear.wav")
    sink.write(np.full(9600, 1000, np.int16))
    clock.advance_ms(300)
    sound = played.heard(4_900 * MS, 14_400, clock.now_ns())
    assert not sound[:4800].any()
    assert sound[4800:] == pytest.approx(1000 / 32768)
    assert not played.heard(5_250 * MS, 480, clock.now_ns()).any()  # it has ended


def test_what_was_cut_before_it_was_heard_is_never_heard(tmp_path):
    clock = ManualClock(5_000 * MS)
    played = WavPlayed(lambda: tmp_path / "ear.wav")
    sink = WavSink(clock, RATE_HZ, 9600, tmp_path / "ear.wav")
    sink.write(np.full(9600, 1000, np.int16))
    clock.advance_ms(50)
    sink.drop()
    clock.advance_ms(50)
    sound = played.heard(5_000 * MS, 4800, clock.now_ns())
    assert sound[:2400] == pytest.approx(1000 / 32768)
    assert not sound[2400:].any()


def test_a_new_voice_is_found(tmp_path):
    clock = ManualClock(5_000 * MS)
    played = WavPlayed(lambda: tmp_path / "ear.wav")
    for _ in range(2):
        sink = WavSink(clock, RATE_HZ, 9600, tmp_path / "ear.wav")
        sink.write(np.full(4800, 1000, np.int16))
        clock.advance_ms(500)
        assert played.heard(clock.now_ns() - 500 * MS, 4800, clock.now_ns()) == pytest.approx(1000 / 32768)
        sink.close()


def test_a_board_that_plays_at_another_rate_is_an_error(tmp_path):
    sink = WavSink(ManualClock(), 44_100, 4410, tmp_path / "ear.wav")
    sink.write(np.zeros(100, np.int16))
    with pytest.raises(RigError, match="44100 Hz, but the rig's mouth needs 48000 Hz"):
        WavPlayed(lambda: tmp_path / "ear.wav").heard(0, 480, MS)


def qemu_wav(path, pcm):
    """As QEMU writes it: stereo, with a header that says nothing."""
    path.write_bytes(bytes(44) + np.repeat(pcm, 2).astype("<i2").tobytes())


def test_what_an_emulated_board_plays_is_read_a_tenth_of_a_second_late(tmp_path):
    path = tmp_path / "out.wav"
    played = QemuPlayed(path)
    assert not played.heard(0, 480, 10 * MS).any()  # QEMU has not begun
    sound = np.arange(1, 48_001) % 20_000
    for now_ms in range(20, 600, 10):
        known = (now_ms - 17 + now_ms // 10 % 2 * 5) * 48  # it grows by uneven buffers; frame 0 is heard at 12 ms
        qemu_wav(path, sound[:known])
        heard = played.heard((now_ms - 10) * MS, 480, now_ms * MS)
    first = (590 - 10 - 100 - 12) * 48
    assert list(np.rint(heard * 32768)) == list(sound[first : first + 480])
    path.unlink()
    assert not played.heard(600 * MS, 480, 700 * MS).any()


class Speaker:
    """A board that plays a tone all the time, as far as it is in the past."""

    def heard(self, from_ns, frames, now_ns):
        assert from_ns + frames * 1_000_000_000 // RATE_HZ <= now_ns - SETTLES_NS
        at = from_ns / 1e9 + np.arange(frames) / RATE_HZ
        return 0.5 * np.sin(2 * np.pi * 1000 * at)


class Silent:
    """A board that plays nothing."""

    def heard(self, from_ns, frames, now_ns):
        return np.zeros(frames)


@pytest.fixture
def ring(tmp_path):
    made = Ring(tmp_path / "ring", opened_ns=0, ppm=0.0)
    yield made
    made.close()


def scene_of(ring, played, **fields):
    made = RoomSound(Scene(**{"snr_db": QUIET_DB, "distortion": 0.0, **fields}), BARE, played)
    made.begin(ring)
    return made


def test_the_microphone_hears_the_speaker_through_the_room(ring):
    sound = scene_of(ring, Speaker())
    for now_ns in range(0, 1_000 * MS, 7 * MS):
        sound.step(now_ns)
    heard = heard_by(ring)[9600:] / 32767
    gain = 10 ** (ECHO_GAIN_DB / 20) / np.hypot(1, 0.2)  # the speaker's first-order high pass at 200 Hz
    assert heard.std() == pytest.approx(0.5 / np.sqrt(2) * gain, rel=0.03)
    at = (9600 + np.arange(len(heard))) / RATE_HZ
    angle = np.angle((heard * np.exp(-2j * np.pi * 1000 * at)).sum())  # 5 ms are five periods
    assert angle == pytest.approx(-np.pi / 2 + np.arctan(0.2), abs=0.02)


def test_the_noise_is_as_far_below_the_echo_as_asked(ring):
    sound = scene_of(ring, Silent(), snr_db=10.0)
    sound.step(2_000 * MS)
    sound.step(2_900 * MS)
    assert 20 * np.log10(heard_by(ring).std() / 32767) == pytest.approx(ECHO_DB - 10, abs=0.7)


def test_the_customer_is_heard_at_once_and_recorded_apart(ring):
    sound = scene_of(ring, Silent())
    for now_ns in range(0, 500 * MS, 10 * MS):
        assert not sound.step(now_ns).near.any()
    phrase = as_pcm(0.3 * np.sin(2 * np.pi * 500 * np.arange(9600) / RATE_HZ + 0.5))
    before = 48 * BLOCK_FRAMES  # 490 ms without the block that is not over
    sound.say(phrase, 6.0)
    made = [sound.step(now_ns) for now_ns in range(500 * MS, 900 * MS, 10 * MS)]
    near, recorded = (np.concatenate([getattr(each, name) for each in made]) for name in ("near", "heard"))
    assert np.flatnonzero(near)[0] < BLOCK_FRAMES
    assert 20 * np.log10(level(near / 32767)) == pytest.approx(ECHO_DB + 6, abs=0.3)
    heard = heard_by(ring)[before:]
    assert list(recorded[-1000:]) == list(heard[-1000:])
    assert heard == pytest.approx(near[: len(heard)], abs=60)


def test_a_mouth_that_was_stopped_does_not_speak_late(ring):
    sound = scene_of(ring, Speaker())
    for now_ns in range(0, 500 * MS, 10 * MS):
        sound.step(now_ns)
    assert sound.missed_blocks == 0
    sound.step(5_000 * MS)
    assert ring.written == pytest.approx(4_990 * RATE_HZ // 1000, abs=1000)  # in step again
    assert sound.missed_blocks == pytest.approx(350, abs=5)
    assert sound.next_ns() == pytest.approx(5_000 * MS, abs=2 * BLOCK_NS)


CAPTURE = """
import sys, time
import numpy as np
from mien.capture.alsa import AlsaCapture
from mien.errors import CaptureError
device = AlsaCapture("microphone", 16000, 2, 500)
print(device.format.rate_hz, device.format.channels, flush=True)
heard = []
while len(heard) < 24_000:
    heard += device.read()[:, 0].tolist()
    time.sleep(0.01)
np.save(sys.argv[1], np.array(heard))
print("captured", flush=True)
try:
    while True:
        device.read()
        time.sleep(0.01)
except CaptureError as error:
    print(error, flush=True)
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc and libasound2-dev to compile the virtual card")
def test_alsa_delivers_what_the_ring_holds_and_notices_a_card_that_is_pulled_out(tmp_path):
    pytest.importorskip("alsaaudio")
    library = microphone_plugin(tmp_path / "plugin")
    settings = tmp_path / "asound.conf"
    own = alsa_configuration(str(library), str(tmp_path / "ring"))
    settings.write_text(f"</usr/share/alsa/alsa.conf>\n{own}")
    ring = Ring(tmp_path / "ring", opened_ns=time.monotonic_ns() + 3_600_000 * MS, ppm=100.0)
    # Ahead of its time, so that no busy machine can make it late: the card delivers each frame at its own time.
    ring.write((np.arange(FRAMES) % 30_000).astype(np.int16), 0)
    reader = subprocess.Popen(
        [sys.executable, "-c", CAPTURE, str(tmp_path / "heard.npy")],
        stdout=subprocess.PIPE,
        text=True,
        env={
            "ALSA_CONFIG_PATH": str(settings),
            "PATH": "/usr/bin",
            "PYTHONPATH": str(Path(__file__).parents[2] / "runtime"),
        },
    )
    try:
        assert reader.stdout.readline() == f"{RATE_HZ} 1\n"  # whatever was asked for
        struct.pack_into("<q", ring._memory, 16, time.monotonic_ns())  # it begins now
        assert reader.stdout.readline() == "captured\n"
        ring.close()
        assert "the device is gone" in reader.stdout.readline()
    finally:
        reader.kill()
        reader.wait()
    heard = np.load(tmp_path / "heard.npy")
    known = np.flatnonzero(heard)
    assert len(known) > 1000
    assert set(np.diff(heard[known[0] : known[-1] + 1])) <= {1, -29_999}
