"""One turn: some speech of one client, from its first chunk until it has been heard."""

from dataclasses import dataclass

from mien.core.bus import MOTION_RATE_HZ
from mien.core.wire import FinishReason, Word
from mien.units import frames_to_ms
from mien.voice.codec import Decode, decode_s16le
from mien.voice.pcm import Pcm
from mien.voice.resampled import ResampledQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCaption:
    """What a turn says, as far as its client has told: one object until it tells more.

    text_bytes, words_bytes: the UTF-8 of the text, and of all words together.
    """

    text: str = ""
    words: tuple[Word, ...] = ()
    text_bytes: int = 0
    words_bytes: int = 0


NOTHING_SAID = TurnCaption()


class Turn:
    """The data of a turn, in three units: the client's rate (received), the sink's (pcm), the model's (speech).

    Written by the desk (what was received) and the playback (what was played); neither reads the other's counters to
    decide, but for `complete` and `received`.
    """

    def __init__(self, *, name: str, owner: bytes, rate_hz: int, sink_rate_hz: int, now_ns: int) -> None:
        self.name = name
        self.owner = owner
        self.rate_hz = rate_hz
        self.sink_rate_hz = sink_rate_hz
        self.next_seq = 0
        self.received_frames = 0
        self.first_audio_ns = now_ns
        self.last_audio_ns = now_ns
        self.ended = False
        self.interrupted = False
        self.end_reason: FinishReason = "played"
        self.pcm = ResampledQueue(rate_hz, sink_rate_hz)
        self.speech = ResampledQueue(rate_hz, MOTION_RATE_HZ)
        self.taken_frames = 0
        self.heard_frames = 0
        self.start_frame: int | None = None
        self.started = False
        self.stalled = False
        self.published_frames = 0
        self.published = False
        self.held = False
        self.orphaned = False
        self.caption = NOTHING_SAID
        self.decode: Decode = decode_s16le
        self._unheard_speech: list[Pcm] = []

    def add(self, pcm: Pcm, now_ns: int) -> None:
        """Take one chunk at the client's rate."""
        self.received_frames += len(pcm)
        self.last_audio_ns = now_ns
        self.next_seq += 1
        self.pcm.push(pcm)
        self.speech.push(pcm)

    def end(self, reason: FinishReason = "played") -> None:
        """No more audio will come. May be called again; the first reason stays."""
        if self.ended:
            return
        self.ended = True
        self.end_reason = reason
        self.pcm.end()
        self.speech.end()

    def cut(self, keep: Pcm, reason: FinishReason = "interrupted") -> None:
        """Interrupt: forget what was not taken yet but for `keep`, which is the fade-out."""
        self.ended = self.interrupted = True
        self.held = False
        self.end_reason = reason
        self._unheard_speech.clear()
        self.pcm.clear()
        self.speech.clear()
        self.pcm.prepend([keep])

    def take_speech(self, out: Pcm) -> int:
        """Move speech for the face to the start of out. Until the turn opens it is remembered, for hold()."""
        count = self.speech.take_into(out)
        self.published_frames += count
        if self.taken_frames:
            self._unheard_speech.clear()
        else:
            self._unheard_speech.append(out[:count].copy())
        return count

    def hold(self) -> None:
        """Wait, as a whole, while an agent holds the floor: what the face was told of it is told again later."""
        self.held = True
        self.start_frame = None
        self.speech.prepend(self._unheard_speech)
        self._unheard_speech.clear()
        self.published_frames = 0
        self.published = False

    def words_heard(self) -> tuple[int, str]:
        """How many words of the caption were heard, at least half of each, and the last of them."""
        heard = [word for word in self.caption.words if (word.start_ms + word.end_ms) / 2 <= self.played_ms]
        return len(heard), max(heard, key=lambda word: word.end_ms).text if heard else ""

    @property
    def sink_frames(self) -> int:
        """How long it is at the sink's rate, as far as it has come."""
        return self.pcm.total

    @property
    def received_ms(self) -> float:
        """How much speech the client has sent."""
        return frames_to_ms(self.received_frames, self.rate_hz)

    @property
    def played_ms(self) -> float:
        """How much of it was heard at the speaker."""
        return frames_to_ms(self.heard_frames, self.sink_rate_hz)

    @property
    def buffered_ms(self) -> float:
        """How much of it is still to be heard."""
        return max(0.0, self.received_ms - self.played_ms)

    @property
    def drained(self) -> bool:
        """Whether every frame that will ever come was given to the sink."""
        return self.ended and not len(self.pcm)
