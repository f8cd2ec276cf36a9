"""Phones on their way from the bus to the engine."""

from mien.core.bus import PhoneCue
from mien.face.turn_phones import MOST_TURNS, TurnPhones
from mien.motion.guidance import SpokenWord


def cue(*words: str, turn: str = "t", first: int = 0, epoch: int = 1, start_ns: int = 0) -> PhoneCue:
    timed = tuple((word, None, None) for word in words)
    return PhoneCue(epoch=epoch, turn=turn, turn_start_ns=start_ns, first=first, words=timed)


def test_cues_of_a_turn_are_one_list_and_repeats_are_known() -> None:
    phones = TurnPhones()
    assert [word.phones for word in phones.take(cue("h aɪ", "ð ɛ"))] == [("h", "aɪ"), ("ð", "ɛ")]
    assert [word.phones for word in phones.take(cue("ð ɛ", "m a", first=1))] == [("m", "a")]
    assert phones.take(cue("h aɪ", "ð ɛ")) == []
    assert len(phones.of("t", 0)) == 3


def test_after_a_gap_nothing_is_taken() -> None:
    phones = TurnPhones()
    phones.take(cue("a"))
    assert phones.take(cue("b", first=5)) == []
    assert len(phones.of("t", 0)) == 1


def test_turns_with_one_name_and_other_epochs_are_told_apart() -> None:
    phones = TurnPhones()
    phones.take(cue("a", start_ns=0))
    phones.take(cue("b", start_ns=9))
    assert [phones.of("t", start)[0].phones for start in (0, 9)] == [("a",), ("b",)]
    phones.take(cue("c", epoch=2))
    assert phones.of("t", 9) == []
    assert phones.take(cue("d", epoch=1)) == []


def test_times_are_in_seconds() -> None:
    timed = PhoneCue(epoch=1, turn="t", turn_start_ns=0, first=0, words=(("a", 100, 250),))
    assert TurnPhones().take(timed) == [SpokenWord(("a",), 0.1, 0.25)]


def test_what_is_kept_is_bounded() -> None:
    phones = TurnPhones()
    for number in range(100):
        phones.take(cue("a", turn=str(number)))
    kept = [number for number in range(100) if phones.of(str(number), 0)]
    assert kept == list(range(100 - MOST_TURNS, 100))
    phones.end("99", 0)
    assert not phones.of("99", 0)
