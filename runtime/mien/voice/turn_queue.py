"""The unfinished turns of all clients in the order of their first chunk, with every limit on what a client may queue.

Pure: methods take the time and raise ProtocolError for what must be refused.
"""

from collections import deque

from mien.audio.base import Pcm
from mien.config import VoiceConfig
from mien.errors import ProtocolError
from mien.units import NS_PER_MS, frames_to_ms, frames_to_ns
from mien.voice.captions import Captions
from mien.voice.codec import Codec
from mien.voice.phones import EarlyPhones
from mien.voice.rebuffer import LEAST_MS
from mien.voice.session_log import SessionLog
from mien.voice.turn import Turn

REMEMBERED_TURNS = 512  # names a client may not use again; older names are dropped to stay bounded


class TurnQueue:
    """While no agent holds the floor, the first client with an unfinished turn has it.

    holder: the agent that holds the floor, or None. admits: whether the holder may begin turns; False once it has
    released the floor.
    """

    def __init__(self, config: VoiceConfig, sink_rate_hz: int, session_log: SessionLog) -> None:
        self._config = config
        self._sink_rate_hz = sink_rate_hz
        self._closed: dict[bytes, deque[str]] = {}
        self._unbegun: dict[bytes, dict[str, None]] = {}
        self.captions = Captions(config.max_turns)
        self.phones = EarlyPhones(config.max_turns)
        self.turns: list[Turn] = []
        self._session_log = session_log
        self.holder: bytes | None = None
        self.admits = True

    @property
    def playable(self) -> list[Turn]:
        """All turns that are not held."""
        return [turn for turn in self.turns if not turn.held]

    def beginning_by(self, media_ns: int) -> list[Turn]:
        """The playable turns that are heard now, or begin by media_ns of the sink's clock, unless interrupted."""
        return [
            turn
            for turn in self.playable
            if turn.playout.start_frame is not None
            and not turn.interrupted
            and frames_to_ns(turn.playout.start_frame, turn.sink_rate_hz) <= media_ns
        ]

    def audio(self, owner: bytes, codec: Codec, name: str, seq: int, payload: bytes, now_ns: int) -> None:
        """Add one chunk. Raises ProtocolError, and changes nothing, for a chunk that must be refused."""
        turn = self.find(owner, name)
        self._check_sequence(owner, turn, name, seq)
        if turn is None:
            self._check_floor(owner, name, seq)
        self._check_room(owner, turn, name, seq, frames_to_ms(codec.measure(payload), codec.rate_hz))
        decode = turn.received.decode if turn else codec.open()
        pcm = decode(payload)
        if turn is None:
            turn = self._begin(owner, name, codec.rate_hz, now_ns)
            turn.received.decode = decode
        receive(turn, pcm, now_ns)
        self._session_log.audio(turn, pcm)

    def end(self, owner: bytes, rate_hz: int, name: str, now_ns: int) -> None:
        """End a turn. A name that was never used begins a turn without sound. Ending twice changes nothing.

        Raises ProtocolError: unknown_turn when the first chunk of the turn was refused, otherwise as audio() does.
        """
        turn = self.find(owner, name)
        if turn is None:
            if name in self._closed.get(owner, ()):
                return
            if name in self._unbegun.get(owner, ()):
                raise ProtocolError(
                    "unknown_turn",
                    f"turn '{name}' did not begin: its first chunk was refused; send that again, or drop the turn",
                    turn=name,
                )
            self._check_floor(owner, name, -1)
            turn = self._begin(owner, name, rate_hz, now_ns)
        turn.end()

    def refused(self, owner: bytes, name: str) -> None:
        """Note a refused chunk. A turn that has not begun stays unbegun until its first chunk is accepted."""
        if self.find(owner, name) is not None or name in self._closed.get(owner, ()):
            return
        names = self._unbegun.setdefault(owner, {})
        names.pop(name, None)
        names[name] = None
        if len(names) > REMEMBERED_TURNS:
            del names[next(iter(names))]

    def behind(self, owner: bytes, name: str | None) -> list[Turn]:
        """The unfinished turns that an interrupt of `name` affects: that turn and those after it. None: all turns.

        Raises ProtocolError (unknown_turn) for a name that was never used.
        """
        mine = [turn for turn in self.turns if turn.owner == owner and not turn.interrupted]
        if name is None:
            return mine
        for index, turn in enumerate(mine):
            if turn.name == name:
                return mine[index:]
        if name in self._closed.get(owner, ()) or self.find(owner, name):
            return []
        raise ProtocolError("unknown_turn", f"there was never a turn '{name}'", turn=name)

    def leave(self, owner: bytes) -> None:
        """A client has left: what it sent is still played, and nothing more will come."""
        for turn in self.turns:
            if turn.owner == owner:
                turn.orphaned = True
                turn.end("client_gone")
        self._closed.pop(owner, None)
        self._unbegun.pop(owner, None)
        self.captions.leave(owner)
        self.phones.leave(owner)

    def reassign(self, owner: bytes, heir: bytes) -> None:
        """Give the remaining turns of a client that has left to another owner."""
        for turn in self.turns:
            if turn.owner == owner:
                turn.owner = heir

    def expire(self, now_ns: int) -> None:
        """End turns that have received no audio for turn_idle_timeout_ms."""
        limit_ns = self._config.turn_idle_timeout_ms * NS_PER_MS
        for turn in self.playable:
            dry_since_ns = max(turn.received.last_audio_ns, turn.playout.last_taken_ns)
            if not turn.ended and _has_run_dry(turn) and now_ns - dry_since_ns > limit_ns:
                turn.end("idle_timeout")

    def release_held(self, now_ns: int, owner: bytes | None = None) -> None:
        """Let the held turns of one client, or of all, be played. Their idle timeout starts again."""
        for turn in self.turns:
            if turn.held and owner in (None, turn.owner):
                turn.held = False
                turn.received.last_audio_ns = now_ns

    def finish(self, turn: Turn) -> None:
        """Remove a turn. Its name stays used."""
        self.turns.remove(turn)
        self._session_log.turn_over(turn)
        if not turn.orphaned:
            self._closed.setdefault(turn.owner, deque(maxlen=REMEMBERED_TURNS)).append(turn.name)

    def credit_ms(self, owner: bytes) -> float:
        """How much more speech this client may send now."""
        held = sum(turn.buffered_ms for turn in self.turns if turn.owner == owner and not turn.interrupted)
        return max(0.0, self._config.max_buffer_ms - held)

    def find(self, owner: bytes, name: str) -> Turn | None:
        """An unfinished turn by its name."""
        return next((turn for turn in self.turns if turn.owner == owner and turn.name == name), None)

    def _begin(self, owner: bytes, name: str, rate_hz: int, now_ns: int) -> Turn:
        turn = Turn(name=name, owner=owner, rate_hz=rate_hz, sink_rate_hz=self._sink_rate_hz, now_ns=now_ns)
        turn.received.behind = any(not other.interrupted for other in self.turns)
        turn.caption = self.captions.claim(owner, name)
        turn.phones = self.phones.claim(owner, name)
        self._unbegun.get(owner, {}).pop(name, None)
        self.turns.append(turn)
        return turn

    def _check_sequence(self, owner: bytes, turn: Turn | None, name: str, seq: int) -> None:
        if turn is None and name in self._closed.get(owner, ()):
            raise ProtocolError("turn_closed", f"turn '{name}' is over; late audio is not played", turn=name, seq=seq)
        if turn is not None and turn.ended:
            raise ProtocolError("turn_closed", f"turn '{name}' was ended or interrupted", turn=name, seq=seq)
        wanted = 0 if turn is None else turn.received.next_seq
        if seq < wanted:
            raise ProtocolError("repeated", f"seq {seq} was already accepted; {wanted} is next", turn=name, seq=seq)
        if seq > wanted:
            raise ProtocolError(
                "out_of_order", f"seq {seq} came where {wanted} is next; nothing was accepted", turn=name, seq=seq
            )

    def _check_floor(self, owner: bytes, name: str, seq: int) -> None:
        if self.holder is not None and (owner != self.holder or not self.admits):
            raise ProtocolError(
                "floor_taken",
                "an agent holds the floor; continue when it is released",
                retryable=True,
                turn=name,
                seq=seq,
            )
        if any(turn.owner != owner and not turn.interrupted for turn in self.playable):
            raise ProtocolError(
                "floor_taken",
                "another client is speaking; try again when it has finished",
                retryable=True,
                turn=name,
                seq=seq,
            )
        if sum(turn.owner == owner for turn in self.turns) >= self._config.max_turns:
            raise ProtocolError(
                "too_many_turns", f"at most {self._config.max_turns} turns may wait", retryable=True, turn=name, seq=seq
            )

    def _check_room(self, owner: bytes, turn: Turn | None, name: str, seq: int, more_ms: float) -> None:
        length_ms = (turn.received_ms if turn else 0.0) + more_ms
        if length_ms > self._config.max_turn_ms:
            raise ProtocolError(
                "turn_too_long",
                f"a turn may last {self._config.max_turn_ms} ms; end it and begin another",
                turn=name,
                seq=seq,
            )
        if more_ms > self.credit_ms(owner) + 1e-6:
            raise ProtocolError(
                "buffer_full",
                f"{more_ms:.0f} ms do not fit into the {self.credit_ms(owner):.0f} ms "
                "that are free; send it again later",
                retryable=True,
                turn=name,
                seq=seq,
            )


def _has_run_dry(turn: Turn) -> bool:
    """Whether nothing of a turn can be played until more comes."""
    return not len(turn.pcm) or (turn.playout.stalled and turn.waiting_ms < LEAST_MS)


def receive(turn: Turn, pcm: Pcm, now_ns: int) -> None:
    """Add one chunk, int16 (N,) at the client's rate, to a turn."""
    received = turn.received
    received.frames += len(pcm)
    received.last_audio_ns = now_ns
    received.next_seq += 1
    turn.pcm.push(pcm)
    turn.speech.push(pcm)
