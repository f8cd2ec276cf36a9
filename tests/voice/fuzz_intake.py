"""Fuzz the handler: clients that say anything in any order, on a manual clock, by seed. Any failure names its seed.

    PYTHONPATH=tests .venv/bin/python -m voice.fuzz_intake --messages 1000000 [--seed 1]

What must hold whatever is sent: nothing raises; every turn that was begun is finished exactly once and nothing else is;
what goes to the device is what was sent (each sample carries a value that only its turn has, and no turn gives more of
them than were taken from its client); when everyone is quiet for a while, with the connections open, every turn ends,
the floor is free and nothing is paused; when all clients are gone, nothing is left of them.
"""

import argparse
import gc
import random
import time
from collections import Counter

import msgspec
import numpy as np

from mien.config import VoiceConfig
from mien.core import ear_bus, wire
from mien.host.memory import pss_mb
from mien.voice.orphans import SESSIONS_KEPT
from mien.voice.roles import allowed_roles
from mien.voice.turn import Turn
from rigs.voice_rig import VoiceRig

MESSAGES_A_RUN = 5_000  # steps, rather: about one in twelve lets time pass, or a client go
FADE_SAMPLES = 16  # of a fade between others, which may pass through any value
CLIENTS = (b"a", b"b", b"c", b"d", b"e")
NAMES = tuple(f"t{n}" for n in range(12))
KINDS = (
    ("audio",) * 10
    + ("end",) * 4
    + ("interrupt",) * 2
    + (
        "hello",
        "caption",
        "pause",
        "resume",
        "volume",
        "state",
        "emotion",
        "gesture",
        "look_at",
        "ping",
        "take_floor",
        "release_floor",
        "subscribe",
        "get_thumbnail",
        "bye",
        "listen",
        "listen",
        "mute",
        "unmute",
        "ear",
        "ear",
        "ear",
        "ear",
        "mutated",
        "mutated",
        "bytes",
        "map",
        "leave",
        "step",
        "step",
        "step",
    )
)
TAKEOVERS = (
    "audio",
    "audio",
    "end",
    "hello",
    "pause",
    "take_floor",
    "take_floor",
    "release_floor",
    "leave",
    "bye",
    "step",
)
EARS = ("audio",) * 6 + (
    "end",
    "ear",
    "ear",
    "ear",
    "interrupt",
    "pause",
    "resume",
    "listen",
    "mute",
    "unmute",
    "hello",
)
EARS += ("step",) * 4
QUIET_MS = 6_000  # longer than every bound of the configuration below, one after the other
VALUES = (
    None,
    True,
    -1,
    0,
    1,
    7,
    2**31,
    2**63,
    -(2**40),
    0.5,
    -0.5,
    float("inf"),
    float("nan"),
    "",
    "t1",
    "x" * 70,
    "speaker",
    "agent",
    "observer",
    "hold",
    b"",
    b"\x00\xff",
    [],
    [1, 2],
    ["state"],
    {"a": 1},
    [["w", 0, 10]],
)
FIELDS = (
    "turn",
    "seq",
    "protocol",
    "client",
    "role",
    "rate_hz",
    "encoding",
    "capabilities",
    "gain",
    "fade_ms",
    "state",
    "name",
    "intensity",
    "x",
    "y",
    "text",
    "words",
    "append",
    "queue",
    "topics",
    "width",
    "nonce",
    "replaces",
    "mode",
)


