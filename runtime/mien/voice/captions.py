"""Captions that clients have sent, which may arrive before, with or after the audio of their turns."""

from collections.abc import Iterable
from typing import Final

from mien.core.wire import MAX_CAPTION_CHARACTERS, MAX_WORDS, Caption
from mien.errors import ProtocolError
from mien.voice.early import Early
from mien.voice.turn import NO_CAPTION, Turn, TurnCaption

WORD_BYTES: Final = 200  # measured memory per word, without its letters
BYTES_EACH: Final = 1_000_000  # of all captions of a client: enough for a turn of 4,000 words of ordinary length


class Captions(Early[TurnCaption]):
    """Keeps the captions that arrive before their turns."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, BYTES_EACH, NO_CAPTION, cost)

    def take(self, owner: bytes, turn: Turn | None, caption: Caption, turns: Iterable[Turn] = ()) -> None:
        """Accept a caption. turn: the turn that it names, if that has begun. turns: all turns of this client.

        Raises ProtocolError (caption_too_long) and changes nothing.
        """
        before = turn.caption if turn is not None else self._of(owner, caption.turn)
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
        if turn is None:
            self._keep(owner, caption.turn, whole, held)
        else:
            turn.caption = whole
            self._keep(owner, caption.turn, NO_CAPTION, held + cost(whole))


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
