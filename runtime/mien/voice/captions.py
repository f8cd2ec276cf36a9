"""The captions of turns, which may come before, with or after the turn's audio."""

from collections.abc import Iterable
from typing import Final

from mien.core.wire import MAX_CAPTION_CHARACTERS, MAX_WORDS, Caption
from mien.errors import ProtocolError
from mien.voice.turn import NOTHING_SAID, Turn, TurnCaption

WORD_BYTES: Final = 200  # what a word takes in memory beside its letters, measured
BYTES_EACH: Final = 1_000_000  # of all captions of a client: enough for one turn of 4,000 words of usual length


class Captions:
    """Keeps those of turns that were not begun yet: at most `limit` turns a client, the oldest give way.

    All captions of a client, with those of its turns, take at most BYTES_EACH.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._early: dict[bytes, dict[str, TurnCaption]] = {}

    def take(self, owner: bytes, turn: Turn | None, caption: Caption, turns: Iterable[Turn] = ()) -> None:
        """Note a caption; turn: the turn that it names, if it was begun. turns: all of this client's.

        Raises ProtocolError (caption_too_long) and changes nothing.
        """
        early = self._early.get(owner, {})
        before = turn.caption if turn else early.get(caption.turn, NOTHING_SAID)
        whole = _joined(before if caption.append else NOTHING_SAID, caption)
        if len(whole.words) > MAX_WORDS or len(whole.text) > MAX_CAPTION_CHARACTERS:
            raise ProtocolError(
                "caption_too_long",
                f"at most {MAX_WORDS} words and {MAX_CAPTION_CHARACTERS} characters a turn; begin another turn",
                turn=caption.turn,
            )
        held = sum(cost(each.caption) for each in turns if each is not turn)
        if held + cost(whole) > BYTES_EACH:
            raise ProtocolError(
                "caption_too_long",
                "the captions of a client's unfinished turns take at most "
                f"{BYTES_EACH // 1000} kB, a word {WORD_BYTES} bytes and its letters; send this again "
                "when a turn has finished",
                retryable=True,
                turn=caption.turn,
            )
        early.pop(caption.turn, None)
        if turn is not None:
            turn.caption = whole
        elif whole.words or whole.text:
            self._early.setdefault(owner, early)[caption.turn] = whole
        self._shorten(early, BYTES_EACH - held - (cost(whole) if turn is not None else 0))

    def claim(self, owner: bytes, name: str) -> TurnCaption:
        """The caption of a turn that begins now."""
        return self._early.get(owner, {}).pop(name, NOTHING_SAID)

    def leave(self, owner: bytes) -> None:
        """A client is gone."""
        self._early.pop(owner, None)

    def _shorten(self, early: dict[str, TurnCaption], room: int) -> None:
        """The oldest of the early ones give way to the newest."""
        while len(early) > self._limit or sum(map(cost, early.values())) > room:
            del early[next(iter(early))]


def cost(caption: TurnCaption) -> int:
    """What a caption takes in memory, in bytes, about."""
    return caption.text_bytes + caption.words_bytes + WORD_BYTES * len(caption.words)


def _joined(before: TurnCaption, caption: Caption) -> TurnCaption:
    return TurnCaption(
        text=before.text + caption.text,
        words=(*before.words, *caption.words),
        text_bytes=before.text_bytes + len(caption.text.encode()),
        words_bytes=before.words_bytes + sum(len(word.text.encode()) for word in caption.words),
    )
