"""The word times of turns, which may come before, with or after the turn's audio."""

from mien.core.wire import MAX_WORDS, Caption, Word
from mien.errors import ProtocolError
from mien.voice.turn import Turn

Words = tuple[Word, ...]


class Captions:
    """Keeps the words of turns that were not begun yet: at most `limit` turns a client, the oldest give way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._early: dict[bytes, dict[str, Words]] = {}

    def take(self, owner: bytes, turn: Turn | None, caption: Caption) -> None:
        """Note a caption; turn: the turn that it names, if it was begun. Raises ProtocolError (caption_too_long)."""
        early = self._early.get(owner, {})
        before = turn.words if turn else early.get(caption.turn, ())
        words = (*before, *caption.words) if caption.append else caption.words
        if len(words) > MAX_WORDS:
            raise ProtocolError("caption_too_long", f"at most {MAX_WORDS} words a turn; begin another turn",
                                turn=caption.turn)
        if turn is not None:
            turn.words = words
        elif words:
            self._keep(owner, caption.turn, words)

    def claim(self, owner: bytes, name: str) -> Words:
        """The words of a turn that begins now."""
        return self._early.get(owner, {}).pop(name, ())

    def leave(self, owner: bytes) -> None:
        """A client is gone."""
        self._early.pop(owner, None)

    def _keep(self, owner: bytes, name: str, words: Words) -> None:
        early = self._early.setdefault(owner, {})
        early.pop(name, None)
        while len(early) >= self._limit:
            early.pop(next(iter(early)))
        early[name] = words
