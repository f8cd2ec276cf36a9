"""What a customer wants, without a model."""

import pytest

from mien.converse.intent import is_echo, read


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "nothing"),
        ("...", "nothing"),
        ("Mm-hm.", "backchannel"),
        ("MMHMM", "backchannel"),
        ("Mm-hmm, okay.", "backchannel"),
        ("Uh-huh.", "backchannel"),
        ("I see.", "backchannel"),
        ("Yes, please.", "yes"),
        ("No, thank you.", "no"),
        ("Stop!", "stop"),
        ("Please be quiet now.", "stop"),
        ("Thank you, that is enough.", "stop"),
        ("Could you repeat that, please?", "repeat"),
        ("Please say that again.", "repeat"),
        ("Sorry, what did you say?", "repeat"),
        ("I didn't hear you.", "repeat"),
        ("louder please", "louder"),
        ("Can you speak a bit louder?", "louder"),
        ("Could you speak more slowly, please?", "slower"),
        ("Not so loud.", "quieter"),
        ("Can I talk to a real person?", "person"),
        ("I want to speak to the manager.", "person"),
        ("Please call someone from your staff.", "person"),
        ("Where is the toilet?", "question"),
        ("Stop, where is the toilet?", "question"),
        ("Is there a quiet room?", "question"),
        ("What time does it close again?", "question"),
        ("Where can I call a taxi?", "question"),
        ("Can a person in a wheelchair come in?", "question"),
    ],
)
def test_what_is_meant(text, kind):
    assert read(text).kind == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Bitte etwas lauter.", "louder"),
        ("Wie bitte?", "repeat"),
        ("Nein, danke.", "no"),
        ("Wo ist die Kasse?", "question"),
    ],
)
def test_german(text, kind):
    assert read(text, "de").kind == kind


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("No, I meant the train station.", "the train station."),
        ("Sorry, I mean the toilet", "the toilet"),
        ("I meant to ask, where do I pay?", "where do I pay?"),
    ],
)
def test_a_correction_replaces(text, rest):
    found = read(text)
    assert found.corrects
    assert found.question == rest


def test_a_call_to_stop_before_a_question_is_no_part_of_it():
    assert read("Wait, how much is a ticket?").question == "how much is a ticket?"
    assert not read("Wait, how much is a ticket?").corrects


def test_the_kiosk_s_own_words_are_echo():
    spoken = "We are open from ten to six every day except Monday."
    assert is_echo("From ten to six.", spoken)
    assert not is_echo("Ten to six?", "We close at six.")
    assert not is_echo("Monday", spoken), "one or two words may be the customer's"
    assert not is_echo("And on Monday evening?", spoken)
