"""Captions that arrive before their turns: what they may take beside those of turns that are spoken."""

import pytest

from mien.core import wire
from mien.voice.captions import Captions
from mien.voice.turn import NO_CAPTION, Turn


def caption(turn, words):
    """About 201 bytes a word."""
    return wire.Caption(turn=turn, words=tuple(wire.Word("w", number, number) for number in range(words)))


@pytest.mark.parametrize(("words", "stays"), [(2000, True), (2600, False)])
def test_an_early_caption_gives_way_to_that_of_a_turn_where_both_are_too_much(words, stays):
    captions = Captions(32)
    turn = Turn(name="t", owner=b"a", rate_hz=16000, sink_rate_hz=16000, now_ns=0)
    captions.take(b"a", None, caption("later", words))
    captions.take(b"a", turn, caption("t", words), [turn])
    assert len(turn.caption.words) == words
    assert (captions.claim(b"a", "later") is not NO_CAPTION) is stays
