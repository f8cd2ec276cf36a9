"""An agent's speech over a bad network, on a manual clock: what is spoken, in which order, how late."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.fleet.packets import Sound, encode_sound
from mien.link.agent_speech import ENOUGH_AHEAD_MS, LATE_MS, MOST_AHEAD_MS, SILENCE_MS, AgentSpeech
from mien.link.jitter import KEEP, LEAST_MS, MOST_MS, STALE_MS

START_MS = 50_000.0


class Agent:
    """One user's speech: messages of one packet, each with its number in it."""

    def __init__(self, user="ada"):
        self.speech = AgentSpeech()
        self.user = user
        self.speech.floor(user)
        self.done = []  # (now_ms, what, number of the packet)
        self.now_ms = START_MS

    def hear(self, number, *, user=None, first=False, last=False, packets=1, at_ms=None, seq=None, quiet=False):
        size = 10 if quiet else 60
        opus = tuple(b"\x48" + (number + each).to_bytes(4, "big") + bytes(size) for each in range(packets))
        at_ms = number * 20 + 1_000_000 if at_ms is None else at_ms
        payload = encode_sound(Sound((number if seq is None else seq) % 65536, at_ms, opus, first, last))
        self._do(self.speech.take(user or self.user, payload, self.now_ms))

    def step(self, ahead_ms=0.0):
        self._do(self.speech.step(self.now_ms, ahead_ms))

    def run(self, arrivals, until_ms, ahead=lambda: 0.0):
        """arrivals: (ms from now, arguments of hear)."""
        start_ms, left = self.now_ms, sorted(arrivals, key=lambda each: each[0])
        while self.now_ms < start_ms + until_ms:
            while left and start_ms + left[0][0] <= self.now_ms:
                self.hear(**left.pop(0)[1])
            self.step(ahead())
            self.now_ms += 5

    def _do(self, actions):
        for what, packet in actions:
            self.done.append((self.now_ms, what, int.from_bytes(packet[1:5], "big") if packet else None))

    @property
    def spoken(self):
        return [number for _, what, number in self.done if what == "packet"]

    @property
    def whats(self):
        return [what for _, what, _ in self.done if what != "packet"]


def stretch(count, delay_ms=lambda _: 0.0, *, lost=(), start=0):
    """Arrivals of a stretch that is spoken in real time."""
    return [
        (
            (number - start) * 20 + delay_ms(number),
            {"number": number, "first": number == start, "last": number == start + count - 1},
        )
        for number in range(start, start + count)
        if number not in lost
    ]


def test_a_stretch_is_one_turn_in_order_and_soon():
    agent = Agent()
    agent.run(stretch(50), 1500)
    assert agent.spoken == list(range(50))
    assert agent.whats == ["begin", "end"]
    assert agent.done[0][0] == START_MS
    assert agent.done[-1][0] == START_MS + 49 * 20
    assert not agent.speech.busy


def test_packets_that_overtake_each_other_are_spoken_in_order():
    agent = Agent()
    chance = random.Random(3)
    agent.run(stretch(200, lambda _: chance.uniform(0, 60)), 5000)
    counts = agent.speech.counts
    assert agent.spoken == sorted(agent.spoken)
    assert len(agent.spoken) >= 190
    assert len(agent.spoken) + counts.late == 200


def test_the_buffer_adapts_to_the_network_within_its_bounds():
    calm, rough = Agent(), Agent()
    chance = random.Random(5)
    calm.run(stretch(100), 2500)
    rough.run(stretch(100, lambda _: chance.uniform(0, 90)), 2500)
    for agent, hold_ms, wait_ms in ((calm, (0, 0), (LEAST_MS, LEAST_MS)), (rough, (5, 45), (60, MOST_MS))):
        begun_ms = agent.now_ms
        agent.run(stretch(10, start=1000, lost={1004}), 400)
        opened_ms = next(at_ms for at_ms, what, _ in reversed(agent.done) if what == "begin")
        assert hold_ms[0] <= opened_ms - begun_ms <= hold_ms[1]
        after_ms = next(at_ms for at_ms, _, number in agent.done if number == 1005)
        assert wait_ms[0] <= after_ms - (begun_ms + 100) <= wait_ms[1] + 5


