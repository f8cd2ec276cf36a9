"""Seeded conversations: what the parties do and when. Pure: one seed is one conversation."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["speak", "interrupt", "state", "emotion", "gesture", "take_floor", "pause", "reconnect", "look"]
STATES: Final = ("listening", "thinking", "idle")
LETTERS: Final = "etaoinsrhldcumfpgwybvkxjqz"
SCRIPTS: Final = (0, 0, 0, 0, ord("а") - ord("a"), ord("α") - ord("a"))  # Latin mostly, some Cyrillic and Greek
EMOTIONS: Final = ("neutral", "happy", "sad", "surprised", "concerned")
GESTURES: Final = ("nod", "shake", "wink", "smile")


@dataclass(frozen=True, slots=True)
class Act:
    """after_s: since the previous act. what: the state, emotion or gesture. length_s: of speech."""

    after_s: float
    kind: Kind
    what: str = ""
    length_s: float = 0.0


def conversation(seed: int, length_s: float) -> Iterator[Act]:
    """Acts for about length_s: mostly whole turns, many of them interrupted, with occasional takeovers."""
    chance = random.Random(seed)
    passed = 0.0
    while passed < length_s:
        for act in _exchange(chance):
            passed += act.after_s + act.length_s
            yield act


def monologue(seed: int, length_s: float) -> Iterator[Act]:
    """Only whole turns, back to back: shows the cost of captions sooner."""
    chance = random.Random(seed)
    passed = 0.0
    while passed < length_s:
        act = Act(0.05, "speak", length_s=chance.uniform(3.0, 9.0))
        passed += act.after_s + act.length_s
        yield act


def caption(seed: int, length_s: float) -> list[str]:
    """Words to fill length_s, most of them new."""
    chance = random.Random(seed)
    return [_word(chance) + chance.choice(("", "", "", "", ",", ".")) for _ in range(max(1, round(2.8 * length_s)))]


def _word(chance: random.Random) -> str:
    shift = chance.choice(SCRIPTS)
    letters = (chance.choice(LETTERS[: chance.randint(4, 26)]) for _ in range(chance.randint(2, 10)))
    return "".join(chr(ord(letter) + shift) for letter in letters)


def _exchange(chance: random.Random) -> Iterator[Act]:
    """One exchange: the user speaks, the agent thinks and answers."""
    yield Act(chance.uniform(0.2, 1.5), "state", "listening")
    if chance.random() < 0.3:
        yield Act(0.1, "look", length_s=0.0)
    yield Act(chance.uniform(0.5, 2.5), "state", "thinking")
    if chance.random() < 0.4:
        yield Act(0.1, "emotion", chance.choice(EMOTIONS))
    fate = chance.random()
    if fate < 0.25:
        yield Act(chance.uniform(0.2, 1.0), "interrupt", length_s=chance.uniform(0.3, 3.0))
    elif fate < 0.32:
        yield Act(0.3, "pause", length_s=chance.uniform(1.0, 3.0))
    elif fate < 0.40:
        yield Act(0.3, "take_floor", length_s=chance.uniform(1.0, 3.0))
    elif fate < 0.43:
        yield Act(0.3, "reconnect")
    else:
        yield Act(chance.uniform(0.2, 1.0), "speak", length_s=chance.uniform(0.8, 6.0))
    if chance.random() < 0.3:
        yield Act(0.1, "gesture", chance.choice(GESTURES))
