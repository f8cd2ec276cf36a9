"""A visit around the real conversation: words and buttons mean the same, and what was agreed holds."""

import pytest

from converse.visit.kiosk_world import S, World
from mien.converse.visit import phrases, signals
from mien.converse.visit.times import Times

QUESTION = "What are your opening hours?"


def arrive(world):
    world.signal(signals.Present(True, "touch"))
    world.until(lambda: world.visit.state in ("conversation", "consent"), "the greeting's end")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_visit_from_greeting_to_goodbye_without_a_word(language):
    world = World(language=language, buttons=(QUESTION, "repeat", "person", "goodbye"))
    arrive(world)
    assert phrases.LINES[language]["greeting"] in world.said
    known = phrases.BUTTONS[language]
    assert list(world.shown.values()) == [QUESTION, known["repeat"][0], known["person"][0], known["goodbye"][0]]
    world.touches(QUESTION)
    world.until(lambda: f"This is about {QUESTION}" in world.said, "the answer")
    world.wait(5)
    world.touches(known["repeat"][0], "key")
    world.until(lambda: world.said.count(f"This is about {QUESTION}") == 2, "the answer again")
    world.wait(5)
    world.touches(known["goodbye"][0])
    world.until(lambda: world.records, "the end")
    (record,) = world.records
    assert (record.ended, record.questions, record.answered, record.touches) == ("touch", 1, 1, 4)
    assert record.touched_by == {"touch", "key"}
    assert world.shown == {}
    assert world.conversation.history.snapshot() == ()


def test_and_with_words_alone():
    world = World()
    world.says("hello there can you help me")
    world.wait(12)
    world.says("goodbye")
    world.until(lambda: world.records, "the end")
    assert world.records[0].ended == "word"
    assert world.said[-1] == phrases.LINES["en"]["goodbye"]


@pytest.mark.parametrize("text", ["thank you, bye", "Goodbye!", "okay that's all, thanks"])
def test_words_of_goodbye(text):
    world = World()
    arrive(world)
    world.says(text)
    world.until(lambda: world.records, "the end")
    assert world.records[0].ended == "word"


def test_the_keys_are_said_to_who_does_not_see_the_buttons():
    world = World(buttons=(QUESTION, "person"), speak_keys=True)
    arrive(world)
    assert f"Press 1 for: {QUESTION}. Press 2 for: Talk to a person." in world.said[0]


def test_every_line_and_button_is_there_in_each_language():
    for table in (phrases.LINES, phrases.BUTTONS, phrases.SWITCHES, phrases.ANSWERS):
        assert len({tuple(sorted(of_one)) for of_one in table.values()}) == 1
    assert "assistant" in phrases.LINES["en"]["greeting"]
    assert "Assistent" in phrases.LINES["de"]["greeting"]


def test_a_greeting_of_ones_own_does_not_hide_the_notice():
    world = World(greeting="Welcome to the clock museum.")
    arrive(world)
    assert world.said[0] == "Welcome to the clock museum. " + phrases.LINES["en"]["notice"]


def test_without_consent_no_question_is_thought_about():
    world = World(times=Times(consent=True), knows=lambda _: pytest.fail("it was answered"))
    arrive(world)
    assert list(world.shown.values()) == ["Yes", "No"]
    world.says("where is the toilet")
    world.wait(10)
    assert world.said.count(phrases.LINES["en"]["consent"]) == 2
    world.knows = lambda _: "Downstairs."
    world.says("yes")
    world.until(lambda: world.visit.state == "conversation", "the conversation")
    world.wait(5)
    world.says("where is the toilet")
    world.until(lambda: "Downstairs." in world.said, "the answer")


def test_a_yes_to_more_time_by_words():
    world = World(times=Times(idle=10 * S))
    arrive(world)
    world.until(lambda: world.visit.state == "extension", "the question")
    world.wait(5)
    world.says("yes please")
    world.wait(3)
    assert world.visit.state == "conversation"
    world.until(lambda: world.visit.state == "extension", "the question")
    world.wait(5)
    world.says("no thank you")
    world.until(lambda: world.records, "the end")
    assert world.records[0].extensions == 2


