"""Asks the root side of the board for what a sandbox may not do itself (mien.host.board_control)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from mien.link.refused import RefusedError

SOCKET: Final = Path("/run/mien-board-control.sock")
MOST_LINE_BYTES: Final = 32_000_000
"""Of an answer: logs of 4 MB, every byte of which JSON may escape."""
_PATIENCE_S: Final = 100.0


class BoardControl:
    """socket: of mien-board-control.socket. There is none on a desk, and then everything is unavailable."""

    def __init__(self, socket: Path = SOCKET) -> None:
        self._socket = socket

    async def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The last answer. Raises RefusedError: unavailable without the helper, failed with its reason."""
        return [answer async for answer in self.follow(verb, **arguments)][-1]

    async def follow(
        self, verb: str, *, within_s: float = _PATIENCE_S, **arguments: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Every answer as it comes. within_s: the longest wait for one. Raises RefusedError as ask()."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket, limit=MOST_LINE_BYTES)
        except OSError as error:
            raise RefusedError(
                "unavailable",
                f"mien-board-control cannot be reached ({error.strerror}): not a board, or its unit is off",
            ) from None
        try:
            writer.write(msgspec.json.encode({"verb": verb, **arguments}) + b"\n")
            await writer.drain()
            while True:
                answer = await self._line(reader, within_s)
                yield answer
                if "ok" in answer:
                    return
        finally:
            writer.close()

    async def _line(self, reader: asyncio.StreamReader, within_s: float) -> dict[str, Any]:
        try:
            async with asyncio.timeout(within_s):
                line = await reader.readline()
        except TimeoutError:
            raise RefusedError("failed", "mien-board-control does not answer") from None
        except (OSError, ValueError) as error:
            raise RefusedError("failed", f"mien-board-control: {error}") from None
        if not line:
            raise RefusedError("failed", "mien-board-control ended without an answer")
        answer: dict[str, Any] = msgspec.json.decode(line, type=dict)
        if answer.get("ok") is False:
            raise RefusedError("failed", str(answer.get("why", ""))[:300])
        return answer
