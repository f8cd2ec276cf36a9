"""Captions as watchers get them: a turn's whole text, with how much of it was heard."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import msgspec

from mien.core import wire
from mien.fleet.command import CaptionLine

TURNS: Final = 8  # whose text is kept
MAX_CHARACTERS: Final = 4000  # of a turn's text: its end
MAX_WORDS: Final = 300


@dataclass(slots=True)
class _Turn:
    text: str = ""
    words: tuple[wire.Word, ...] = ()
    begun: bool = False


class CaptionLines:
    """Follows said, status, outcome and floor; take() returns the line that each is worth, if any."""

    def __init__(self) -> None:
        self._turns: OrderedDict[tuple[str, str], _Turn] = OrderedDict()
        self._holder = ""

    def take(self, message: object, at_s: float) -> bytes | None:
        """at_s: UTC in seconds."""
        match message:
            case wire.Said():
                return self._said(message, at_s)
            case wire.Status(floor=floor):
                self._holder = floor
                return self._heard(message, at_s)
            case wire.Floor(holder=holder):
                self._holder = holder
            case wire.Outcome():
                return self._over(message, at_s)
        return None

    def _said(self, said: wire.Said, at_s: float) -> bytes:
        turn = self._turns.setdefault((said.client, said.turn), _Turn())
        before = turn if said.append else _Turn()
        turn.text = (before.text + said.text)[-MAX_CHARACTERS:]
        turn.words = (before.words + said.words)[-MAX_WORDS:]
        while len(self._turns) > TURNS:
            self._turns.popitem(last=False)
        return self._line(said.client, said.turn, turn, at_s)

    def _heard(self, status: wire.Status, at_s: float) -> bytes | None:
        """Once a turn: its first words are heard, so that a reader can follow the others by their times."""
        turn = self._turns.get((status.client, status.turn))
        if turn is None or turn.begun or status.phase != "speaking" or not status.played_ms:
            return None
        turn.begun = True
        return self._line(status.client, status.turn, turn, at_s, heard_ms=status.played_ms)

    def _over(self, outcome: wire.Outcome, at_s: float) -> bytes | None:
        turn = self._turns.pop((outcome.client, outcome.turn), None)
        if turn is None:
            return None
        return self._line(outcome.client, outcome.turn, turn, at_s, heard_ms=outcome.played_ms, final=True)

    def _line(
        self, client: str, name: str, turn: _Turn, at_s: float, *, heard_ms: float = 0.0, final: bool = False
    ) -> bytes:
        line = CaptionLine(
            at=at_s,
            who="agent" if client == self._holder else "kiosk",
            turn=name,
            text=turn.text,
            final=final,
            heard_ms=heard_ms,
            words=tuple((word.text, word.start_ms, word.end_ms) for word in turn.words),
        )
        return msgspec.json.encode(line)
