"""Tells the voice how turns sound, beside their speech: text becomes phones, which guide the lips."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mien.client import AsyncTurn, ClientError
from mien.client.phones import MOST_WORDS, PhonesError, TimedPhones, phones_of_text, phones_of_words

LANGUAGE: Final = "en"
GATHER_S: Final = 0.05  # frameworks send words in pieces, and each piece would start espeak-ng
LAST_S: Final = 0.3  # a last word that nothing follows is whole
_WHOLE: Final = re.compile(r".*[\s.,;:!?…。、！？]", re.DOTALL)  # up to the end of the last whole word
Word = tuple[str, int, int]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Spoken:
    """What a turn says and the voice was not told. told: words sent. timed: whether its words have times."""

    timed: bool
    text: str = ""
    words: list[Word] = field(default_factory=list)
    told: int = 0
    quiet_s: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether there is something that the voice was not told."""
        return bool(self.words or self.text.strip())

    def take(self) -> str:
        """The whole words of the text; all of it once nothing has followed for a while."""
        found = _WHOLE.match(self.text)
        end = len(self.text) if self.quiet_s >= LAST_S else found.end() if found else 0
        taken, self.text = self.text[:end], self.text[end:]
        return taken


class Guide:
    """Sends phones of what turns say, in order, while their speech goes on: nothing waits for it.

    language: of the speech, as in en, en-US or pt-BR; None: send nothing, the sound alone moves the lips. Without
    espeak-ng, or for a text that does not fit the language, nothing is sent either; the log says so once. For one
    event loop.
    """

    def __init__(self, language: str | None = LANGUAGE) -> None:
        self._language = language
        self._spoken: dict[AsyncTurn, _Spoken] = {}
        self._task: asyncio.Task[None] | None = None
        self._warned = False

    def text(self, turn: AsyncTurn, text: str) -> None:
        """This turn goes on with this text, with its spaces. After words with times it is ignored."""
        spoken = self._of(turn, timed=False)
        if spoken is not None:
            spoken.text += text
            spoken.quiet_s = 0.0

    def words(self, turn: AsyncTurn, words: Iterable[Word]) -> None:
        """This turn goes on with these words, at start and end in ms on its own clock. After text they are ignored."""
        spoken = self._of(turn, timed=True)
        if spoken is not None:
            spoken.words += words

    async def close(self) -> None:
        """Send no more."""
        self._language = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _of(self, turn: AsyncTurn, *, timed: bool) -> _Spoken | None:
        if self._language is None:
            return None
        for over in [each for each in self._spoken if each.over]:
            del self._spoken[over]
        spoken = self._spoken.setdefault(turn, _Spoken(timed))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="phones")
        return spoken if spoken.timed == timed else None

    async def _run(self) -> None:
        while waiting := [(turn, spoken) for turn, spoken in self._spoken.items() if not turn.over and spoken.waits]:
            await asyncio.sleep(GATHER_S)
            for turn, spoken in waiting:
                spoken.quiet_s += GATHER_S
                await self._tell(turn, spoken)

    async def _tell(self, turn: AsyncTurn, spoken: _Spoken) -> None:
        words, spoken.words = spoken.words, []
        text = spoken.take()
        if not words and not text.strip():
            return
        try:
            phones = await asyncio.to_thread(_phones, text, words, self._language or LANGUAGE)
        except PhonesError as error:
            if not self._warned:
                _log.warning("the sound alone moves the lips: %s", error)
            self._warned = True
            return
        phones = phones[: max(0, MOST_WORDS - spoken.told)]
        spoken.told += len(phones)
        if not turn.over:
            try:
                await turn.phones(phones)
            except ClientError:
                spoken.told = MOST_WORDS  # the voice is gone or refuses: the sound alone moves these lips


def _phones(text: str, words: list[Word], language: str) -> list[TimedPhones]:
    return phones_of_words(words, language) if words else phones_of_text(text, language)
