"""A voice made of plain Python, for tests of the client: takes frames, gives frames, plays when told to.

It keeps to the protocol as PROTOCOL.md tells it: credit, sequence, refusal of all behind a refused chunk, one finished
a turn. `capacity_ms` may be less than what welcome promises, for a voice that refuses more than a client expects.
"""

from mien.core import wire

LIMITS = wire.Limits(
    max_chunk_bytes=6400,
    max_header_bytes=16_384,
    max_buffer_ms=1000,
    max_turn_ms=60_000,
    max_turns=8,
    turn_idle_timeout_ms=10_000,
)


def make_welcome(session="s", limits=LIMITS, capabilities=()):
    return wire.Welcome(
        session=session, protocol=1, version="0", capabilities=capabilities, rates_hz=wire.RATES_HZ, limits=limits
    )


class DoubleTurn:
    def __init__(self, name):
        self.name = name
        self.pcm = bytearray()
        self.played = 0
        self.next_seq = 0
        self.ended = self.interrupted = False


class VoiceDouble:
    """One client's voice. received: all headers that came; turns: unfinished ones; audio: what was taken, by turn."""

    def __init__(self, *, capacity_ms=1000, rate_hz=16000, limits=LIMITS, capabilities=()):
        self.capabilities = capabilities
        self.bytes_per_ms = rate_hz * 2 // 1000
        self.capacity = capacity_ms * self.bytes_per_ms
        self.limits = limits
        self.received, self.turns, self.done, self.audio = [], {}, {}, {}
        self.greeted = False

    @property
    def held(self):
        return sum(len(turn.pcm) - turn.played for turn in self.turns.values())

    def take(self, frames):
        """One message of the client. Returns the answers."""
        message = wire.decode_client(frames[0])
        self.received.append(message)
        if isinstance(message, wire.Hello):
            self.greeted = True
            return [make_welcome(limits=self.limits, capabilities=self.capabilities)]
        if not self.greeted:
            return [wire.Error(code="no_hello", message="say hello")]
        match message:
            case wire.Audio():
                return self._audio(message, frames[1])
            case wire.End(turn=name):
                if name not in self.done:
                    self._begin(name).ended = True
            case wire.Interrupt(turn=name):
                return self._interrupt(name)
            case wire.Bye():
                self.greeted = False
                return [wire.Bye()]
            case wire.Ping(nonce=nonce):
                return [wire.Pong(nonce=nonce, now_ns=0)]
        return []

    def play(self, ms):
        """Let `ms` be heard. Returns what the client is told."""
        told, left = [], ms * self.bytes_per_ms
        for turn in list(self.turns.values()):
            step = min(left, len(turn.pcm) - turn.played)
            turn.played += step
            left -= step
            told.append(self._progress(turn))
            if turn.ended and turn.played == len(turn.pcm):
                told.append(self._finish(turn, "played"))
        return told

    def _audio(self, message, payload):
        turn = self.turns.get(message.turn)
        if message.turn in self.done or (turn and turn.ended):
            return [self._refuse("turn_closed", message)]
        wanted = turn.next_seq if turn else 0
        if message.seq != wanted:
            return [self._refuse("out_of_order" if message.seq > wanted else "repeated", message)]
        if self.held + len(payload) > self.capacity:
            return [self._refuse("buffer_full", message, retryable=True)]
        turn = self._begin(message.turn)
        turn.next_seq += 1
        turn.pcm += payload
        self.audio.setdefault(turn.name, bytearray()).extend(payload)
        return []

    def _begin(self, name):
        return self.turns.setdefault(name, DoubleTurn(name))

    def _interrupt(self, name):
        names = list(self.turns)
        stopped = names if name is None else names[names.index(name) :] if name in names else []
        told = [wire.Interrupted(turns=tuple(stopped))]
        for each in stopped:
            self.turns[each].interrupted = True
            told.append(self._finish(self.turns[each], "interrupted"))
        return told

    def _progress(self, turn):
        return wire.Progress(
            turn=turn.name,
            played_ms=turn.played / self.bytes_per_ms,
            buffered_ms=(len(turn.pcm) - turn.played) / self.bytes_per_ms,
            credit_ms=max(0, self.capacity - self.held) / self.bytes_per_ms,
        )

    def _finish(self, turn, reason):
        del self.turns[turn.name]
        finished = wire.Finished(
            turn=turn.name,
            played_ms=turn.played / self.bytes_per_ms,
            interrupted=reason == "interrupted",
            reason=reason,
        )
        self.done[turn.name] = finished
        return finished

    def _refuse(self, code, message, *, retryable=False):
        return wire.Error(code=code, message=code, retryable=retryable, turn=message.turn, seq=message.seq)