def test_louder_and_slower_are_forgotten_with_the_visit():
    world = World(buttons=("quieter", "slower", "goodbye"))
    arrive(world)
    world.touches("Quieter")
    world.wait(4)
    world.touches("Slower")
    world.wait(4)
    assert world.conversation.gain < 1
    world.touches("Goodbye")
    world.until(lambda: world.records, "the end")
    assert (world.conversation.gain, world.conversation._speed) == (1.0, 1.0)


def test_the_note_of_a_person_lasts_as_long_as_the_visit():
    world = World()
    arrive(world)
    world.says("I would like to talk to a person")
    world.wait(4)
    assert [open_ for _, open_ in world.calls] == [True]
    world.signal(signals.PersonSpeaks())
    world.wait(10)
    world.signal(signals.PersonLeft("refunded"))
    assert [exchange.heard for exchange in world.conversation.history.snapshot()] == ["refunded"]
    world.wait(10)
    world.says("goodbye")
    world.until(lambda: world.records, "the end")
    assert world.conversation.history.snapshot() == ()


def test_a_button_that_is_gone_means_nothing():
    world = World(buttons=(QUESTION,))
    arrive(world)
    name = next(iter(world.shown))
    world.says("goodbye")
    world.until(lambda: world.records, "the end")
    world.tell(world.host.choose(name, "touch", world.now_ns))
    assert world.visit.state == "attract"


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "10 seconds"), (31, "30 seconds"), (58, "a minute"), (130, "2 minutes")]
)
def test_times_are_said_as_people_say_them(seconds, text):
    assert phrases.spoken_time(seconds, "en") == text


def test_the_same_buttons_are_not_offered_anew_while_nothing_was_chosen():
    world = World(buttons=(QUESTION, "goodbye"))
    world.signal(signals.Present(True, "touch"))
    shows = world.shows
    world.until(lambda: world.visit.state == "conversation", "the greeting's end")
    assert world.shows == shows
    world.touches(QUESTION)
    assert world.shows == shows + 1  # they may be chosen again


def leave(world):
    world.touches(phrases.BUTTONS[world.host.language]["goodbye"][0])
    world.until(lambda: world.records, "the end")


def test_another_language_holds_for_the_visit_and_no_longer():
    world = World(language="auto", languages=("en", "de"), buttons=(QUESTION, "language", "goodbye"))
    arrive(world)
    world.touches(phrases.SWITCHES["en"]["language"], "mouse")
    assert list(world.shown.values()) == ["English", "Deutsch"]
    world.until(lambda: phrases.LINES["en"]["languages"] in world.said, "the question which")
    world.touches("Deutsch")
    assert list(world.shown.values()) == [QUESTION, phrases.SWITCHES["de"]["language"], "Auf Wiedersehen"]
    world.until(lambda: phrases.LINES["de"]["language"] in world.said, "the answer")
    assert world.conversation.spoken_language == "de"
    world.wait(5)
    leave(world)
    assert world.said[-1] == phrases.LINES["de"]["goodbye"]
    assert (world.records[0].language, world.records[0].touched_by) == ("de", {"touch", "mouse"})
    assert world.conversation.language == "auto"
    world.wait(5)
    arrive(world)
    assert world.said[-1] == phrases.LINES["en"]["greeting"]


def test_a_language_chosen_over_the_greeting_breaks_it_off_and_the_notice_comes_in_it():
    world = World(language="auto", languages=("en", "de"), buttons=("language", "goodbye"))
    world.signal(signals.Present(True, "touch"))
    world.until(lambda: world.speaking, "the greeting")
    world.touches(phrases.SWITCHES["en"]["language"])
    world.touches("Deutsch")
    world.until(lambda: phrases.LINES["de"]["notice"] in world.said, "the notice")


def test_consent_is_asked_again_in_the_language_that_was_chosen():
    world = World(language="auto", languages=("en", "de"), buttons=("language",), times=Times(consent=True))
    arrive(world)
    world.until(lambda: world.shown, "the question")
    world.touches(phrases.SWITCHES["en"]["language"])
    world.touches("Deutsch")
    assert list(world.shown.values()) == ["Ja", "Nein", phrases.SWITCHES["de"]["language"]]
    world.until(lambda: phrases.LINES["de"]["consent"] in world.said, "the question in German")
    assert world.conversation.instead == phrases.LINES["de"]["consent"]
    world.touches("Ja")
    assert world.visit.state == "conversation"


