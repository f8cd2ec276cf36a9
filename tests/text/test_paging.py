"""Page ends, by the text alone."""

from mien.text.paging import page_end, sentence_start, tie_one_letter_words


def words_of(text):
    return [0, *[at + 1 for at, letter in enumerate(text) if letter == " "], len(text)]


def test_a_page_ends_with_the_last_sentence_that_fits():
    text = "One two three. Four five six seven eight nine ten."
    words = words_of(text)
    assert text[: words[page_end(text, words, 0, 6)]] == "One two three. "


def test_else_with_a_phrase():
    text = "If one two three, then four five six seven eight nine ten and eleven and twelve."
    words = words_of(text)
    assert text[: words[page_end(text, words, 0, 7)]] == "If one two three, "


def test_a_page_that_would_be_nearly_empty_is_filled_instead():
    text = "Oh, one two three four five six seven eight nine ten eleven twelve thirteen."
    words = words_of(text)
    assert page_end(text, words, 0, 8) == 8


def test_no_word_is_left_alone_on_the_last_page():
    text = "one two three four five six seven eight nine ten."
    words = words_of(text)
    assert 4 <= page_end(text, words, 0, 9) <= 7


def test_a_closing_quote_belongs_to_its_sentence():
    text = "“One two three.” Four five six seven eight nine ten."
    words = words_of(text)
    assert page_end(text, words, 0, 6) == 3


def test_a_sentence_is_found_again_from_within():
    text = "One two. Three four five. Six"
    words = words_of(text)
    assert sentence_start(text, words, 4, 200) == 2
    assert sentence_start(text, words, 1, 200) == 0
    assert sentence_start(text, words, 5, 200) == 5
    assert sentence_start(text, words, 4, 6) == 2


def test_articles_and_prepositions_go_with_what_follows():
    text = "the train leaves at quarter past nine from platform seven in the north of the city today"
    words = words_of(text)
    assert text[: words[page_end(text, words, 0, 8)]] == "the train leaves at quarter past nine "
    assert text[: words[page_end(text, words, 0, 7)]].endswith("past ")


def test_a_word_of_one_letter_is_tied_to_the_next():
    assert tie_one_letter_words("at a quarter") == "at a\u00a0quarter"
    assert tie_one_letter_words("приходит в девять и уходит") == "приходит в\u00a0девять и\u00a0уходит"
    assert tie_one_letter_words("plan 9 b. c") == "plan 9 b. c"
