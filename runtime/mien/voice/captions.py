"""The captions of turns, which may come before, with or after the turn's audio."""

from mien.core.wire import MAX_CAPTION_CHARACTERS, MAX_WORDS, Caption
from mien.errors import ProtocolError
from mien.voice.turn import NOTHING_SAID, Turn, TurnCaption


class Captions:
    """Keeps those of turns that were not begun yet: at most `limit` turns a client, the oldest give way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._early: dict[bytes, dict[str, TurnCaption]] = {}

    def take(self, owner: bytes, turn: Turn | None, caption: Caption) -> None:
        """Note a caption; turn: the turn that it names, if it was begun. Raises ProtocolError (caption_too_long)."""
        early = self._early.get(owner, {})
        before = turn.caption if turn else early.get(caption.turn, NOTHING_SAID)
        if not caption.append:
            before = NOTHING_SAID
        whole = TurnCaption(text=before.text + caption.text, words=(*before.words, *caption.words))
        if len(whole.words) > MAX_WORDS or len(whole.text) > MAX_CAPTION_CHARACTERS:
            raise ProtocolError("caption_too_long", f"at most {MAX_WORDS} words and {MAX_CAPTION_CHARACTERS} "
                                "characters a turn; begin another turn", turn=caption.turn)
        if turn is not None:
            turn.caption = whole
        elif whole.words or whole.text:
            self._keep(owner, caption.turn, whole)

    def claim(self, owner: bytes, name: str) -> TurnCaption:
        """The caption of a turn that begins now."""
        return self._early.get(owner, {}).pop(name, NOTHING_SAID)

    def leave(self, owner: bytes) -> None:
        """A client is gone."""
        self._early.pop(owner, None)

    def _keep(self, owner: bytes, name: str, caption: TurnCaption) -> None:
        early = self._early.setdefault(owner, {})
        early.pop(name, None)
        while len(early) >= self._limit:
            early.pop(next(iter(early)))
        early[name] = caption
