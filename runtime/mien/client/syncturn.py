"""One turn of a client without an event loop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from types import TracebackType

from mien.client.aioturn import AsyncTurn
from mien.client.pcm import Pcm
from mien.client.portal import Portal
from mien.core.wire import Finished, Started
from mien.errors import ClientError


class Turn:
    """Some speech, from its first audio until it was heard. Made by Client.turn(); safe for threads.

    In `with` it is ended at the end of the block, and interrupted when the block raises. A write() that comes too late,
    because the turn was interrupted or is finished, leaves the block without an error; wait() tells.
    """

    def __init__(self, portal: Portal, turn: AsyncTurn) -> None:
        self._portal = portal
        self._turn = turn

    @property
    def name(self) -> str:
        """The turn's name, as events carry it."""
        return self._turn.name

    @property
    def played_ms(self) -> float:
        """What is known to have been heard, from the last progress."""
        return self._turn.played_ms

    @property
    def sent_ms(self) -> float:
        """What was sent, with the silence that fills up the last packet of an encoding that has such."""
        return self._turn.sent_ms

    @property
    def started(self) -> Started | None:
        """Says how long the first sample took to be heard; None before."""
        return self._turn.started

    @property
    def finished(self) -> Finished | None:
        """How it ended; None before."""
        return self._turn.finished

    @property
    def over(self) -> bool:
        """Whether it was heard to its end, interrupted or lost: wait() will not wait."""
        return self._turn.over

    def write(self, speech: Pcm) -> None:
        """Send speech of any size: bytes of s16le, or an int16 array. Waits while the voice's buffer is full.

        A sample may be cut between two writes. Raises ClientError: turn_closed when the turn was ended, interrupted or
        finished, unreachable, or the reason why the voice refuses it; TypeError for other arrays.
        """
        self._portal.call(self._turn.write(speech))

    def end(self) -> None:
        """No more speech will come. Raises ClientError (odd_bytes) when half a sample was left.

        An encoding of packets sends the last one now, and waits for room as write() does.
        """
        self._portal.call(self._turn.end())

    def wait(self) -> Finished:
        """End the turn if it is not ended, and wait until it was heard. Raises ClientError when it cannot be."""
        return self._portal.call(self._turn.wait())

    def interrupt(self) -> Finished:
        """Stop this turn and those behind it. Returns when it is silent; played_ms is what was heard."""
        return self._portal.call(self._turn.interrupt())

    def caption(self, text: str = "", words: Iterable[tuple[str, int, int]] = ()) -> None:
        """What this turn says. words: (text, start_ms, end_ms) on its own clock, where the times are known."""
        self._portal.call(self._turn.caption(text, words))

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if error is None:
            self.end()
        elif self._turn.was_cut_off(error):
            return True
        else:
            with contextlib.suppress(ClientError):
                self._portal.call(self._turn.cancel())
        return False
