"""Reads a knowledge file: Markdown with questions, answers, synonyms, links to actions.

# Title                        anything may follow it, as an introduction
## When are you open?          a question
- What are your hours?         another wording of it
We are open until six.         the answer
[the map](action:show_map)     an action that goes with it
## Synonyms
- toilet: restroom, loo
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mien.converse.intent import plain
from mien.errors import ConfigError

SHIPPED: Final = Path(__file__).parent / "museum.en.md"
MAX_BYTES: Final = 2_000_000
MAX_ANSWER_CHARS: Final = 1_200
SYNONYMS: Final = "synonyms"
_LINK: Final = re.compile(r"\[(?P<label>[^\]]*)\]\((?P<target>[^)]*)\)")
_ACTION: Final = re.compile(r"action:[a-z][a-z0-9_]{0,63}")
_WORDING: Final = re.compile(r"[-*]\s+(?P<text>.+)")


@dataclass(slots=True)
class Entry:
    """questions: the heading with its other wordings. line: of the heading."""

    questions: list[str]
    line: int
    answer: str = ""
    actions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Knowledge:
    """synonyms: each word or group of words with the one that stands for it, both plain."""

    title: str
    entries: list[Entry]
    synonyms: dict[str, str]

    def unified(self, text: str) -> str:
        """The text, plain, with each synonym replaced."""
        words = f" {plain(text)} "
        for word, stands_for in self.synonyms.items():
            words = words.replace(f" {word} ", f" {stands_for} ")
        return words.strip()


def read_knowledge(path: Path) -> Knowledge:
    """Parse a file. Raises ConfigError with every mistake, each with path and line."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path}: has more than {MAX_BYTES} bytes; is it a knowledge file?")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; see converse.knowledge") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: is not UTF-8; save the file as UTF-8") from None
    parser = _Parser()
    for number, written in enumerate(text.splitlines(), 1):
        parser.take(number, written.strip())
    parser.close()
    if parser.mistakes:
        raise ConfigError("\n".join(f"{path}:{line}: {what}" for line, what in sorted(parser.mistakes)))
    if not parser.entries:
        raise ConfigError(f"{path}:1: contains no question; begin each with '## ', its answer below")
    return Knowledge(parser.title, parser.entries, parser.synonyms)


class _Parser:
    """Line by line; mistakes are kept, so that all are told at once."""

    def __init__(self) -> None:
        self.title = ""
        self.entries: list[Entry] = []
        self.synonyms: dict[str, str] = {}
        self.mistakes: list[tuple[int, str]] = []
        self._entry: Entry | None = None
        self._in_synonyms = False
        self._in_comment = False
        self._seen: dict[str, int] = {}

    def take(self, number: int, line: str) -> None:
        """One line."""
        if line.startswith("<!--") or self._in_comment:
            self._in_comment = not line.endswith("-->")
            return
        if not line:
            return
        if line.startswith("#"):
            self._heading(number, line)
        elif self._in_synonyms:
            self._synonym(number, line)
        elif self._entry is not None:
            self._body(number, line, self._entry)

    def close(self) -> None:
        """The end of an entry, or of the file."""
        if (entry := self._entry) is not None:
            if not entry.answer:
                self._mistake(entry.line, f"'{entry.questions[0]}' has no answer; write it below the question")
            elif len(entry.answer) > MAX_ANSWER_CHARS:
                self._mistake(
                    entry.line,
                    f"the answer has {len(entry.answer)} characters; nobody listens to more than {MAX_ANSWER_CHARS}",
                )
        self._entry = None

    def _heading(self, number: int, line: str) -> None:
        self.close()
        depth = len(line) - len(line.lstrip("#"))
        text = line[depth:].strip()
        self._in_synonyms = depth == 2 and plain(text) == SYNONYMS
        if depth == 1:
            if self.title:
                self._mistake(number, "a second title; questions begin with '## '")
            self.title = text
        elif depth != 2:
            self._mistake(number, f"a heading with {depth} '#'; questions begin with '## '")
        elif not text:
            self._mistake(number, "a question without words")
        elif not self._in_synonyms:
            self._entry = Entry([], number)
            self.entries.append(self._entry)
            self._ask(number, text, self._entry)

    def _body(self, number: int, line: str, entry: Entry) -> None:
        wording = _WORDING.fullmatch(line)
        if wording is not None:
            if entry.answer:
                self._mistake(number, "a wording of the question after the answer; put it above, or begin with '## '")
            self._ask(number, wording["text"], entry)
            return
        said = _LINK.sub("", line).strip()
        for link in _LINK.finditer(line):
            if _ACTION.fullmatch(link["target"]):
                entry.actions.append(link["target"].removeprefix("action:"))
            else:
                self._mistake(
                    number,
                    f"the link goes to '{link['target']}'; links are actions, such as [the map](action:show_map)",
                )
        entry.answer = f"{entry.answer} {said}".strip()

    def _ask(self, number: int, text: str, entry: Entry) -> None:
        key = plain(text)
        if key in self._seen:
            self._mistake(number, f"'{text}' is asked already in line {self._seen[key]}")
        self._seen[key] = number
        entry.questions.append(text)

    def _synonym(self, number: int, line: str) -> None:
        wording = _WORDING.fullmatch(line)
        word, colon, others = (wording["text"] if wording is not None else "").partition(":")
        found = [plain(other) for other in others.split(",")]
        if not colon or not plain(word) or not all(found):
            self._mistake(number, "not a synonym; write '- toilet: restroom, loo'")
            return
        for other in found:
            if other in self.synonyms:
                self._mistake(number, f"'{other}' is a synonym of '{self.synonyms[other]}' already")
            self.synonyms[other] = plain(word)

    def _mistake(self, line: int, what: str) -> None:
        self.mistakes.append((line, what))


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of an answer."""
    for sentence in re.split(r"(?<=[.!?…])\s+", text):
        if sentence.strip():
            yield sentence.strip()
