"""What mien says without a thinker, in each language that it knows by itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from mien.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Phrases:
    """Each can be synthesised in advance. refuse ends with an offer to call somebody."""

    filler: str
    refuse: str
    forbidden: str
    again: str
    trouble: str
    lost: str
    too_long: str
    calling: str
    all_right: str
    louder: str
    quieter: str
    loudest: str
    nothing_to_repeat: str
    goodbye: str

    def every(self) -> tuple[str, ...]:
        """All of them, for `mien converse prepare`."""
        return tuple(str(getattr(self, field.name)) for field in fields(self))


PHRASES: Final = {
    "en": Phrases(
        filler="One moment, please.",
        refuse="I'm sorry, I don't know that. Shall I call somebody?",
        forbidden="I'm sorry, that is something I may not talk about.",
        again="I'm sorry, I did not understand that. Could you say it again?",
        trouble="I'm sorry, I cannot answer just now. Shall I call somebody?",
        lost="I'm sorry, I have lost my thread. Could you ask me again?",
        too_long="I'm sorry, that was a lot at once. Could you ask me one short question?",
        calling="All right, I am calling somebody.",
        all_right="All right.",
        louder="Is this better?",
        quieter="I will speak more quietly.",
        loudest="I cannot speak any louder.",
        nothing_to_repeat="I have not said anything yet.",
        goodbye="Goodbye, and thank you for your visit.",
    ),
    "de": Phrases(
        filler="Einen Moment, bitte.",
        refuse="Das weiß ich leider nicht. Soll ich jemanden rufen?",
        forbidden="Darüber darf ich leider nicht sprechen.",
        again="Das habe ich leider nicht verstanden. Können Sie es noch einmal sagen?",
        trouble="Ich kann gerade leider nicht antworten. Soll ich jemanden rufen?",
        lost="Entschuldigung, ich habe den Faden verloren. Fragen Sie mich bitte noch einmal.",
        too_long="Das war viel auf einmal. Können Sie mir eine kurze Frage stellen?",
        calling="Gut, ich rufe jemanden.",
        all_right="In Ordnung.",
        louder="Ist es so besser?",
        quieter="Ich spreche leiser.",
        loudest="Lauter kann ich nicht sprechen.",
        nothing_to_repeat="Ich habe noch nichts gesagt.",
        goodbye="Auf Wiedersehen, und vielen Dank für Ihren Besuch.",
    ),
}


def phrases(language: str) -> Phrases:
    """Those of a language. Raises ConfigError for one without."""
    if language not in PHRASES:
        raise ConfigError(f"converse.language: no phrases for '{language}'; choose one of {', '.join(PHRASES)}")
    return PHRASES[language]