def test_a_lost_packet_is_skipped_after_a_short_wait_and_counted():
    agent = Agent()
    agent.run(stretch(30, lost={10, 11}), 1500)
    assert agent.spoken == [number for number in range(30) if number not in (10, 11)]
    assert agent.speech.counts.skipped == 2
    said_ms = {number: at_ms for at_ms, what, number in agent.done if what == "packet"}
    assert said_ms[12] - (START_MS + 12 * 20) <= MOST_MS


def test_repeated_late_and_stale_packets_are_dropped():
    agent = Agent()
    arrivals = stretch(40)
    arrivals += [(205, {"number": 10}), (410, {"number": 3}), (600, {"number": 5, "seq": 5})]
    agent.run(arrivals, 1500)
    assert agent.spoken == list(range(40))
    assert agent.speech.counts.late + agent.speech.counts.repeated == 3
    stale = Agent()
    stale.run([*stretch(10)[:-1], (9 * 20 + STALE_MS + 5, {"number": 9})], 1300)
    assert stale.spoken == list(range(9))


def test_after_a_silence_the_turn_ends_and_the_next_packet_begins_another():
    agent = Agent()
    agent.run(stretch(10)[:9], SILENCE_MS + 150)
    assert agent.whats == ["begin"]
    agent.run([], 200)
    assert agent.whats == ["begin", "end"]
    agent.run([(0, {"number": 500}), (20, {"number": 501})], 200)
    assert agent.whats == ["begin", "end", "begin"]
    assert agent.spoken[-2:] == [500, 501]


def test_a_new_stretch_ends_the_one_before():
    agent = Agent()
    agent.run([*stretch(10)[:9], (400, {"number": 30, "first": True}), (420, {"number": 31})], 600)
    assert agent.whats == ["begin", "end", "begin"]


def test_a_page_that_was_loaded_again_counts_from_zero():
    agent = Agent()
    agent.run(stretch(10, start=40_000), 400)
    agent.run([(0, {"number": 60_000, "seq": 0, "first": True}), (20, {"number": 60_001, "seq": 1})], 200)
    assert agent.spoken[-2:] == [60_000, 60_001]


def test_an_old_stretch_that_is_sent_again_is_not_spoken():
    agent = Agent()
    agent.run(stretch(10), 500)
    agent.run(stretch(10), 3000)
    assert agent.spoken == list(range(10))
    assert agent.whats == ["begin", "end"]


def test_numbers_wrap():
    agent = Agent()
    agent.run(stretch(40, start=65_520), 1500)
    assert agent.spoken == list(range(65_520, 65_560))


def test_the_second_message_may_come_first():
    agent = Agent()
    agent.run([(0, {"number": 1}), (5, {"number": 0, "first": True}), (40, {"number": 2})], 200)
    assert agent.spoken == [0, 1, 2]
    assert agent.whats == ["begin"]


class TestFloor:
    def test_only_its_holder_is_heard(self):
        agent = Agent()
        agent.run([(0, {"number": 0, "first": True, "user": "eve"})], 100)
        assert agent.done == []
        assert agent.speech.counts.refused == 1
        agent.speech.floor("")
        agent.run([(0, {"number": 1, "first": True}), (5, {"number": 2, "user": ""})], 100)
        assert agent.done == []

    def test_who_loses_it_is_stopped(self):
        agent = Agent()
        agent.run(stretch(20)[:10], 200)
        assert [action.what for action in agent.speech.floor("bob")] == ["cancel"]
        assert not agent.speech.busy
        assert agent.speech.floor("bob") == []
        agent.user = "bob"
        agent.run(stretch(5), 300)  # whose clock may be behind
        assert agent.spoken[-5:] == list(range(5))


def with_pauses(arrivals):
    """Three of ten packets are quiet."""
    return [(at_ms, {**each, "quiet": each["number"] % 10 >= 7}) for at_ms, each in arrivals]