class Fuzzer:
    """One run: a rig, five clients, and the books that it is checked against."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.rig = VoiceRig(
            voice=VoiceConfig(
                max_turns=4,
                max_buffer_ms=2_000,
                max_turn_ms=3_000,
                max_clients=4,
                turn_idle_timeout_ms=500,
                floor_vanish_timeout_ms=200,
                floor_idle_timeout_ms=500,
                max_pause_ms=300,
                max_messages_per_s=2_000,
            ),
            fade_ms=1,
            ear={"observers_may_listen": True},
            # Ducking by 0 dB: whatever changes samples would hide whose they are.
            barge_in={
                "mode": ("off", "duck", "pause", "interrupt")[seed % 4],
                "default": ("interrupt", "resume")[seed // 4 % 2],
                "duck_db": 0.0,
                "window_ms": 300,
                "guard_ms": 20,
            },
        )
        self.rig.allowed = {b"e": allowed_roles("listener/eye"), b"d": allowed_roles("agent/ada")}
        self.utterance = 0
        # Volume changes samples by design; without it every sample at the device tells whose it is.
        self.rig.playback.set_volume = lambda *_: self.rig.counters.count("volumes")
        self.begun: Counter[tuple[bytes, str]] = Counter()
        self.finished: Counter[tuple[bytes, str]] = Counter()
        self.turns: list[tuple[bytes, Turn]] = []  # with who began it
        self.messages = 0
        self._set_mood(takeovers=False, ears=False)

    def run(self, messages: int) -> None:
        """Send, look, and at the end let everyone go."""
        for number in range(messages):
            self.messages += 1
            self._set_mood(takeovers=number % 1_000 >= 600, ears=number % 1_000 < 300)
            self._one()
            self._account()
            if number % 250 == 249:
                self._be_quiet()
        for client in CLIENTS:
            self.rig.voice.left(client)
        for _ in range(40):
            self.rig.step(100)
            self._account()
        self._check_end()

    def _set_mood(self, *, takeovers: bool, ears: bool) -> None:
        """Anything in any order, or spells in which agents come, take the floor from each other, and go; or in which
        there is an ear, and few speak at length."""
        self._kinds = TAKEOVERS if takeovers else EARS if ears else KINDS
        self._clients = CLIENTS[:1] if ears else CLIENTS
        self._name_lasts = 40 if ears else 400  # messages
        self._names, self._chunks = (NAMES[:2], (1600, 3200)) if ears else (NAMES, (0, 1, 80, 320, 320, 1600))
        self._farewells = 0.5 if takeovers else 0.1
        self._roles = ("agent", "agent", "speaker") if takeovers else ("speaker", "agent", "observer")

    def _be_quiet(self) -> None:
        """Nobody says anything: whatever was begun comes to its end by itself."""
        self.rig.step(QUIET_MS)
        self._account()
        assert not self.rig.queue.turns, self._where(f"turns that do not end: {[t.name for t in self.rig.queue.turns]}")
        assert self.rig.queue.holder is None, self._where("the floor is not given back")
        assert not self.rig.playback.paused, self._where("still paused")
        assert not self.rig.voice.barge_in, self._where("a barge-in does not end")
        assert not self.rig.voice.ear.present, self._where("an ear that does not report is present")

    def _one(self) -> None:
        kind, client = self.random.choice(self._kinds), self.random.choice(self._clients)
        match kind:
            case "step":
                self.rig.step(self.random.choice((5, 5, 10, 50, 200)))
            case "leave" if self.random.random() < self._farewells:
                self.rig.voice.left(client)
            case "bytes":
                self._raw(
                    client, [self.random.randbytes(self.random.randrange(60)) for _ in range(self.random.randrange(4))]
                )
            case "map":
                fields = {
                    self.random.choice(FIELDS): self.random.choice(VALUES) for _ in range(self.random.randrange(5))
                }
                self._raw(client, [msgspec.msgpack.encode({"type": self.random.choice(KINDS), **fields})])
            case "mutated":
                self._raw(client, self._mutated(client))
            case "ear":
                self._report()
            case "bye" if self.random.random() < self._farewells:
                self._raw(client, [self._header(kind)])
            case "leave" | "bye":
                self.rig.hello(client=client, role=self.random.choice(self._roles))
            case _:
                self._raw(client, self._good(kind, client))

    def _raw(self, client: bytes, frames: list[bytes]) -> None:
        before = set(self.rig.queue.turns)
        self.rig.voice.handle(client, frames, self.rig.allowed.get(client, allowed_roles("")))
        for turn in self.rig.queue.turns:
            if turn not in before:
                self.begun[turn.owner, turn.name] += 1
                self.turns.append((turn.owner, turn))

    def _report(self) -> None:
        """A report of an ear: most often one that makes sense."""
        chance, now_ns = self.random, self.rig.clock.now_ns()
        if self.rig.voice.barge_in and chance.random() < 0.8:
            return  # so that some barge-ins last
        at_ns = now_ns - chance.choice((0, 100, 100, 150, 400, 10**6)) * 1_000_000
        self.rig.full = {client for client in CLIENTS if chance.random() < 0.2}
        match chance.randrange(10) if self.rig.voice.ear.present else chance.randrange(12) // 3 * 3:
            case 0 | 1 | 2:
                self.rig.ear_health(
                    chance.choice(("ok", "ok", "ok", "no_card", "muted")), pid=7 + (chance.random() < 0.1)
                )
            case 3 | 4 | 5:
                self.utterance += chance.choice((0, 1, 1))
                utterance = self.utterance + chance.choice((0, 0, 0, 5))
                self.rig.hear(ear_bus.UserStarted(utterance=utterance, at_ns=at_ns, confidence=chance.random()))
            case 6 | 7:
                self.rig.hear(
                    ear_bus.UserStopped(
                        utterance=self.utterance, at_ns=now_ns, started_ns=at_ns, confidence=chance.random()
                    )
                )
            case 8:
                seq, encoding = chance.randrange(3_000), chance.choice(("s16le", "opus"))
                block = ear_bus.NearEnd(seq=seq, at_ns=at_ns, encoding=encoding, speech=chance.random() < 0.6)
                self.rig.hear(block, bytes(chance.choice((640, 640, 60, 0))))
            case _:
                self.rig.voice.hear([chance.randbytes(chance.randrange(60)) for _ in range(chance.randrange(3))])

    def _good(self, kind: str, client: bytes) -> list[bytes]:
        """A message as a client would send it, most often with the right number."""
        pick, turn = self.random.choice, self.random.choice(self._names) + str(self.messages // self._name_lasts)
        match kind:
            case "audio":
                found = self.rig.queue.find(client, turn)
                seq = found.received.next_seq if found else 0
                seq += 0 if self.random.random() < 0.95 else self.random.randrange(-1, 3)
                return [self._header(kind, turn=turn, seq=seq), self._speech(client, turn)]
            case "end" | "interrupt":
                return [self._header(kind, turn=turn if kind == "end" or self.random.random() < 0.7 else None)]
            case "hello":
                sessions = ["", "nobody", *(session.session for session in self.rig.voice.sessions.all())]
                return [
                    self._header(
                        kind,
                        protocol=1,
                        role=pick(self._roles),
                        client=pick(("fuzz", "other")),
                        rate_hz=16000,
                        replaces=pick(sessions),
                    )
                ]
            case "caption":
                words = [["word", n * 10, n * 10 + 9] for n in range(self.random.randrange(20))]
                return [self._header(kind, turn=turn, text="text", words=words, append=pick((True, False)))]
            case "take_floor":
                return [self._header(kind, queue=pick(("hold", "drop")))]
            case "listen":
                mode, encoding = pick(("speech", "always", "off")), pick(("s16le", "opus", "mp3"))
                return [self._header(kind, mode=mode, encoding=encoding)]
            case "subscribe":
                return [self._header(kind, topics=pick(([], ["state", "levels"], ["captions", "health"])))]
            case "state" | "emotion" | "gesture":
                names = {"state": {"state": "thinking"}, "emotion": {"name": "happy"}, "gesture": {"name": "nod"}}
                return [self._header(kind, **names[kind])]
            case _:
                return [self._header(kind)]

    def _header(self, kind: str, **fields: object) -> bytes:
        return msgspec.msgpack.encode({"type": kind, **fields})

    def _speech(self, client: bytes, turn: str) -> bytes:
        """Constant per turn, so that every sample at the device tells whose it is."""
        frames = self.random.choice(self._chunks)
        return np.full(frames, _value(client, turn), "<i2").tobytes()

    def _mutated(self, client: bytes) -> list[bytes]:
        frames = self._good(self.random.choice(("audio", "end", "hello", "caption", "interrupt")), client)
        spoiled = bytearray(frames[0])
        for _ in range(self.random.randrange(1, 4)):
            if spoiled:
                spoiled[self.random.randrange(len(spoiled))] = self.random.randrange(256)
        return [bytes(spoiled[: self.random.randrange(len(spoiled) + 1)] if self.random.random() < 0.3 else spoiled)]

    def _account(self) -> None:
        for client, message in self.rig.sent:
            if isinstance(message, wire.Finished):
                owner = self._first_owner(client, message.turn)
                self.finished[owner, message.turn] += 1
                assert self.finished[owner, message.turn] <= self.begun[owner, message.turn], self._where(message)
        self.rig.sent.clear()
        self.rig.published.clear()
        self.rig.speech.clear()
        self.rig.sounds.clear()
        self.rig.to_ear.clear()
        assert len(self.rig.queue.turns) <= 64, self._where("turns grow")

    def _first_owner(self, client: bytes, turn: str) -> bytes:
        """Who began it: what is left of a client that is gone may be told to nobody."""
        if client in CLIENTS:
            return client
        return next(first for first, begun in self.turns if (begun.owner, begun.name) == (client, turn))

    def _check_end(self) -> None:
        assert self.begun == self.finished, self._where((self.begun - self.finished, self.finished - self.begun))
        assert not self.rig.queue.turns, self._where("turns are left")
        assert not self.rig.queue._closed, self._where("names are left")
        assert not self.rig.queue._unbegun, self._where("names of refused turns are left")
        assert not self.rig.queue.captions._early, self._where("captions are left")
        assert self.rig.queue.holder is None, self._where("the floor is held")
        assert len(self.rig.voice.sessions) == 0, self._where("sessions are left")
        assert not self.rig.playback.paused, self._where("paused")
        assert not self.rig.voice.expressions._owners, self._where("the face is left in a state")
        assert not self.rig.voice.listeners, self._where("somebody listens")
        assert not self.rig.voice.mutes, self._where("it is muted")
        assert self.rig.voice.ear._orders == ear_bus.EarOrders(), self._where("the ear is wanted by nobody")
        assert len(self.rig.voice.orphans) <= SESSIONS_KEPT, self._where("orphans are left")
        assert len(self.rig.playback._playout_log.segments) <= 2, self._where("the playout_log grows")
        assert len(self.rig.handler.limits) == 0, self._where("allowances are left")
        self._check_sound()

    def _check_sound(self) -> None:
        """No invented audio: every sample is of a turn that was begun, or lies in the 1 ms of a fade between."""
        sound = self.rig.sink.pcm
        taken: Counter[int] = Counter()
        for owner, turn in self.turns:
            taken[_value(owner, turn.name)] += turn.received.frames
        for value, count in zip(*np.unique(sound, return_counts=True), strict=True):
            allowed = taken.get(value, count) + FADE_SAMPLES
            assert count <= allowed, self._where(f"{count} samples of a turn that sent {allowed}")
        strange = ~np.isin(sound, [0, *taken])
        edges = np.flatnonzero(np.diff(np.concatenate(([0], strange.astype(np.int8), [0]))))
        runs = edges[1::2] - edges[::2]
        assert not len(runs) or runs.max() <= 64, self._where(f"{runs.max()} samples that nobody sent")

    def _where(self, what: object) -> str:
        return f"seed {self.seed}, message {self.messages}: {what}"


def _value(client: bytes, turn: str) -> int:
    """A loud sample value of this turn: 1000..29000, without volume the only values that may reach the device."""
    return 1000 + (hash_of(client + turn.encode()) % 28_000)


def hash_of(data: bytes) -> int:
    """Small and the same in every process, unlike hash()."""
    total = 7
    for byte in data:
        total = (total * 131 + byte) % 1_000_003
    return total


def main() -> None:
    """Fuzz for as many messages as asked, in runs of MESSAGES_A_RUN."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    runs = max(2, -(-options.messages // MESSAGES_A_RUN))
    started_s, sizes = time.monotonic(), []
    seen: Counter[str] = Counter()
    for number in range(runs):
        fuzzer = Fuzzer(options.seed + number)
        fuzzer.run(MESSAGES_A_RUN)
        seen.update(fuzzer.rig.counters.snapshot())
        del fuzzer
        gc.collect()
        sizes.append(pss_mb())
    seconds = time.monotonic() - started_s
    print(
        f"{seen['messages']} messages in {runs} runs, seeds {options.seed} to {options.seed + runs - 1}, "
        f"{seconds:.0f} s; memory after the second run {sizes[1]:.1f} MB PSS, after the last {sizes[-1]:.1f}; "
        "nothing failed"
    )
    print(", ".join(f"{name} {count}" for name, count in sorted(seen.items())))


if __name__ == "__main__":
    main()
