"""An agent's speech from the broker, made into turns of the voice; only of the user who holds the floor.

Pure: messages and time go in, actions come out. `mien.link.agent_speaker` does them.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from mien.errors import PacketError
from mien.fleet.packets import PACKET_MS, Sound, decode_sound
from mien.link.jitter import JitterBuffer

SILENCE_MS: Final = 2000  # without a packet, after which the turn is ended
# Of speech that the voice holds unheard: how late the agent is. After a stall the voice waits for up to 640 ms of it.
LATE_MS: Final = 200  # beyond it pauses are shortened
MOST_AHEAD_MS: Final = 750  # beyond it everything is dropped until it is ENOUGH_AHEAD_MS
ENOUGH_AHEAD_MS: Final = 400
QUIET: Final = 3  # a packet of a third of the mean size is a pause
_GAIN: Final = 1 / 64

What = Literal["begin", "packet", "end", "cancel"]


class Action(NamedTuple):
    """begin: open a turn. packet: write it. end: the turn is complete. cancel: stop what was said."""

    what: What
    packet: bytes = b""


@dataclass(slots=True)
class SpeechCounts:
    """What became of an agent's packets, since the link started."""

    spoken: int = 0
    refused: int = 0  # messages of users without the floor
    malformed: int = 0
    late: int = 0
    repeated: int = 0
    skipped: int = 0  # messages that never came, or too late
    dropped: int = 0  # packets, because the voice holds too much unheard


@dataclass(slots=True)
class _Stretch:
    """buffer: of this stretch. begun: a turn was opened for it. heard_ms: when its newest packet came."""

    buffer: JitterBuffer
    heard_ms: float
    begun: bool = False
    over: bool = False
    noted: tuple[int, int, int] = field(default=(0, 0, 0))


class AgentSpeech:
    """floor() says who may speak; take() messages, step() every few ms while `busy`. Times: monotonic, ms."""

    def __init__(self) -> None:
        self.counts = SpeechCounts()
        self.holder = ""
        self._stretch: _Stretch | None = None
        self._newest_at_ms = -1
        self._jitter_ms = 0.0
        self._dropping = False
        self._mean_bytes = 0.0

    @property
    def busy(self) -> bool:
        """Whether step() has something to do before the next message."""
        return self._stretch is not None

    def floor(self, user: str) -> list[Action]:
        """This user may speak from now on; "" nobody. What another one was saying is stopped."""
        if user == self.holder:
            return []
        actions = [Action("cancel")] if self._stretch is not None and self._stretch.begun else []
        self.holder = user
        self._stretch = None
        self._newest_at_ms, self._jitter_ms, self._dropping = -1, 0.0, False
        return actions

    def take(self, user: str, payload: bytes, now_ms: float) -> list[Action]:
        """A message on speech/USER. One that is malformed, or of a user without the floor, is counted and ignored."""
        if not user or user != self.holder:
            self.counts.refused += 1
            return []
        try:
            sound = decode_sound(payload)
        except PacketError:
            self.counts.malformed += 1
            return []
        actions: list[Action] = []
        if self._begins(sound):
            actions += self._end()
            self._stretch = _Stretch(JitterBuffer(jitter_ms=self._jitter_ms), now_ms)
        stretch = self._stretch
        if stretch is None:  # the first message was lost, or the stretch was over: what comes is a stretch all the same
            if sound.at_ms <= self._newest_at_ms:
                self.counts.late += 1
                return actions
            stretch = self._stretch = _Stretch(JitterBuffer(jitter_ms=self._jitter_ms), now_ms)
        if stretch.buffer.put(sound, now_ms):
            stretch.heard_ms = now_ms
            self._newest_at_ms = max(self._newest_at_ms, sound.at_ms + PACKET_MS * max(0, len(sound.packets) - 1))
        return actions

    def step(self, now_ms: float, ahead_ms: float = 0.0) -> list[Action]:
        """What is due. ahead_ms: how much of this turn the voice holds unheard."""
        stretch = self._stretch
        if stretch is None:
            return []
        actions: list[Action] = []
        for sound in stretch.buffer.take(now_ms):
            for packet in sound.packets:
                if self._leaves_out(packet, ahead_ms):
                    self.counts.dropped += 1
                    continue
                if not stretch.begun:
                    stretch.begun = True
                    actions.append(Action("begin"))
                actions.append(Action("packet", packet))
                ahead_ms += PACKET_MS
                self.counts.spoken += 1
            stretch.over |= sound.last
        self._note(stretch)
        if stretch.over or now_ms - stretch.heard_ms >= SILENCE_MS:
            actions += self._end()
        return actions

    def _begins(self, sound: Sound) -> bool:
        """Whether a message begins another stretch: not one that repeats an old one, or comes after its successor."""
        return sound.first and sound.at_ms > self._newest_at_ms

    def _leaves_out(self, packet: bytes, ahead_ms: float) -> bool:
        """Whether to drop a packet, because the voice lags behind the agent: after a burst, after stalls."""
        quiet = len(packet) * QUIET < self._mean_bytes
        self._mean_bytes += (len(packet) - self._mean_bytes) * (_GAIN if self._mean_bytes else 1)
        if ahead_ms > MOST_AHEAD_MS:
            self._dropping = True
        elif ahead_ms <= ENOUGH_AHEAD_MS:
            self._dropping = False
        return self._dropping or (quiet and ahead_ms > LATE_MS)

    def _end(self) -> list[Action]:
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return []
        self._note(stretch)
        self._jitter_ms = stretch.buffer.jitter_ms
        return [Action("end")] if stretch.begun else []

    def _note(self, stretch: _Stretch) -> None:
        """Add what the buffer has counted since the last time."""
        buffer = stretch.buffer
        late, repeated, skipped = stretch.noted
        self.counts.late += buffer.late - late
        self.counts.repeated += buffer.repeated - repeated
        self.counts.skipped += buffer.skipped - skipped
        stretch.noted = (buffer.late, buffer.repeated, buffer.skipped)
