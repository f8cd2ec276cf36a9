"""Shaping, ordering, lines and pages, by pixels of the fonts in .ci/debian-packages.txt."""

import numpy as np
import pytest

from mien.errors import TextError
from mien.text import pango
from mien.text.layout import Layout
from mien.text.paging import LONGEST_WORD, word_starts
from mien.text.typesetter import MAX_WORDS, SAMPLES, Style, Typesetter, missing_scripts

STYLE = Style(font_px=32, width_px=480, lines=2, padding_px=(20, 12), radius_px=14)
ENGLISH = "Good morning! The train leaves at a quarter past nine from platform seven, so please do not be late today."


@pytest.fixture(scope="module")
def typesetter():
    return Typesetter(STYLE)


def ink(text, width_px=-1):
    layout = Layout(40)
    layout.set(text, width_px)
    mask = np.zeros((120, 640), dtype=np.uint8)
    layout.draw(mask, 0, 0)
    return mask


def pages(typesetter, text):
    words, first, found = word_starts(text), 0, []
    while first < len(words) - 1:
        end = typesetter.page(text, words, first)
        assert end > first
        found.append(text[words[first] : words[end]])
        first = end
    return found


@pytest.mark.parametrize("script", SAMPLES)
def test_every_script_has_a_font(typesetter, script):
    assert typesetter.missing(SAMPLES[script]) == ""
    assert missing_scripts() == []


def test_two_letters_that_look_different_are_not_the_same_box():
    for one, other in ("早晚", "あい", "가나", "نم", "Дж", "कख"):
        assert (ink(one) != ink(other)).any()


def test_what_no_font_has_is_told(typesetter):
    assert typesetter.missing("a\U00012345b") == "\U00012345"  # cuneiform
    assert typesetter.missing("a\U00012345b") == "\U00012345"


def test_arabic_letters_join():
    joined, apart = ink("ببب"), ink("ب\u200cب\u200cب")
    columns = joined.max(axis=0) > 60
    assert columns[np.flatnonzero(columns)[0] : np.flatnonzero(columns)[-1]].all()  # one unbroken stroke
    assert np.flatnonzero(columns).size < 0.8 * np.ptp(np.flatnonzero(apart.max(axis=0) > 60))


def test_arabic_runs_from_right_to_left_and_digits_do_not():
    layout = Layout(40)
    text = "رقم 12 الآن"
    layout.set(text)
    starts = word_starts(text)
    ends = [len(text[:at].encode()) for at in starts[1:]]
    lefts = {number: left for number, left, *_ in layout.boxes([0, *ends[:-1]], ends)}
    assert lefts[0] > lefts[1] > lefts[2]
    alone = Layout(40)
    alone.set("12")
    both = [box[1] for box in alone.boxes([0, 1], [1, 2])]
    assert both[0] < both[1]


def test_hindi_conjuncts_are_formed():
    assert ink("क्ष").max(axis=0).astype(bool).sum() < ink("क\u200cष").max(axis=0).astype(bool).sum()


def test_chinese_breaks_between_characters_but_not_before_a_full_stop():
    text = "早上好火车九点十五分从七号站台出发。"
    starts = word_starts(text)
    assert len(starts) > 12
    assert text.index("。") not in starts
    layout = Layout(40)
    layout.set(text, 300)
    assert len(layout.lines()) == 3


def test_words_keep_their_punctuation_and_long_ones_are_divided():
    assert [ENGLISH[a:b] for a, b in zip(word_starts(ENGLISH), word_starts(ENGLISH)[1:], strict=False)][:3] == [
        "Good ",
        "morning! ",
        "The ",
    ]
    starts = word_starts("x" * 1000)
    assert np.diff(starts).max() <= LONGEST_WORD
    assert word_starts("") == [0]
    assert word_starts("a") == [0, 1]


def test_pages_hold_all_of_the_text_in_order_and_none_has_more_lines(typesetter):
    found = pages(typesetter, ENGLISH)
    assert "".join(found) == ENGLISH
    assert len(found) > 1
    assert found[0].endswith("! ") or found[0].endswith(" ")
    for page in found:
        layout = Layout(STYLE.font_px)
        layout.set(page.rstrip(), STYLE.width_px)
        assert layout.line_count <= STYLE.lines


@pytest.mark.parametrize("text", ["x" * 4000, "字" * 4000, "a " * 4000, "ب" * 3000, "W" * 50 + " i" * 1000])
def test_hostile_lengths_are_paged_too(typesetter, text):
    assert "".join(pages(typesetter, text)) == text


def test_an_image_is_no_larger_than_promised_and_has_all_four_parts(typesetter):
    for page in [*pages(typesetter, ENGLISH), "i", "Ẫ" * 60, "字" * 300]:
        image = typesetter.image(page.rstrip())
        height, width = image.shape[:2]
        assert width <= STYLE.largest[0]
        assert height <= STYLE.largest[1]
        assert image[..., 0].max() > 200
        assert (image[..., 1] > 0).sum() > (image[..., 0] > 0).sum()
        assert image[height // 2, width // 2, 3] == int(255 * STYLE.plate)
        assert image[0, 0, 3] == 0
        edge = np.concatenate([image[:, :4, 0].ravel(), image[:, -4:, 0].ravel()])
        assert edge.max() == 0


def test_each_word_is_numbered_where_it_stands(typesetter):
    image = typesetter.image("one two three")
    inked = image[..., 0] > 128
    numbers = [np.flatnonzero((inked & (image[..., 2] == number)).any(axis=0)) for number in range(3)]
    assert numbers[0].max() < numbers[1].min() < numbers[1].max() < numbers[2].min()
    assert image[..., 2].max() == 2
    arabic = typesetter.image("واحد اثنان ثلاثة")
    inked = arabic[..., 0] > 128
    firsts = [np.flatnonzero((inked & (arabic[..., 2] == number)).any(axis=0)).mean() for number in range(3)]
    assert firsts[0] > firsts[1] > firsts[2]


def test_lines_are_about_as_long_as_each_other(typesetter):
    image = typesetter.image("The quick brown fox jumps over dogs")
    ink = image[..., 0] > 100
    middle = image.shape[0] // 2
    widths = [np.ptp(np.flatnonzero(half.any(axis=0))) for half in (ink[:middle], ink[middle:])]
    assert min(widths) > 0.6 * max(widths)


def test_markup_is_text():
    assert (ink("<b>x</b>") != ink("x")).any()
    assert word_starts("<span size='900000'>a</span>")[-1] == 28


def test_the_number_of_words_fits_a_byte(typesetter):
    image = typesetter.image("字" * 2000)
    assert image[..., 2].max() <= MAX_WORDS


def test_without_pango_the_error_says_what_to_install(monkeypatch):
    def absent(file):
        raise OSError(f"{file}: cannot open shared object file")

    pango.libpango.cache_clear()
    monkeypatch.setattr(pango.ctypes, "CDLL", absent)
    try:
        with pytest.raises(TextError, match="libpangocairo"):
            Typesetter(STYLE)
    finally:
        monkeypatch.undo()
        pango.libpango.cache_clear()
        assert pango.libpango()
