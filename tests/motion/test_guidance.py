"""What an engine makes of the words that it is given."""

from mien.motion.guidance import MOST_PHONES, SOFT, GuideReport, SpokenWord, to_align
from mien.motion.phone_classes import INDEX, classes, is_phone


def of(*phones: str, start_s: float | None = None, end_s: float | None = None) -> SpokenWord:
    return SpokenWord(phones, start_s, end_s)


def test_phones_become_classes_and_diphthongs_two() -> None:
    (word,) = to_align([of("h", "aɪ")], GuideReport())
    assert word.classes == (INDEX["h x"], *classes("aɪ"))
    assert len(word.classes) == 3


def test_a_spanish_approximant_may_be_shut_or_not() -> None:
    assert to_align([of("β")], GuideReport())[0].classes == (SOFT,)


def test_what_is_no_ipa_is_ignored_and_counted() -> None:
    report = GuideReport()
    made = to_align([of("%%"), of("m", "a"), of("Привет")], report)
    assert [word.classes for word in made] == [(INDEX["m"], INDEX["a"])]
    assert (report.words, report.unknown) == (1, 2)
    assert not is_phone("%")
    assert is_phone("tʃ")


def test_times_that_go_back_are_ignored_and_counted() -> None:
    report = GuideReport()
    made = to_align([of("m", start_s=2.0, end_s=1.0), of("a", start_s=-1.0, end_s=1.0)], report)
    assert all(word.times == () for word in made)
    assert report.untimed == 2


def test_timed_phones_that_abut_are_one_word_and_a_pause_ends_it() -> None:
    timed = [of("m", start_s=0.0, end_s=0.1), of("a", start_s=0.1, end_s=0.2), of("n", start_s=0.5, end_s=0.6)]
    made = to_align(timed, GuideReport())
    assert [word.times for word in made] == [((0.0, 0.1), (0.1, 0.2)), ((0.5, 0.6),)]
    assert len(to_align([timed[0], of(""), timed[1]], GuideReport())) == 2


def test_a_word_of_a_hundred_phones_is_divided() -> None:
    made = to_align([of(*(["a", "m"] * 50))], GuideReport())
    assert max(len(word.classes) for word in made) == MOST_PHONES
    assert sum(len(word.classes) for word in made) == 100
