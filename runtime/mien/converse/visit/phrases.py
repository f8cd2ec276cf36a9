"""Lines, buttons of a visit, in each language that mien knows."""

from __future__ import annotations

from typing import Final

from mien.converse.visit.acts import Line

# The notice that an automated assistant speaks (AI Act, Art. 50) is part of the greeting, and repeated on its own when
# the visitor spoke over it.
LINES: Final[dict[str, dict[Line, str]]] = {
    "en": {
        "greeting": "Hello. I am an automated assistant. Ask me a question, or touch a button.",
        "closed": "I am sorry, I cannot help just now. Please come back in a few minutes.",
        "notice": "By the way, I am an automated assistant, not a person.",
        "consent": "May I listen to you, to answer your questions?",
        "no_consent": "All right. Then I will not answer questions. Goodbye.",
        "still_there": "Are you still there? Do you need more time?",
        "more_time": "Take your time.",
        "goodbye": "Goodbye, and thank you for your visit.",
        "still_calling": "I am still calling somebody. You have waited {seconds}.",
        "coming": "Somebody is coming.",
        "coming_in": "Somebody is coming, in about {seconds}.",
        "not_coming": "I am sorry, nobody can come just now.",
        "nobody": "I am sorry, nobody has answered. You can go on asking me.",
        "back": "I am the automated assistant again. Can I do anything else for you?",
        "languages": "Which language would you like?",
        "language": "We can speak English now.",
        "captions_on": "You can read what I say now.",
        "captions_off": "Captions are off.",
        "qr": "You can also scan the code on the screen with your phone.",
    },
    "de": {
        "greeting": "Guten Tag. Ich bin ein automatischer Assistent. Fragen Sie mich, oder berühren Sie eine Taste.",
        "closed": "Leider kann ich gerade nicht helfen. Bitte kommen Sie in ein paar Minuten wieder.",
        "notice": "Übrigens: Ich bin ein automatischer Assistent, kein Mensch.",
        "consent": "Darf ich Ihnen zuhören, um Ihre Fragen zu beantworten?",
        "no_consent": "In Ordnung. Dann beantworte ich keine Fragen. Auf Wiedersehen.",
        "still_there": "Sind Sie noch da? Brauchen Sie mehr Zeit?",
        "more_time": "Lassen Sie sich Zeit.",
        "goodbye": "Auf Wiedersehen, und vielen Dank für Ihren Besuch.",
        "still_calling": "Ich rufe noch jemanden. Sie warten seit {seconds}.",
        "coming": "Es kommt jemand.",
        "coming_in": "Es kommt jemand, in etwa {seconds}.",
        "not_coming": "Leider kann gerade niemand kommen.",
        "nobody": "Leider hat sich niemand gemeldet. Sie können mich weiter fragen.",
        "back": "Hier ist wieder der automatische Assistent. Kann ich noch etwas für Sie tun?",
        "languages": "Welche Sprache möchten Sie sprechen?",
        "language": "Wir können jetzt Deutsch sprechen.",
        "captions_on": "Sie können jetzt mitlesen, was ich sage.",
        "captions_off": "Die Untertitel sind aus.",
        "qr": "Sie können auch den Code auf dem Bildschirm mit Ihrem Telefon scannen.",
    },
}
# Buttons with a meaning of their own: the label, and what it stands for as if it were said.
BUTTONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "en": {
        "person": ("Talk to a person", "I would like to talk to a person"),
        "repeat": ("Say that again", "repeat that"),
        "louder": ("Louder", "louder"),
        "quieter": ("Quieter", "quieter"),
        "slower": ("Slower", "slower"),
        "goodbye": ("Goodbye", "goodbye"),
    },
    "de": {
        "person": ("Mit jemandem sprechen", "Ich möchte mit einem Menschen sprechen"),
        "repeat": ("Noch einmal", "noch einmal"),
        "louder": ("Lauter", "lauter"),
        "quieter": ("Leiser", "leiser"),
        "slower": ("Langsamer", "langsamer"),
        "goodbye": ("Auf Wiedersehen", "auf wiedersehen"),
    },
}
# Buttons that change the kiosk in place of the conversation.
SWITCHES: Final[dict[str, dict[str, str]]] = {
    "en": {"captions_on": "Show captions", "captions_off": "Hide captions", "language": "Language – Sprache"},
    "de": {"captions_on": "Untertitel ein", "captions_off": "Untertitel aus", "language": "Sprache – Language"},
}
LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
"""What each language is called by those who speak it."""
ANSWERS: Final[dict[str, dict[str, str]]] = {
    "en": {"yes": "Yes", "no": "No", "more_time": "I need more time"},
    "de": {"yes": "Ja", "no": "Nein", "more_time": "Ich brauche mehr Zeit"},
}
_KEY: Final = {"en": "Press {number} for: {text}.", "de": "Taste {number}: {text}."}
_TIMES: Final = {"en": ("{} seconds", "a minute", "{} minutes"), "de": ("{} Sekunden", "einer Minute", "{} Minuten")}


def spoken_time(seconds: int, language: str) -> str:
    """A duration as somebody says it: to ten seconds, or to minutes."""
    few, one, many = _TIMES[language]
    if seconds < 55:
        return few.format(max(10, round(seconds, -1)))
    minutes = round(seconds / 60)
    return one if minutes == 1 else many.format(minutes)


def spoken_keys(labels: list[str], language: str) -> str:
    """The keys of a numeric pad, for visitors who do not see the buttons."""
    return " ".join(_KEY[language].format(number=number, text=text) for number, text in enumerate(labels, start=1))