class TestLag:
    def test_a_burst_after_a_stall_does_not_make_the_agent_late_for_good(self):
        """The voice plays 20 ms in 20 ms: what it holds unheard is how late the agent is."""
        agent = Agent()
        played = {"since_ms": None, "stalled_ms": 0.0}

        def ahead():
            said = len(agent.spoken) * 20
            if not said:
                return 0.0
            if played["since_ms"] is None:
                played["since_ms"] = agent.now_ms
            heard = agent.now_ms - played["since_ms"] - played["stalled_ms"]
            if heard > said:
                played["stalled_ms"] += heard - said
            return max(0.0, said - heard)

        most = []
        arrivals = stretch(300, lambda number: max(0, 1500 - number * 20) if 20 <= number < 75 else 0)
        agent.run(arrivals, 8000, lambda: most.append(ahead()) or most[-1])
        assert max(most) <= MOST_AHEAD_MS + 40
        assert most[-400] <= ENOUGH_AHEAD_MS + 40
        assert max(most) > ENOUGH_AHEAD_MS
        assert agent.speech.counts.dropped > 0
        assert agent.spoken[-1] == 299

    @pytest.mark.parametrize("ahead_ms", [0.0, LATE_MS])
    def test_without_lag_nothing_is_dropped(self, ahead_ms):
        agent = Agent()
        agent.run(with_pauses(stretch(100)), 2500, lambda: ahead_ms)
        assert agent.spoken == list(range(100))

    def test_a_small_lag_shortens_pauses_and_no_words(self):
        agent = Agent()
        agent.run(with_pauses(stretch(100)), 2500, lambda: LATE_MS + 1)
        assert agent.spoken == [number for number in range(100) if number % 10 < 7]
        assert agent.speech.counts.dropped == 30

    def test_what_the_voice_waits_for_after_a_stall_is_not_dropped(self):
        """The voice waits for 640 ms at most: dropping below that would keep it silent."""
        agent = Agent()
        agent.run(stretch(100), 2500, lambda: 660.0)
        assert agent.spoken == list(range(100))


@pytest.mark.parametrize("payload", [b"", b"\x01\x00", b"\xff" * 40, bytes(3000)])
def test_malformed_messages_are_counted(payload):
    speech = AgentSpeech()
    speech.floor("ada")
    assert speech.take("ada", payload, 0.0) == []
    assert speech.counts.malformed == 1
    assert not speech.busy


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 3000), st.booleans(), st.booleans()), max_size=200))
def test_whatever_comes_turns_begin_and_end_in_pairs_and_memory_is_bounded(messages):
    agent = Agent()
    for seq, at_ms, first, last in messages:
        agent.hear(seq, at_ms=at_ms, first=first, last=last)
        agent.now_ms += 7
        agent.step()
        stretch = agent.speech._stretch
        assert stretch is None or len(stretch.buffer._waiting) <= KEEP
    agent.now_ms += SILENCE_MS + MOST_MS
    agent.step()
    agent.now_ms += SILENCE_MS
    agent.step()
    assert not agent.speech.busy
    assert agent.whats == ["begin", "end"] * (len(agent.whats) // 2)


def test_a_flood_that_never_comes_in_order_is_bounded():
    agent = Agent()
    agent.hear(0, first=True)
    for number in range(2, 2000, 2):
        agent.hear(number)
    assert len(agent.speech._stretch.buffer._waiting) <= KEEP


def test_a_hundred_thousand_hostile_messages():
    """Noise, good messages with bytes changed, and messages at any time, from the user who holds the floor."""
    chance, agent = random.Random(11), Agent()
    good = [encode_sound(Sound(seq, seq * 20, (b"\x48packet",) * 3, seq == 0, seq == 9)) for seq in range(10)]
    for number in range(100_000):
        payload = bytearray(chance.choice(good))
        kind = number % 4
        if kind == 0:
            payload = bytearray(chance.randbytes(chance.randrange(60)))
        elif kind == 1:
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        elif kind == 2:
            payload[2:12] = chance.randbytes(10)  # its number and time
        agent.now_ms += chance.choice((0, 0, 1, 30))
        agent._do(agent.speech.take("ada", bytes(payload), agent.now_ms))
        if not number % 3:
            agent.step(chance.choice((0, 100, 900)))
            stretch = agent.speech._stretch
            assert stretch is None or len(stretch.buffer._waiting) <= KEEP
    counts = agent.speech.counts
    assert min(counts.malformed, counts.spoken, counts.late, counts.dropped) > 0
    assert agent.whats[:-1] == (["begin", "end"] * len(agent.whats))[: len(agent.whats) - 1]
