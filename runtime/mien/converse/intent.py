"""What the customer wants, as far as it can be told without a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast

Kind = Literal[
    "nothing",
    "backchannel",
    "stop",
    "repeat",
    "louder",
    "quieter",
    "slower",
    "faster",
    "person",
    "goodbye",
    "yes",
    "no",
    "question",
]


@dataclass(frozen=True, slots=True)
class Intent:
    """question: the text to answer; corrects: it replaces the question before."""

    kind: Kind
    question: str = ""
    corrects: bool = False


def _words(language: str, **kinds: str) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    """Patterns of whole turns, "_" for courtesies before them; others may follow. Ends of lines mean nothing."""
    soft, end = _SOFT[language], _END[language]
    return tuple(
        (cast("Kind", kind), re.compile(f"(?:{re.sub(chr(10) + ' *', '', text).replace('_', soft, 1)}){end}"))
        for kind, text in kinds.items()
    )


_SOFT: Final = {
    "en": "(?:please |(?:could|can|would|will) you |sorry |excuse me |okay |ok |oh |hey |a bit |a little |just )*",
    "de": "(?:bitte |etwas |sprechen sie |können sie |reden sie )*",
}
_END: Final = {
    "en": "(?: please| thanks| thank you| a bit| a little| again| now| for me)*",
    "de": "(?: bitte| danke| sprechen| sagen)*",
}
_WHOLE: Final = {
    "en": _words(
        "en",
        backchannel="""
            (?:m+|h+m+|mm+ ?hm+|m+ ?h+m*|mhm+|uh ?huh|ah|oh|aha|uh|um|er|ha|wow|right|i see|ok|okay|sure|yeah|yep|huh)
            (?: (?:m+|hm+|mm+ ?hm+|mhm+|huh|yeah|okay|ok|right|uh|ah|aha|oh|i see))*""",
        yes="(?:oh )?(?:yes|yeah please|please do|go ahead|that would be (?:nice|great)|yes do that)",
        no="no|no thanks|no thank you|no need|not now|never mind|no that s fine|no that is fine",
        goodbye="""
            _(?:thank you |thanks |ok |okay )*
            (?:good ?bye|bye|bye bye|see you|see you later|have a nice day|that s all|that is all)""",
        stop="""
            _(?:stop|stop it|stop talking|stop that|be quiet|quiet|shut up|enough|that s enough|that is enough|silence
            |thank you that is enough|thanks that s enough|thank you that s enough)""",
        repeat="""
            _(?:repeat|repeat that|repeat it|say that|say it|say that once more|come|what did you say|what was that
            |once more|one more time|pardon|pardon me
            |i (?:did not|didn t) (?:hear|understand|catch|get) (?:that|you))""",
        louder="""
            _(?:(?:speak|talk|say that|say it|be) )?(?:a bit |a little )?
            (?:louder|speak up|volume up|i can t hear you)""",
        quieter="""
            _(?:(?:speak|talk|be) )?(?:a bit |a little )?(?:quieter|softer|more quietly|less loud|not so loud
            |volume down|too loud|you are too loud)""",
        slower="""
            _(?:(?:speak|talk|say that|say it) )?(?:a bit |a little )?(?:slower|more slowly|slow down|slowly|not so fast
            |too fast|you are too fast)""",
        faster="_(?:(?:speak|talk) )?(?:a bit |a little )?(?:faster|more quickly|speed up|too slow)",
    ),
    "de": _words(
        "de",
        backchannel="(?:m+|h+m+|mhm+|aha|ah|oh|äh|ähm|okay|ok|so|achso|ach so|genau)(?: (?:m+|hm+|aha|okay|ja))*",
        yes="ja|ja gern|ja gerne|bitte|gern|gerne",
        no="nein|nicht nötig|schon gut",
        goodbye="""
            _(?:danke |vielen dank |ok |okay )*
            (?:auf wiedersehen|wiedersehen|tschüss|tschüs|ade|servus|bis bald|das war s|das war alles)""",
        stop="_(?:stopp|stop|halt|aufhören|hör auf|ruhe|still|genug|das reicht)",
        repeat="""
            _(?:das )?(?:noch einmal|noch mal|nochmal|wiederholen|wiederholen sie das|wie bitte
            |was haben sie gesagt)""",
        louder="_lauter",
        quieter="_leiser",
        slower="_langsamer",
        faster="_schneller",
    ),
}
_PERSON: Final = {
    "en": re.compile(
        r"\b(?:speak|talk|chat)(?:ing)? (?:to|with) (?:a |an |some|any|the )?(?:\w+ )?(?:human|person|people|body"
        r"|somebody|someone|anyone|anybody|staff|employee|agent|colleague|manager|attendant|member)"
        r"|\b(?:call|get|fetch|bring|find|send) (?:me )?(?:a |an |the )?(?:real |human |actual )?(?:somebody|someone"
        r"|person|human|staff|employee|colleague|manager|attendant|member of staff)\b"
        r"|\b(?:a|an|any) (?:real|actual|human) (?:person|human|being|agent|employee|assistant)\b|\bhuman being\b"
        r"|\b(?:is|are) there (?:any|some)(?:body|one) (?:here )?(?:who|that|i can|to (?:help|talk))"
    ),
    "de": re.compile(
        r"\bmit (?:einem |einer |jemandem|ihrem )?(?:\w+ )?(?:menschen|mitarbeiter\w*|person|jemandem|kolleg\w+) "
        r"(?:sprechen|reden)"
        r"|\b(?:rufen|holen) sie (?:bitte )?(?:jemanden|einen|eine)|\bechte[nr]? (?:menschen?|person)"
    ),
}
_CORRECTION: Final = {
    "en": re.compile(
        r"^(?:no+|sorry|wait|actually)?,? ?(?:no,? )?(?:sorry,? )?i (?:meant|mean)(?: to say| to ask)?,? (?P<rest>.+)$"
    ),
    "de": re.compile(r"^(?:nein)?,? ?ich (?:meinte|meine),? (?P<rest>.+)$"),
}
_BREAK_IN: Final = re.compile(r"^(?:stop|wait|hold on|hang on|halt|moment)[,.! ]+(?P<rest>\S.*)$", re.IGNORECASE)


def plain(text: str) -> str:
    """Lower case, words only."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def read(text: str, language: str = "en") -> Intent:
    """The intent of a customer's turn."""
    words = plain(text)
    if not words:
        return Intent("nothing")
    for kind, pattern in _WHOLE.get(language, ()):
        if pattern.fullmatch(words):
            return Intent(kind)
    person = _PERSON.get(language)
    if person is not None and person.search(words):
        return Intent("person", question=text.strip())
    lowered = text.strip()
    correction = _CORRECTION.get(language)
    if correction is not None and (found := correction.match(lowered.lower())):
        return Intent("question", question=lowered[found.start("rest") :].strip(), corrects=True)
    if (broken := _BREAK_IN.match(lowered)) and len(plain(broken["rest"]).split()) > 2:
        return Intent("question", question=broken["rest"].strip())
    return Intent("question", question=lowered)


def is_echo(text: str, spoken: str) -> bool:
    """Whether the microphone probably heard the kiosk itself: three or more words, as they stand in its speech."""
    heard, said = plain(text).split(), plain(spoken).split()
    if len(heard) < 3:
        return False
    return any(said[at : at + len(heard)] == heard for at in range(len(said) - len(heard) + 1))