def test_the_languages_go_when_the_visitor_asks_something():
    world = World(language="auto", languages=("en", "de"), buttons=("language",))
    arrive(world)
    world.touches(phrases.SWITCHES["en"]["language"])
    world.wait(5)
    world.says("where is the toilet")
    world.wait(3)
    assert list(world.shown.values()) == [phrases.SWITCHES["en"]["language"]]


def test_the_languages_have_keys_that_are_said():
    world = World(language="auto", languages=("en", "de"), buttons=("language",), speak_keys=True)
    arrive(world)
    world.touches(phrases.SWITCHES["en"]["language"], "key")
    world.until(lambda: "Press 2 for: Deutsch." in world.said[-1], "the keys")


def test_captions_are_switched_for_the_visit_and_no_longer():
    switched = []
    world = World(captions=True, caption=switched.append, buttons=(QUESTION, "captions", "goodbye"))
    arrive(world)
    world.touches("Hide captions")
    assert (switched, list(world.shown.values())) == ([False], [QUESTION, "Show captions", "Goodbye"])
    world.until(lambda: phrases.LINES["en"]["captions_off"] in world.said, "the words")
    world.wait(5)
    leave(world)
    assert switched == [False, True]
    assert world.records[0].captions is False
    world.wait(5)
    arrive(world)
    assert "Hide captions" in world.shown.values()
    assert len(world.said) == len(set(world.said)) + 1  # the greeting alone was said twice


def test_captions_that_are_switched_do_not_break_an_answer_off():
    world = World(captions=True, buttons=(QUESTION, "captions"))
    arrive(world)
    world.touches(QUESTION)
    world.until(lambda: world.speaking, "the answer")
    world.touches("Hide captions")
    world.touches("Show captions")
    world.wait(8)
    assert world.visit._record.answered == 1
    assert world.visit._record.interrupted == 0
    assert not {phrases.LINES["en"]["captions_off"], phrases.LINES["en"]["captions_on"]} & set(world.said)


URL = "https://museum.example/help"


def call_in_vain(world):
    arrive(world)
    world.says("I would like to talk to a person")
    world.until(lambda: world.visit.state == "calling", "the call")
    assert world.qr == ""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("refused", [True, False], ids=["refused", "unanswered"])
def test_a_code_is_shown_when_nobody_answers_said_once_it_is_seen_and_taken_away(language, refused):
    world = World(
        language=language, buttons=("person", "goodbye"), qr=URL, qr_ns=30 * S, times=Times(call=20 * S, idle=90 * S)
    )
    arrive(world)
    world.touches(phrases.BUTTONS[language]["person"][0])
    world.until(lambda: world.visit.state == "calling", "the call")
    assert world.qr == ""
    world.wait(4)
    if refused:
        world.signal(signals.PersonAnswered(False))
    world.until(lambda: world.qr, "the code")
    assert world.qr == URL
    began_ns = world.now_ns
    line = phrases.LINES[language]["qr"]
    world.tell(world.host.offered(qr=True))
    world.tell(world.host.offered(qr=True))  # the voice was restarted: the code is not new
    world.wait(10)
    before = "not_coming" if refused else "nobody"
    assert world.said[-2:] == [phrases.LINES[language][before], line]
    world.until(lambda: not world.qr, "the end of the code")
    assert (world.now_ns - began_ns) / S == pytest.approx(30, abs=0.2)
    assert world.shown
    assert world.visit.state == "conversation"


def test_a_code_that_nobody_can_see_is_not_spoken_of():
    world = World(buttons=("person",), qr=URL, qr_ns=30 * S, times=Times(call=20 * S))
    call_in_vain(world)
    world.until(lambda: world.qr, "the code")
    world.tell(world.host.offered(qr=False))
    world.wait(10)
    assert world.said[-1] == phrases.LINES["en"]["nobody"]


