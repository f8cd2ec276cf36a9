"""Phones that clients have sent, which may arrive before, with or after the audio of their turns."""

from collections.abc import Iterable
from typing import Final

from mien.core.wire import MAX_PHONE_WORDS, Phones, PhoneWord
from mien.errors import ProtocolError
from mien.voice.turn import Turn

WORD_BYTES: Final = 300  # of memory, without its phones
BYTES_EACH: Final = 1_500_000  # of all phones of a client

_Words = tuple[PhoneWord, ...]


class EarlyPhones:
    """Keeps the phones that arrive before their turns, for at most `limit` turns a client; the oldest are dropped.

    All phones of a client, including those of its turns, take at most BYTES_EACH.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._early: dict[bytes, dict[str, _Words]] = {}

    def take(self, owner: bytes, turn: Turn | None, message: Phones, turns: Iterable[Turn] = ()) -> None:
        """Accept phones. turn: the turn that they name, if that has begun. turns: all turns of this client.

        Raises ProtocolError (phones_too_long) and changes nothing.
        """
        early = self._early.get(owner, {})
        before = turn.phones if turn is not None else early.get(message.turn, ())
        whole = (*before, *message.words)
        if len(whole) > MAX_PHONE_WORDS:
            raise ProtocolError(
                "phones_too_long", f"at most {MAX_PHONE_WORDS} words a turn; begin another turn", turn=message.turn
            )
        held = sum(_cost(each.phones) for each in turns if each is not turn)
        if held + _cost(whole) > BYTES_EACH:
            raise ProtocolError(
                "phones_too_long",
                f"the phones of a client's unfinished turns take at most {BYTES_EACH // 1000} kB; "
                "send this again when a turn has finished",
                retryable=True,
                turn=message.turn,
            )
        early.pop(message.turn, None)
        if turn is not None:
            turn.phones = whole
        elif whole:
            self._early.setdefault(owner, early)[message.turn] = whole
        room = BYTES_EACH - held - (_cost(whole) if turn is not None else 0)
        while len(early) > self._limit or sum(map(_cost, early.values())) > room:
            del early[next(iter(early))]

    def claim(self, owner: bytes, name: str) -> _Words:
        """Remove and return the phones of a turn that begins now."""
        return self._early.get(owner, {}).pop(name, ())

    def leave(self, owner: bytes) -> None:
        """A client has left."""
        self._early.pop(owner, None)


def _cost(words: _Words) -> int:
    """About how much memory phones take, in bytes."""
    return WORD_BYTES * len(words) + sum(2 * len(word.phones) for word in words)
