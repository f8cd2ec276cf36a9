"""What the tests of this adapter share: frames, a voice to lose, outputs that record."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities, TextOutput

PATIENCE_S = 20  # for what must happen; no test asserts how fast, except where the issue names a limit


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 3 * PATIENCE_S))


async def eventually(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


def frame(ms, rate_hz=24000, channels=1, words=()):
    samples = rate_hz * ms // 1000
    tone = (8000 * np.sin(np.arange(samples) * 2 * np.pi * 300 / rate_hz)).astype(np.int16)
    made = rtc.AudioFrame(np.repeat(tone, channels).tobytes(), rate_hz, channels, samples)
    if words:
        made.userdata[USERDATA_TIMED_TRANSCRIPT] = [TimedString(*word) for word in words]
    return made


async def say(output, ms, *, step_ms=20, flush=True, **kind):
    for _ in range(ms // step_ms):
        await output.capture_frame(frame(step_ms, **kind))
    if flush:
        output.flush()


class Told:
    """The events of an output. finished: playback_finished; calls: how often the adapter reported a finish."""

    def __init__(self, output):
        self.started, self.progressed, self.finished, self.calls = [], [], [], 0
        output.on("playback_started", self.started.append)
        output.on("playback_progressed", self.progressed.append)
        output.on("playback_finished", self.finished.append)
        report = output.on_playback_finished

        def counted(**event):
            self.calls += 1
            report(**event)

        output.on_playback_finished = counted


async def playout(output):
    return await asyncio.wait_for(output.wait_for_playout(), PATIENCE_S)


class OwnOutput(AudioOutput):
    """An agent's own output as LiveKit's FakeAudioOutput: it plays in real time, and keeps what it got.

    deaf: capture_frame never returns, as while nobody subscribes to the track.
    """

    def __init__(self, sample_rate=24000, deaf=False):
        super().__init__(label="own", capabilities=AudioOutputCapabilities(pause=True), sample_rate=sample_rate)
        self.frames, self.attached, self.deaf = [], 0, deaf
        self.first_at_s = None
        self._began_at_s = None
        self._pushed_s = 0.0
        self._timer = None

    @property
    def got_s(self):
        return sum(each.duration for each in self.frames)

    async def capture_frame(self, frame):
        if self.deaf:
            await asyncio.get_running_loop().create_future()
        await super().capture_frame(frame)
        self.frames.append(frame)
        self._pushed_s += frame.duration
        if self._began_at_s is None:
            self._began_at_s = time.monotonic()
            self.first_at_s = self.first_at_s or self._began_at_s
            self.on_playback_started(created_at=time.time())

    def flush(self):
        super().flush()
        if self._began_at_s is not None and self._timer is None:
            left_s = max(0.0, self._pushed_s - (time.monotonic() - self._began_at_s))
            self._timer = asyncio.get_running_loop().call_later(left_s, self._finish, self._pushed_s, False)

    def clear_buffer(self):
        if self._began_at_s is not None:
            self._finish(min(self._pushed_s, time.monotonic() - self._began_at_s), True)

    def on_attached(self):
        self.attached += 1

    def on_detached(self):
        self.attached -= 1

    def _finish(self, position_s, interrupted):
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._began_at_s = None
        self._pushed_s = 0.0
        self.on_playback_finished(playback_position=position_s, interrupted=interrupted)


class TextSink(TextOutput):
    def __init__(self):
        super().__init__(label="text", next_in_chain=None)
        self.text, self.flushes, self.attached = "", 0, 0

    async def capture_text(self, text):
        self.text += text

    def flush(self):
        self.flushes += 1

    def on_attached(self):
        self.attached += 1

    def on_detached(self):
        self.attached -= 1


class VoiceProcess:
    """mien-voice as a process of its own, to be killed, stopped and started again."""

    def __init__(self, run_dir):
        self.run_dir = Path(run_dir)
        self.endpoint = f"ipc://{run_dir}/voice.sock"
        self.process = None

    def start(self):
        settings = [f"run_dir={self.run_dir}", "playback.sink=null", "playback.rate_hz=16000", "voice.listen=[]"]
        command = [sys.executable, "-m", "mien.voice"]
        for each in settings:
            command += ["--set", each]
        self.process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline_s = time.monotonic() + PATIENCE_S
        while not (self.run_dir / "voice.sock").exists():
            assert self.process.poll() is None, "the voice ended"
            assert time.monotonic() < deadline_s, "the voice did not start"
            time.sleep(0.02)
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        (self.run_dir / "voice.sock").unlink(missing_ok=True)

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def voice_process(run_dir):
    voice = VoiceProcess(run_dir)
    try:
        yield voice
    finally:
        voice.stop()
