"""The whole voice but for its sockets: bytes of clients in, sound and messages out, stepped by a clock.

The service puts it between its sockets; tests, the fuzzer and simulated hours step it by hand.
"""

import time
from collections.abc import Callable

from mien.audio.base import Sink
from mien.config import PlaybackConfig, VoiceConfig
from mien.core import bus, wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.units import NS_PER_S
from mien.voice.admission import Admission
from mien.voice.caption_cues import CaptionCues
from mien.voice.departed import Departed
from mien.voice.desk import Desk
from mien.voice.expression import Expressions
from mien.voice.floor import Floor
from mien.voice.gate import FaceGate
from mien.voice.grants import LOCAL, Grant
from mien.voice.intake import Intake
from mien.voice.journal import Journal, Shelf
from mien.voice.observers import Observers
from mien.voice.pauses import Pauses
from mien.voice.pcm import Pcm
from mien.voice.playback import Playback
from mien.voice.publisher import SpeechPublisher
from mien.voice.sessions import Sessions
from mien.voice.turn import Turn

Frames = list[bytes]


class NoShelf:
    """Where a journal goes that nobody keeps."""

    def line(self, line: bytes) -> None:
        """Forgotten."""

    def audio(self, key: str, rate_hz: int, pcm: Pcm | None) -> None:
        """Forgotten."""


class Assembly:
    """send(identity, message) takes messages to clients, publish(frames) takes the bus's messages to the face."""

    def __init__(
        self,
        *,
        voice: VoiceConfig,
        playback: PlaybackConfig,
        sink: Sink,
        clock: Clock,
        counters: Counters,
        send: Callable[[bytes, wire.Message], None],
        publish: Callable[[Frames], None],
        hold_back: Callable[[bytes], None] = lambda _: None,
        shelf: Shelf | None = None,
        keep_audio: bool = False,
    ) -> None:
        self._clock = clock
        self._deliver = send
        self._publish_frames = publish
        self._second_ns = 0
        self._keeps = shelf is not None
        self.sessions = Sessions(voice.max_clients, voice.max_clients_each)
        self.journal = Journal(
            sessions=self.sessions, clock=clock, shelf=shelf or NoShelf(), utc_s=time.time, audio=keep_audio
        )
        self.gate = FaceGate(playback)
        self.desk = Desk(voice, playback.rate_hz)
        self.departed = Departed(self.desk)
        self.expressions = Expressions(self.publish)
        self.pauses = Pauses(voice.max_pause_ms, self.send)
        self.playback = Playback(
            config=playback,
            progress_ms=voice.progress_ms,
            desk=self.desk,
            gate=self.gate,
            sink=sink,
            clock=clock,
            counters=counters,
            send=self.send,
            pauses=self.pauses,
            most_cushion_ms=voice.max_buffer_ms // 2,
        )
        self.floor = Floor(
            config=voice,
            desk=self.desk,
            playback=self.playback,
            sessions=self.sessions,
            counters=counters,
            send=self.send,
        )
        self.observers = Observers(
            sessions=self.sessions,
            departed=self.departed,
            playback=self.playback,
            counters=counters,
            progress_ms=voice.progress_ms,
            send=self.send,
            publish=self.publish,
        )
        self.admission = Admission(
            config=voice,
            sessions=self.sessions,
            departed=self.departed,
            desk=self.desk,
            playback=self.playback,
            floor=self.floor,
            observers=self.observers,
            expressions=self.expressions,
            journal=self.journal,
            clock=clock,
            counters=counters,
            send=self.send,
        )
        self.intake = Intake(
            config=voice,
            sessions=self.sessions,
            desk=self.desk,
            playback=self.playback,
            floor=self.floor,
            observers=self.observers,
            admission=self.admission,
            expressions=self.expressions,
            journal=self.journal,
            clock=clock,
            counters=counters,
            send=self.send,
            hold_back=hold_back,
        )
        self.speech = SpeechPublisher(self.desk, playback.speech_ahead_ms)
        self.captions = CaptionCues(self.desk, playback.speech_ahead_ms)
        if keep_audio:
            self.desk.on_audio, self.desk.on_finish = self.journal.heard_audio, self.journal.turn_over

    def handle(self, identity: bytes, frames: Frames, grant: Grant = LOCAL) -> None:
        """Take one message of a client."""
        self.intake.handle(identity, frames, grant)

    def leave(self, identity: bytes) -> None:
        """A client's connection is gone."""
        self.intake.leave(identity)

    def send(self, identity: bytes, message: wire.Message) -> None:
        """To one client, past the journal and whoever looks on."""
        self._deliver(identity, message)
        if self._keeps:
            self.journal.sent(identity, message)
        if isinstance(message, wire.Finished):
            self.observers.finished(identity, message)
            self.departed.finished(identity, message)

    def publish(self, message: bus.BusMessage) -> None:
        """To the face."""
        self._publish_frames([bus.encode(message)])

    @property
    def quiet(self) -> bool:
        """Whether nothing but the device needs a step until a message comes: nobody speaks, holds or pauses anything,
        or is told of levels."""
        return not (self.desk.turns or self.pauses or self.floor.holder or self.observers.busy)

    def step(self) -> None:
        """Play, and let what waits for a time happen. Raises SinkError when the device is lost."""
        now_ns = self._clock.now_ns()
        self.floor.step(now_ns)
        self.pauses.step(now_ns)
        self.playback.step()
        self.observers.step(now_ns, self.expressions.now, self.floor.name)
        if now_ns >= self._second_ns:
            self._second_ns = now_ns + NS_PER_S
            self.intake.limits.sweep(now_ns)
            self.departed.sweep(now_ns)

    def publish_speech(self) -> None:
        """Bring the speech and the captions that are due to the face; the anchor of its epoch must have gone before."""
        epoch, media_ns = self.playback.epoch, self.playback.media_ns
        for cue in self.captions.step(epoch, media_ns, self._clock.now_ns()):
            self.publish(cue)
        for frames in self.speech.step(epoch, media_ns):
            self._publish_frames(frames)

    def close_turns(self) -> None:
        """The service ends: every turn is told of."""
        self.desk.close_all("shutdown")
        for turn in list(self.desk.turns):
            self._finish(turn)

    def _finish(self, turn: Turn) -> None:
        self.desk.finish(turn)
        count, word = turn.words_heard()
        self.send(
            turn.owner,
            wire.Finished(
                turn=turn.name,
                played_ms=round(turn.played_ms, 3),
                interrupted=True,
                reason="shutdown",
                words_heard=count,
                last_word=word,
            ),
        )
