"""Captions that clients have sent, which may arrive before, with or after the audio of their turns."""

from collections.abc import Iterable
from typing import Final

from mien.core.wire import MAX_CAPTION_CHARACTERS, MAX_WORDS, Caption
from mien.errors import ProtocolError
from mien.voice.turn import NO_CAPTION, Turn, TurnCaption

WORD_BYTES: Final = 200  # measured memory per word, without its letters
BYTES_EACH: Final = 1_000_000  # of all captions of a client: enough for a turn of 4,000 words of ordinary length


class Captions:
    """Keeps the captions that arrive before their turns, for at most `limit` turns a client; the oldest are dropped.

    All captions of a client, including those of its turns, take at most BYTES_EACH.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._early: dict[bytes, dict[str, TurnCaption]] = {}

    def take(self, owner: bytes, turn: Turn | None, caption: Caption, turns: Iterable[Turn] = ()) -> None:
        """Accept a caption. turn: the turn that it names, if that has begun. turns: all turns of this client.

        Raises ProtocolError (caption_too_long) and changes nothing.
        """
        early = self._early.get(owner, {})
        before = turn.caption if turn else early.get(caption.turn, NO_CAPTION)
        whole = _joined(before if caption.append else NO_CAPTION, caption)
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
        """Remove and return the caption of a turn that begins now."""
        return self._early.get(owner, {}).pop(name, NO_CAPTION)

    def leave(self, owner: bytes) -> None:
        """A client has left."""
        self._early.pop(owner, None)

    def _shorten(self, early: dict[str, TurnCaption], room: int) -> None:
        """Drop the oldest until the rest fits."""
        while len(early) > self._limit or sum(map(cost, early.values())) > room:
            del early[next(iter(early))]


def cost(caption: TurnCaption) -> int:
    """About how much memory a caption takes, in bytes."""
    return caption.text_bytes + caption.words_bytes + WORD_BYTES * len(caption.words)


def _joined(before: TurnCaption, caption: Caption) -> TurnCaption:
    return TurnCaption(
        text=before.text + caption.text,
        words=(*before.words, *caption.words),
        text_bytes=before.text_bytes + len(caption.text.encode()),
        words_bytes=before.words_bytes + sum(len(word.text.encode()) for word in caption.words),
    )
