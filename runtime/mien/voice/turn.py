"""One turn: some speech of one client, from its first chunk until it has been heard."""

from dataclasses import dataclass, field

from mien.audio.base import Pcm
from mien.core.bus import MOTION_RATE_HZ
from mien.core.wire import FinishReason, PhoneWord, Word
from mien.units import frames_to_ms
from mien.voice.codec import Decode, decode_s16le
from mien.voice.pcm import PcmQueue, ResampledQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCaption:
    """The caption of a turn so far. Immutable: a new caption message makes a new object.

    text_bytes, words_bytes: the UTF-8 size of the text, and of all words together.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
    text_bytes: int = 0
    words_bytes: int = 0


NO_CAPTION = TurnCaption()


@dataclass(slots=True)
class Received:
    """What the client has sent, in frames at the client's rate. Written by the turn queue only.

    behind: another turn was still to be heard when this one began.
    """

    first_audio_ns: int
    last_audio_ns: int
    next_seq: int = 0
    frames: int = 0
    decode: Decode = decode_s16le
    behind: bool = False


@dataclass(slots=True)
class Playout:
    """What has been written to the sink and heard, in frames at the sink's rate. Written by the playback only.

    start_frame: where the turn begins in media time; None until that is known. epoch: the epoch in which the turn was
    last written to the sink, -1 before that. latency_ms: from its first audio to its first sound.
    """

    start_frame: int | None = None
    epoch: int = -1
    taken_frames: int = 0
    last_taken_ns: int = 0
    heard_frames: int = 0
    started: bool = False
    stalled: bool = False
    stalls: int = 0
    latency_ms: float | None = None


@dataclass(slots=True)
class FaceFeed:
    """What has been published to the face, in frames at MOTION_RATE_HZ. Written by the speech publisher only.

    unheard: published speech of a turn that has not opened. It is published again when the turn was held meanwhile.
    """

    published_frames: int = 0
    complete: bool = False
    unheard: PcmQueue = field(default_factory=PcmQueue)


class Turn:
    """A turn's identity, its state, its audio, and three records that each have one writer.

    pcm and speech hold the audio that is still to be played and to be published. end(), cut() and hold() are the only
    changes of state: ended (no more audio will come), interrupted (what is left is a fade-out), held (waits while an
    agent has the floor). end_reason: why it ended, once ended is set.
    """

    end_reason: FinishReason

    def __init__(self, *, name: str, owner: bytes, rate_hz: int, sink_rate_hz: int, now_ns: int) -> None:
        self.name = name
        self.owner = owner
        self.rate_hz = rate_hz
        self.sink_rate_hz = sink_rate_hz
        self.caption = NO_CAPTION
        self.phones: tuple[PhoneWord, ...] = ()
        self.orphaned = False
        self.ended = False
        self.interrupted = False
        self.held = False
        self.barge_in_ms: float | None = None
        self.pcm = ResampledQueue(rate_hz, sink_rate_hz)
        self.speech = ResampledQueue(rate_hz, MOTION_RATE_HZ)
        self.received = Received(now_ns, now_ns)
        self.playout = Playout()
        self.feed = FaceFeed()

    def end(self, reason: FinishReason = "played") -> None:
        """No more audio will come. Further calls change nothing: the first reason stays."""
        if self.ended:
            return
        self.ended = True
        self.end_reason = reason
        self.pcm.end()
        self.speech.end()

    def cut(self, fade: Pcm, reason: FinishReason = "interrupted") -> None:
        """Interrupt: drop all audio that has not been played. fade: the fade-out, which is still played."""
        self.ended = self.interrupted = True
        self.held = False
        self.end_reason = reason
        self.feed.unheard.clear()
        self.pcm.clear()
        self.speech.clear()
        self.pcm.prepend([fade])

    def hold(self) -> None:
        """Wait, complete, while an agent holds the floor. Everything will be published to the face again."""
        self.held = True
        self.speech.prepend([self.feed.unheard.take_all()])
        self.playout = Playout()
        self.feed = FaceFeed()

    def words_heard(self) -> tuple[int, str]:
        """How many words of the caption were heard, and the last of them. A word counts from its middle on."""
        heard = [word for word in self.caption.words if (word.start_ms + word.end_ms) / 2 <= self.played_ms]
        return len(heard), max(heard, key=lambda word: word.end_ms).text if heard else ""

    @property
    def sink_frames(self) -> int:
        """The length at the sink's rate of what has been received."""
        return self.pcm.total

    @property
    def received_ms(self) -> float:
        """How much speech the client has sent."""
        return frames_to_ms(self.received.frames, self.rate_hz)

    @property
    def played_ms(self) -> float:
        """How much of it was heard at the speaker."""
        return frames_to_ms(self.playout.heard_frames, self.sink_rate_hz)

    @property
    def buffered_ms(self) -> float:
        """How much of it is still to be heard."""
        return max(0.0, self.received_ms - self.played_ms)

    @property
    def waiting_ms(self) -> float:
        """How much has been received and not yet written to the sink."""
        return frames_to_ms(len(self.pcm), self.sink_rate_hz)

    @property
    def drained(self) -> bool:
        """Whether every frame that will ever come has been written to the sink."""
        return self.ended and not len(self.pcm)