def test_a_code_stands_beside_a_button_where_none_is_configured():
    world = World(qr=URL, qr_ns=30 * S, times=Times(call=20 * S))
    call_in_vain(world)
    world.until(lambda: world.qr, "the code")
    assert list(world.shown.values()) == ["Goodbye"]
    world.wait(31)
    assert (world.shown, world.qr) == ({}, "")


def test_a_code_ends_with_the_visit_and_with_the_next_call():
    world = World(buttons=("person", "goodbye"), qr=URL, qr_ns=600 * S, times=Times(call=20 * S))
    call_in_vain(world)
    world.until(lambda: world.qr, "the code")
    world.wait(5)
    world.touches("Talk to a person")
    world.until(lambda: world.visit.state == "calling", "the call")
    assert world.qr == ""
    world.until(lambda: world.qr, "the code")
    world.wait(5)
    leave(world)
    assert (world.shown, world.qr) == ({}, "")
    world.wait(2)
    arrive(world)
    assert world.qr == ""


def test_without_a_code_nothing_of_it_is_shown_or_said():
    world = World(buttons=("person",), times=Times(call=20 * S))
    call_in_vain(world)
    world.until(lambda: world.visit.state == "conversation", "the end of the call")
    world.tell(world.host.offered(qr=True))
    world.wait(5)
    assert world.qr == ""
    assert phrases.LINES["en"]["qr"] not in world.said


def test_supervisors_are_told_each_phase_once_and_how_it_ended():
    world = World(knows=lambda text: None if "refund" in text else f"This is about {text}")
    world.wait(1)
    arrive(world)
    world.says("where is the cloakroom")
    world.wait(8)
    world.says("can i have a refund")
    world.wait(8)
    world.says("goodbye")
    world.until(lambda: world.records, "the end")
    world.wait(1)
    told = [(news.phase, news.visit) for news in world.news]
    assert told == [
        ("attract", ""),
        ("greeting", "v1"),
        ("conversation", "v1"),
        ("goodbye", "v1"),
        ("over", "v1"),
        ("attract", ""),
    ]
    over = world.news[-2]
    (record,) = world.records
    assert (over.reason, over.turns, over.answered, over.unanswered) == ("word", 2, 1, 1)
    assert over.duration_s == pytest.approx((record.ended_ns - record.began_ns) / S, abs=0.1)
    assert (over.handed_over, over.satisfaction, over.questions) == (False, None, ())
    assert not any("refund" in repr(news) for news in world.news)


def test_the_next_visitor_has_another_id_and_the_language_follows():
    kept = ("Can [NAME] have a refund?",)
    world = World(language="auto", languages=("en", "de"), buttons=("language", "goodbye"), questions=lambda _: kept)
    for _ in range(2):
        arrive(world)
        world.touches(phrases.SWITCHES["en"]["language"])
        world.wait(5)
        world.touches("Deutsch")
        world.wait(5)
        world.touches("Auf Wiedersehen")
        world.until(lambda: world.news[-1].phase == "attract", "the end")
        world.wait(30)
    over = [news for news in world.news if news.phase == "over"]
    assert [(news.visit, news.language, news.questions) for news in over] == [("v1", "de", kept), ("v2", "de", kept)]
    assert [news.language for news in world.news if news.phase == "conversation"] == ["en", "de"] * 2


def test_a_person_who_speaks_is_told_as_a_phase_and_at_the_end():
    world = World()
    arrive(world)
    world.signal(signals.PersonSpeaks())
    world.signal(signals.PersonLeft("done"))
    world.wait(5)
    world.says("goodbye")
    world.until(lambda: world.records, "the end")
    phases = [news.phase for news in world.news]
    assert "person" in phases
    assert next(news for news in world.news if news.phase == "over").handed_over is True


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_question_to_a_closed_kiosk_is_answered_with_that_alone(language):
    world = World(language=language)
    closed = phrases.LINES[language]["closed"]
    world.signal(signals.Closing(True))
    world.says("what are your opening hours")
    world.until(lambda: closed in world.said, "the refusal")
    world.wait(30)
    assert world.said == [closed]
    assert world.records == []
    world.signal(signals.Closing(False))
    world.says("what are your opening hours")
    world.until(lambda: any("opening hours" in said for said in world.said), "the answer")
