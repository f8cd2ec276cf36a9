"""The whole voice on a manual clock: mien-voice without its sockets."""

import numpy as np

from mien.audio.null import NullSink
from mien.config import BargeInConfig, Config, EarConfig, JournalConfig, PlaybackConfig, VoiceConfig
from mien.core import bus, ear_bus, wire
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.voice.engine import Engine
from mien.voice.roles import LOCAL

STEP_MS = 5
START_NS = 86_400 * 10**9  # far from 0, as a machine's clock is: what starts at 0 is long ago


class RecordingSink(NullSink):
    """The ideal device, and all that was written to it."""

    def __init__(self, clock, rate_hz, buffer_frames):
        super().__init__(clock, rate_hz, buffer_frames)
        self.blocks = []

    def write(self, pcm):
        taken = super().write(pcm)
        self.blocks.append(pcm[:taken].copy())
        return taken

    @property
    def pcm(self):
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.int16)


class VoiceRig:
    """Step it in ms; clients are bytes; sent messages are kept by client.

    device: makes the sink, called with clock, rate_hz and buffer_frames; None takes DEVICE, which tests may replace.
    ear, barge_in: their sections of the configuration. to_ear: what was published to the ear, with its payload.
    sounds: near-end sound by client; full: clients that take none.
    """

    DEVICE = RecordingSink

    def __init__(
        self,
        *,
        rate_hz=16000,
        voice=None,
        store=None,
        keep_audio=False,
        device=None,
        ear=None,
        barge_in=None,
        **playback,
    ):
        self.clock = ManualClock(START_NS)
        self.config = PlaybackConfig(sink="null", rate_hz=rate_hz, **playback)
        self.voice_config = voice or VoiceConfig()
        self.counters = Counters()
        self.sink = self.open_device(device or self.DEVICE)
        self.sent = []
        self.published = []
        self.speech = []
        self.to_ear, self.sounds, self.full = [], [], set()
        self.held_back = []  # who sent more than it may, at each message that was one too many
        self.voice = Engine(
            Config(
                voice=self.voice_config,
                playback=self.config,
                journal=JournalConfig(audio=keep_audio),
                ear=EarConfig(**(ear or {})),
                barge_in=BargeInConfig(**(barge_in or {})),
            ),
            clock=self.clock,
            counters=self.counters,
            send=self._send,
            publish=self._publish,
            publish_ear=lambda frames: self.to_ear.append((ear_bus.decode_from_voice(frames[0]), *frames[1:])),
            offer=self._offer,
            store=store,
            hold_back=self.held_back.append,
            opener=lambda *_: self.sink,
        )
        self.voice._keepalive_due_ns = 1 << 62  # tests look at what clients asked for
        self.queue, self.preroll, self.playback = self.voice.queue, self.voice.preroll, self.voice.playback
        self.handler, self.publisher = self.voice.handler, self.voice.speech
        self.allowed = {}

    def open_device(self, device=None):
        """Another device, as the configured one."""
        return (device or self.DEVICE)(self.clock, self.config.rate_hz, self.config.rate_hz // 20)

    def _publish(self, frames):
        message = bus.decode_from_voice(frames[0])
        if isinstance(message, bus.Speech | bus.TurnEnd):
            self.speech.append((message, frames[1:]))
        else:
            self.published.append(message)

    def _send(self, owner, message):
        self.sent.append((owner, message))

    def _offer(self, owner, message, payload):
        if owner not in self.full:
            self.sounds.append((owner, message, payload))
        return owner not in self.full

    def hear(self, report, *payload):
        """A report of the ear."""
        self.voice.hear([ear_bus.encode(report), *payload])

    def ear_health(self, state="ok", **fields):
        """The ear reports its health; tests that last longer than 3 s do so again."""
        known = {"pid": 7, "why": "", "level_dbfs": -40.0, "clean_dbfs": -50.0, "counters": {}, **fields}
        self.hear(ear_bus.EarHealth(state=state, **known))

    def far(self, since=0):
        """The far end that was published."""
        return [entry for entry in self.to_ear[since:] if isinstance(entry[0], ear_bus.FarEnd)]

    def orders(self):
        """What the voice wants of the ear now."""
        return [entry[0] for entry in self.to_ear if isinstance(entry[0], ear_bus.EarOrders)][-1]

    def step(self, ms=STEP_MS):
        """Let time pass in steps of 5 ms."""
        for _ in range(max(1, round(ms / STEP_MS))):
            self.voice.step()
            self.clock.advance_ms(STEP_MS)

    def say(self, message, payload=None, client=b"a"):
        """A client's message, with a payload for audio."""
        frames = [wire.encode(message)] + ([] if payload is None else [payload])
        self.voice.handle(client, frames, self.allowed.get(client, LOCAL))

    def hello(self, client=b"a", **fields):
        self.say(wire.Hello(protocol=1, **fields), client=client)

    def audio(self, turn="t", seq=0, pcm=None, ms=20, client=b"a"):
        pcm = tone(ms) if pcm is None else pcm
        self.say(wire.Audio(turn=turn, seq=seq), pcm.astype("<i2").tobytes(), client=client)

    def speak(self, turn="t", pcm=None, ms=500, client=b"a", end=True):
        """A whole turn at once, in chunks of 20 ms, as a TTS that bursts."""
        pcm = tone(ms) if pcm is None else pcm
        for seq, at in enumerate(range(0, len(pcm), 320)):
            self.audio(turn, seq, pcm[at : at + 320], client=client)
        if end:
            self.say(wire.End(turn=turn), client=client)

    def got(self, kind, client=b"a"):
        """The messages of one type that a client was sent."""
        return [message for owner, message in self.sent if owner == client and isinstance(message, kind)]

    def errors(self, client=b"a"):
        return [message.code for message in self.got(wire.Error, client)]


def tone(ms, rate_hz=16000, hz=440, level=8000):
    """A sine, int16."""
    return (level * np.sin(2 * np.pi * hz * np.arange(ms * rate_hz // 1000) / rate_hz)).astype(np.int16)
