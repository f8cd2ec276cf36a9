"""Whatever happens: what was accepted and not interrupted is heard, in order, and told truthfully, exactly once.

The mixer is taken out, so that every sample arrives as it was sent; each is another number, so that each can be found.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.audio.null import NullSink
from mien.core import wire
from mien.errors import SinkError
from rigs.card_sink import CardSink
from rigs.voice_rig import VoiceRig

TRAITS = st.fixed_dictionaries(
    {
        "step_ms": st.sampled_from([1, 5, 10]),
        "period_ms": st.sampled_from([1, 5]),
        "partial": st.sampled_from([0.0, 0.2, 0.5]),
        "ppm": st.sampled_from([-300, 0, 300]),
        "seed": st.integers(0, 9),
    }
)
DOINGS = st.one_of(
    st.tuples(st.just("audio"), st.one_of(st.integers(1, 40), st.integers(1, 1200))),
    st.tuples(st.just("step"), st.integers(1, 12)),
    st.tuples(st.just("step"), st.integers(1, 12)),
    st.tuples(st.just("end"), st.just(0)),
    st.tuples(st.just("interrupt"), st.just(0)),
    st.tuples(st.just("pause"), st.just(0)),
    st.tuples(st.just("resume"), st.just(0)),
    st.tuples(st.just("late"), st.integers(1, 90)),
    st.tuples(st.just("lose"), st.just(0)),
    st.tuples(st.just("let_go"), st.just(0)),
)


class NoMixer:
    """Speech as it is, filler as zeros."""

    fade_frames = 40
    after_filler = False

    def set_volume(self, gain, fade_frames):
        pass

    def speech(self, pcm, *, joins):
        pass

    def fade_out(self, pcm):
        pass

    def filler(self, pcm):
        pcm[:] = 0


class Talk:
    """One client that does anything at all, and a service that swaps devices as mien-voice does."""

    def __init__(self, traits, rebuffer_ms):
        self.cards = []
        self._traits = traits
        self.rig = VoiceRig(device=self._card, rebuffer_ms=rebuffer_ms, output_latency_ms=0)
        self.rig.playback._mixer = NoMixer()
        self.rig.hello()
        self.sent, self.seq, self.ended, self.number, self.lost = {}, {}, set(), 0, set()

    def _card(self, clock, rate_hz, buffer_frames):
        self.cards.append(CardSink(clock, rate_hz, buffer_frames, **self._traits))
        return self.cards[-1]

    def do(self, doing, size):
        getattr(self, doing)(size)

    def audio(self, size):
        name = f"t{len(self.sent) - 1}"
        if not self.sent or name in self.ended or name not in {turn.name for turn in self.rig.queue.turns}:
            name = f"t{len(self.sent)}"
            self.sent[name], self.seq[name] = [], 0
        pcm = np.arange(self.number + 1, self.number + 1 + size)
        self.rig.audio(name, self.seq[name], pcm)
        assert self.rig.errors() == []
        self.seq[name] += 1
        self.sent[name] += pcm.tolist()
        self.number += size

    def step(self, count):
        for _ in range(count):
            playback = self.rig.playback
            if playback.idle and not playback.audible:
                playback.use_sink(self.rig.open_device(self._card), audible=True)
            if playback.released and not playback.idle:
                playback.use_sink(self.rig.open_device(self._card), audible=True, wake_ms=35)
            if not playback.audible:
                self.lost |= {turn.name for turn in self.rig.queue.turns}
            try:
                self.rig.step(5)
            except SinkError:
                playback.use_sink(NullSink(self.rig.clock, 16000, 800), audible=False)
            if not playback.audible:
                self.lost |= {turn.name for turn in self.rig.queue.turns}

    def end(self, _):
        if self.sent and (name := f"t{len(self.sent) - 1}") not in self.ended:
            self.ended.add(name)
            self.rig.say(wire.End(turn=name))

    def interrupt(self, _):
        self.rig.say(wire.Interrupt())
        self.ended |= set(self.sent)

    def pause(self, _):
        self.rig.say(wire.Pause())

    def resume(self, _):
        self.rig.say(wire.Resume())

    def late(self, ms):
        self.rig.clock.advance_ms(ms)

    def lose(self, _):
        self.cards[-1].close()

    def let_go(self, _):
        if self.rig.playback.idle and self.rig.playback.audible:
            self.cards[-1].close()
            self.rig.playback.release()

    def finish(self):
        self.resume(0)
        self.end(0)
        for _ in range(2000):
            if not self.rig.queue.turns:
                return
            self.step(1)
        raise AssertionError(f"never finished: {[turn.name for turn in self.rig.queue.turns]}")


def check_told(talk):
    """Each turn: played_ms never falls, and finished comes once, last, and for all that were begun."""
    told = {}
    for _, message in talk.rig.sent:
        if isinstance(message, wire.Progress | wire.Stalled | wire.Resumed | wire.Finished):
            before = told.setdefault(message.turn, [])
            assert not any(isinstance(earlier, wire.Finished) for earlier in before)
            assert message.played_ms >= (before[-1].played_ms if before else 0.0)
            before.append(message)
    finished = [message.turn for message in talk.rig.got(wire.Finished)]
    assert sorted(finished) == sorted(talk.sent)
    for messages in told.values():
        stalls = [type(message) for message in messages if isinstance(message, wire.Stalled | wire.Resumed)]
        assert stalls[::2] == [wire.Stalled] * len(stalls[::2])
        assert stalls[1::2] == [wire.Resumed] * len(stalls[1::2])


def check_heard(talk):
    """The cards have got every sample of every turn that was played, in order; of others the beginning."""
    heard = np.concatenate([card.pcm for card in talk.cards])
    heard = heard[heard != 0]
    assert np.all(np.diff(heard) > 0)
    heard = set(heard.tolist())
    for message in talk.rig.got(wire.Finished):
        samples = talk.sent[message.turn]
        got = [sample for sample in samples if sample in heard]
        assert got == samples[: len(got)]
        if message.turn in talk.lost:
            assert message.played_ms * 16 <= len(got) + 1
        elif message.interrupted:
            assert round(message.played_ms * 16) == len(got)
        else:
            assert got == samples
            assert (message.reason, round(message.played_ms * 16)) == ("played", len(samples))


@settings(max_examples=150, deadline=None)
@given(TRAITS, st.sampled_from([0, 40, 80]), st.lists(DOINGS, max_size=40))
def test_every_accepted_sample_is_heard_in_order_and_told_of_once(traits, rebuffer_ms, doings):
    talk = Talk(traits, rebuffer_ms)
    for doing, size in doings:
        talk.do(doing, size)
    talk.finish()
    check_told(talk)
    check_heard(talk)
