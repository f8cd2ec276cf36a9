"""Barge-in: what the voice does by itself when the customer speaks over a turn.

Pure; stepped with the time.

    customer's first sound --> ducked --min_speech_ms--> paused --interrupt or default--> interrupted
                                 |      (mode interrupt: at once)  |
                                 '-- stopped, resume --> resumed --' resume or default, or the sound was shorter

No sample is lost by a barge-in that ends in `resumed`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mien.config import BargeInConfig
from mien.core import wire
from mien.core.stats import Counters
from mien.units import NS_PER_MS
from mien.voice.pauses import Pauses
from mien.voice.playback import Playback
from mien.voice.sessions import Send
from mien.voice.turn import Turn
from mien.voice.turn_queue import TurnQueue

NEVER_NS: Final = 1 << 62


@dataclass(slots=True)
class Episode:
    """One barge-in. turn: that is heard now; heard_ms: of it, at the customer's first sound.

    speaking: whether the customer has not stopped. until_ns: when the window ends; None while only ducked.
    """

    turn: Turn
    utterance: int
    at_ns: int
    heard_ms: float
    speaking: bool = True
    until_ns: int | None = None


class BargeIn:
    """send(identity, message) sends to a client; tell(owner, message) to a turn's client and to all who listen."""

    def __init__(
        self,
        *,
        config: BargeInConfig,
        queue: TurnQueue,
        playback: Playback,
        pauses: Pauses,
        counters: Counters,
        send: Send,
        tell: Callable[[bytes, wire.BargeIn], None],
    ) -> None:
        self._config = config
        self._queue = queue
        self._playback = playback
        self._pauses = pauses
        self._counters = counters
        self._send = send
        self._tell = tell
        self._min_speech_ns = config.min_speech_ms * NS_PER_MS
        self._gain = 10 ** (-config.duck_db / 20)
        self._episode: Episode | None = None
        self._fading: Turn | None = None

    def __bool__(self) -> bool:
        return self._episode is not None

    def started(self, utterance: int, at_ns: int, now_ns: int) -> None:
        """The customer began to speak at at_ns."""
        if self._config.mode == "off" or self._episode is not None or self._playback.paused:
            return
        self._episode = self._begin(utterance, min(at_ns, now_ns))
        if self._episode is None:
            return
        self._fading = None
        self._playback.duck(self._gain)
        self._report("ducked")
        self.step(now_ns)

    def stopped(self, utterance: int, started_ns: int, at_ns: int) -> None:
        """The customer's last sound was at at_ns. A sound shorter than min_speech_ms declines the barge-in."""
        episode = self._episode
        if episode is None or episode.utterance != utterance:
            return
        episode.speaking = False
        if episode.until_ns is None or at_ns - started_ns < self._min_speech_ns:
            self._resume()

    def unheard(self) -> None:
        """The ear is gone, or muted: nobody will say that the customer stopped. A pause still waits for its window."""
        if self._episode is None:
            return
        self._episode.speaking = False
        if self._episode.until_ns is None:
            self._resume()

    def decline(self) -> None:
        """A client has sent resume."""
        if self._episode is not None:
            self._resume()

    def confirm(self, turns: list[Turn]) -> None:
        """A client interrupts these turns."""
        episode = self._episode
        if episode is None or episode.turn not in turns:
            return
        self._mark(turns, episode)
        self._report("interrupted")
        self._end(fading=episode.turn)

    def step(self, now_ns: int) -> None:
        """Do what is due by the clock, and follow the turn."""
        if self._fading is not None and self._fading.drained:
            self._fading = None
            self._playback.unduck(at_once=True)
        episode = self._episode
        if episode is None or not self._follow(episode):
            return
        if episode.until_ns is not None:
            if not self._pauses.barge_in:  # a client has ended every pause
                self._resume()
            elif now_ns >= episode.until_ns:
                self._decide(episode)
        elif episode.speaking and now_ns - episode.at_ns >= self._min_speech_ns:
            if self._config.mode == "pause":
                self._pause(episode, now_ns)
            elif self._config.mode == "interrupt":
                self._interrupt(episode)

    @property
    def due_ns(self) -> int:
        """When the window ends; while a turn is heard, it is stepped often anyway."""
        episode = self._episode
        return NEVER_NS if episode is None or episode.until_ns is None else episode.until_ns

    def _begin(self, utterance: int, at_ns: int) -> Episode | None:
        """The barge-in into the turn that is heard now, or None: nothing was heard at at_ns, or only its opening."""
        guard_ms = self._config.guard_ms
        spoken, turn = self._playback.spoken_at(at_ns, guard_ms), self._playback.heard_turn
        if spoken is None or turn is None or turn.interrupted or at_ns - spoken.since_ns < guard_ms * NS_PER_MS:
            return None
        return Episode(turn, utterance, at_ns, spoken.played_ms if spoken.turn is turn else 0.0)

    def _follow(self, episode: Episode) -> bool:
        """Whether the barge-in goes on: with the client's next turn where this one has ended."""
        if episode.turn.interrupted:  # by a takeover, say; `finished` tells
            self._end(fading=episode.turn)
            return False
        if episode.turn in self._queue.turns:
            return True
        owner = episode.turn.owner
        later = next((t for t in self._queue.playable if t.owner == owner and not t.interrupted), None)
        if later is None:
            self._end(fading=episode.turn)
            return False
        episode.turn, episode.heard_ms = later, 0.0
        return True

    def _pause(self, episode: Episode, now_ns: int) -> None:
        self._pauses.barge_in = True
        episode.until_ns = now_ns + self._config.window_ms * NS_PER_MS
        self._report("paused")
        if not self._config.window_ms:
            self._decide(episode)

    def _decide(self, episode: Episode) -> None:
        """No client has decided within the window."""
        if self._config.default == "resume":
            self._resume()
        else:
            self._interrupt(episode)

    def _interrupt(self, episode: Episode) -> None:
        owner = episode.turn.owner
        turns = self._queue.behind(owner, None)
        self._mark(turns, episode)
        self._playback.interrupt(turns)
        self._pauses.forget(owner)
        self._report("interrupted")
        self._send(owner, wire.Interrupted(turns=tuple(turn.name for turn in turns)))
        self._end(fading=episode.turn)

    def _resume(self) -> None:
        self._report("resumed")
        self._end()

    def _end(self, fading: Turn | None = None) -> None:
        """fading: a turn that is over; what is still to be written of it, its fade-out, stays ducked."""
        self._episode = None
        paused, self._pauses.barge_in = self._pauses.barge_in, False
        if fading is not None and not fading.drained:
            self._fading = fading
        else:
            self._playback.unduck(at_once=paused or fading is not None)

    @staticmethod
    def _mark(turns: list[Turn], episode: Episode) -> None:
        for turn in turns:
            turn.barge_in_ms = episode.heard_ms if turn is episode.turn else 0.0

    def _report(self, action: wire.BargeInAction) -> None:
        episode = self._episode
        assert episode is not None
        self._counters.count(f"barge_ins_{action}")
        paused = action == "paused"
        message = wire.BargeIn(
            turn=episode.turn.name,
            action=action,
            utterance=episode.utterance,
            heard_ms=round(episode.heard_ms, 3),
            window_ms=self._config.window_ms if paused else 0,
            default=self._config.default if paused else "",
        )
        self._tell(episode.turn.owner, message)
