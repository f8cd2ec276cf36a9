"""Phones that clients have sent, which may arrive before, with or after the audio of their turns."""

from collections.abc import Iterable
from typing import Final

from mien.core.wire import MAX_PHONE_WORDS, Phones, PhoneWord
from mien.errors import ProtocolError
from mien.voice.early import Early
from mien.voice.turn import Turn

WORD_BYTES: Final = 300  # of memory, without its phones
BYTES_EACH: Final = 1_500_000  # of all phones of a client

_Words = tuple[PhoneWord, ...]


class EarlyPhones(Early[_Words]):
    """Keeps the phones that arrive before their turns."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, BYTES_EACH, (), _cost)

    def take(self, owner: bytes, turn: Turn | None, message: Phones, turns: Iterable[Turn] = ()) -> None:
        """Accept phones. turn: the turn that they name, if that has begun. turns: all turns of this client.

        Raises ProtocolError (phones_too_long) and changes nothing.
        """
        before = turn.phones if turn is not None else self._of(owner, message.turn)
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
        if turn is None:
            self._keep(owner, message.turn, whole, held)
        else:
            turn.phones = whole
            self._keep(owner, message.turn, (), held + _cost(whole))


def _cost(words: _Words) -> int:
    """About how much memory phones take, in bytes."""
    return WORD_BYTES * len(words) + sum(2 * len(word.phones) for word in words)
