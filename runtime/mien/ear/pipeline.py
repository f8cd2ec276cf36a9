"""The ear's signal path: a captured block in, cleaned sound with events out.

It has no clock, no thread, no device: every time comes with a block. The far end is read at the time at which the
block reached the microphone, so the echo canceller sees no drift.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.config import EarConfig
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ, EarState, FarEnd, UserStarted, UserStopped
from mien.ear.activity import Activity
from mien.ear.chunks import Chunk, Chunker, power, sub_levels_db
from mien.ear.delay import DelayFinder
from mien.ear.echo import EchoCanceller
from mien.ear.echo_guard import EchoGuard
from mien.ear.far_end import HALF_TAPS, FarEndBuffer, Reader
from mien.ear.gate import EchoGate
from mien.ear.input_check import REMEDIES, InputCheck
from mien.ear.levels import Figures, Levels
from mien.ear.linear_echo import PARTITIONS, LinearCanceller
from mien.ear.vad import VoiceDetector
from mien.units import NS_PER_MS, NS_PER_S, frames_to_ms, frames_to_ns, ms_to_frames, ms_to_ns, ns_to_frames, ns_to_ms

LEAD_NS: Final = 8 * NS_PER_MS
"""The far end is given to the canceller this much early: an echo must not precede its cause if delay_ms is wrong."""

STALE_NS: Final = 200 * NS_PER_MS
FORGET_NS: Final = NS_PER_S
"""After so long without a reading the alignment starts anew."""

LATE_BLOCKS: Final = 10
HELD_BLOCKS: Final = 100
"""After so many blocks in a row that had to wait for the far end, delay_ms is wrong, and no busy machine the cause."""

LATE_MARGIN_FRAMES: Final = EAR_BLOCK_FRAMES // 2

LAG_FRAMES: Final = range(ms_to_frames(1, EAR_RATE_HZ), ms_to_frames(130, EAR_RATE_HZ))
"""Where the canceller finds an echo by itself. Elsewhere the alignment moves."""

SILENCE: Final = np.zeros(EAR_BLOCK_FRAMES, np.int16)
DEAF: Final = frozenset({"no_echo_reference", "loopback", "silent"})
"""States in which nothing starts an utterance."""

NO_REFERENCE: Final = (
    "the voice has stopped telling what the speaker plays; look into its log: journalctl -u mien-voice, restart it"
)
LOOPBACK: Final = (
    "the microphone is the speaker's own loopback; choose a card with a microphone: mien ear cards, [ear] device"
)


@dataclass(slots=True)
class Cleaned:
    """20 ms of cleaned sound.

    pcm: int16 (320,), valid until the next call. at_ns: when its first frame reached the microphone. speech: within an
    utterance. why: the remedy, unless state is ok.
    """

    pcm: Pcm
    at_ns: int
    events: tuple[UserStarted | UserStopped, ...]
    speech: bool
    state: EarState
    why: str


class Pipeline:
    """One microphone. voice_runs: set it to False while no voice runs, because nothing plays then."""

    def __init__(self, config: EarConfig) -> None:
        """Raises EarError: the extra mien[ear] is missing."""
        self._cancels = config.echo_cancellation
        self._canceller = EchoCanceller(config)
        self._detector = VoiceDetector()
        self._activity = Activity(
            start=config.vad_start, stop=config.vad_stop, onset_ms=config.onset_ms, hangover_ms=config.hangover_ms
        )
        self._far_end = FarEndBuffer()
        self._reader = Reader()
        self._finder = DelayFinder()
        self._linear = LinearCanceller()
        self._guard = EchoGuard()
        self._gate = EchoGate()
        self._chunker = Chunker(self._canceller.latency_frames)
        self._check = InputCheck()
        self._levels = Levels()
        self._delay_ns = ms_to_ns(config.delay_ms)
        self._latency_ns = frames_to_ns(self._canceller.latency_frames, EAR_RATE_HZ)
        self._gap = self._fresh = False
        self._late = self._since_far = 0
        self._looked_ns = self._held = 0
        self._least_lacking = 0
        self._missing = False
        self._holes = 0
        self._figures = Figures(delay_ms=config.delay_ms)
        self.voice_runs = True

    @property
    def figures(self) -> Figures:
        """Levels, echo and alignment up to the last block."""
        self._levels.update(self._figures)
        self._figures.far_jumps = self._reader.jumps
        self._figures.far_lost_frames = self._far_end.lost_frames
        self._figures.drift_ppm = round(self._reader.drift_ppm, 1) if self._reader.locked else None
        return self._figures

    def far_end(self, message: FarEnd, pcm: Pcm | None) -> None:
        """Take what the speaker plays. pcm: int16 (frames,), None for silence."""
        self._since_far = 0
        predicted = self._reader.predicted(message.at_ns + self._delay_ns - LEAD_NS)
        if self._far_end.write(message, pcm, predicted):
            self._figures.far_streams += 1

    def gap(self) -> None:
        """Captured sound was lost: the next block does not follow the last one."""
        self._gap = True
        self._figures.gaps += 1
        self._chunker.clear()
        self._finder.restart()

    def abandon(self) -> tuple[UserStopped, ...]:
        """The microphone is muted, or gone: end an utterance that runs at its last sound."""
        stopped = self._activity.abandon()
        return () if stopped is None else (stopped,)

    def lacks(self, at_ns: int) -> bool:
        """Whether a part of the far end of the block that began at at_ns has yet to come. Ask once it is captured."""
        lacking = self._lacking(at_ns)
        if at_ns > self._looked_ns:
            self._looked_ns = at_ns
            self._held, least = (self._held + 1, self._least_lacking or lacking) if lacking else (0, 0)
            self._least_lacking = min(least, lacking)
            if self._held >= HELD_BLOCKS:
                self._read_earlier(self._least_lacking)
                lacking = self._lacking(at_ns)
        return lacking > 0

    def _lacking(self, at_ns: int) -> int:
        """Frames of the far end that the block needs and that have not come, although the voice tells."""
        if not (self._cancels and self._far_end.known and self.voice_runs and self._fresh):
            return 0
        needed = self._reader.predicted(at_ns) + EAR_BLOCK_FRAMES + HALF_TAPS
        return max(0, ceil(needed) - self._far_end.end)

    def process(self, near: Pcm, at_ns: int) -> Cleaned:
        """Clean the next block, int16 (320,). at_ns: when its first frame reached the microphone."""
        far, missing = self._heard(at_ns)
        clean = self._canceller.process(near, far)
        if self._cancels and self._finder.block(near, far):
            self._align()
        state, why = self._state(near, at_ns)
        self._missing |= missing
        chunk = self._chunker.add(clean, near, far, at_ns)
        events = () if chunk is None else self._events(chunk, deaf=self._deaf(missing) or state in DEAF)
        speaking = self._activity.speaking
        only_echo = self._guard.active and not (self._guard.allows or self._activity.begins or speaking)
        pcm = self._gate.process(clean, shut=only_echo)
        return Cleaned(pcm, at_ns - self._latency_ns, events, speaking, state, why)

    def _deaf(self, missing: bool) -> bool:
        """Whether nothing can be told from the chunk that ends in this block, because some of the far end is missing.

        While the kiosk speaks, the linear canceller remembers the hole for PARTITIONS chunks.
        """
        hole, self._missing = self._missing, missing
        if hole:
            self._holes = PARTITIONS + 1
            return True
        self._holes = max(0, self._holes - 1)
        return self._holes > 0 and self._guard.active

    def _heard(self, at_ns: int) -> tuple[Pcm, bool]:
        """What the speaker played while this block was captured. Also whether a part of it has not come yet."""
        if not (self._cancels and self._far_end.known):
            return SILENCE, False
        self._since_far += 1
        heard_ns = at_ns - self._delay_ns + LEAD_NS
        target = self._far_end.position_at(heard_ns)
        if self._gap:
            self._reader.resume(at_ns)
            self._gap = False
        fresh = heard_ns - self._far_end.end_ns < FORGET_NS
        if fresh and not self._fresh:
            self._reader.restart_at(at_ns, target)
        self._fresh = fresh
        position, step = self._reader.advance(at_ns, target if fresh else None)
        block, missing = self._far_end.read(position, step)
        self._figures.far_age_ms = ns_to_ms(heard_ns - self._far_end.end_ns)
        if fresh:
            self._figures.far_missing_frames += missing
            comes = self._since_far <= LATE_BLOCKS // 2  # else the voice has stopped, which says nothing of the delay
            self._late = self._late + 1 if missing and comes else 0
            if self._late >= LATE_BLOCKS:
                self._read_earlier(missing)
        late = missing > 0 and fresh
        if block is None:
            return SILENCE, late
        np.rint(block, out=block)
        return np.minimum(np.maximum(block, -32768, out=block), 32767, out=block).astype(np.int16), late

    def _read_earlier(self, missing: int) -> None:
        """delay_ms asks for sound that the voice has not written yet, so it must be wrong: read what there is."""
        frames = missing + LATE_MARGIN_FRAMES
        self._delay_ns += frames_to_ns(frames, EAR_RATE_HZ)
        self._reader.shift(-frames)
        self._forget_path()
        self._late = self._held = 0

    def _forget_path(self) -> None:
        """The far end is read elsewhere now: what was learnt of the echo is void."""
        self._finder.restart()
        self._linear.restart()
        self._guard.restart()

    def _align(self) -> None:
        """Move the alignment if the echo lies where the canceller cannot find it."""
        lag = self._finder.lag
        if lag is None:
            return
        lead = ns_to_frames(LEAD_NS, EAR_RATE_HZ)
        self._figures.delay_ms = round(ns_to_ms(self._delay_ns) + frames_to_ms(lag - lead, EAR_RATE_HZ), 2)
        if lag not in LAG_FRAMES:
            self._delay_ns += frames_to_ns(lag - lead, EAR_RATE_HZ)
            self._reader.shift(lead - lag)
            self._forget_path()

    def _state(self, near: Pcm, at_ns: int) -> tuple[EarState, str]:
        state = self._check.block(near)
        if state == "silent":
            return state, REMEDIES[state]
        if self._cancels and self._far_end.known and self.voice_runs:
            if at_ns - self._far_end.end_ns > STALE_NS:
                return "no_echo_reference", NO_REFERENCE
            if self._finder.loopback:
                return "loopback", LOOPBACK
        return state, REMEDIES.get(state, "")

    def _events(self, chunk: Chunk, *, deaf: bool) -> tuple[UserStarted | UserStopped, ...]:
        """What the chunk begins or ends. deaf: nothing can be told from it."""
        careful = self._activity.speaking or self._holes > 0
        rest, echo_power = self._linear.process(chunk, careful=careful, learnt=self._guard.learnt)
        self._guard.judge(chunk, power(rest), echo_power, self._activity.noise_power)
        speaking = self._activity.speaking
        allowed = not deaf and (self._guard.stays if speaking else self._guard.allows)
        awake = self._activity.wakes(sub_levels_db(rest), chunk.end_ns, self._guard.rest_db) and allowed
        probability = self._detector.probability(rest, awake=awake or speaking)
        event = self._activity.chunk(probability, allowed=allowed, needed=self._guard.needed)
        self._figures.speech_probability = round(probability, 3)
        self._levels.add(chunk, self._check.peak, speech=speaking or self._activity.speaking)
        return () if event is None else (event,)
