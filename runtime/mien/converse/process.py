"""The process of an engine, seen from mien converse: started, asked, interrupted, replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from mien.converse.channel import MAX_LINE_BYTES, Header, pack, read_async
from mien.errors import ConverseError

log = logging.getLogger("mien.converse")

GRACE_S: Final = 2.0
"""How long a cancelled request may take to end before its process is replaced: loading a model again takes longer."""

ERROR_BYTES: Final = 2_000


class EngineProcess:
    """One engine. name: for people. command: of the process; None is mien.converse.child. timeout_s: between two parts
    of a result, and load_s: to get ready.

    One request runs at a time. Leaving ask()'s loop cancels it; a process that does not stop is killed, and the next
    request starts another.
    """

    def __init__(
        self,
        name: str,
        first: Header,
        *,
        command: Sequence[str] | None = None,
        timeout_s: float = 2.5,
        load_s: float = 180.0,
    ) -> None:
        self.name = name
        self.starts = 0
        self._first = first
        self._command = list(command or (sys.executable, "-m", "mien.converse.child"))
        self._timeout_s = self._least_s = timeout_s
        self._load_s = load_s
        self._process: asyncio.subprocess.Process | None = None
        self._stderr: asyncio.Task[bytes] | None = None
        self._lock = asyncio.Lock()
        self._numbers = 0
        self._restarting: asyncio.Task[None] | None = None

    def allow(self, timeout_s: float) -> None:
        """Wait so long between two parts, on a machine that was found to be slow; never less than at first."""
        self._timeout_s = max(self._least_s, timeout_s)

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the process, and wait until it is ready. Raises ConverseError with what is missing."""
        async with self._lock:
            await self._ensure()

    async def ask(self, header: dict[str, Any], payload: bytes = b"") -> AsyncGenerator[tuple[Header, bytes], None]:
        """The parts of the result, as they come. Raises ConverseError: the engine failed, ended or took too long."""
        async with self._lock:
            process = await self._ensure()
            assert process.stdin is not None
            self._numbers += 1
            number, done = self._numbers, False
            try:
                process.stdin.write(pack({**header, "id": number}, payload))
                with contextlib.suppress(ConnectionError):
                    await process.stdin.drain()
                while True:
                    part, data = await self._read(process, self._timeout_s)
                    if part.get("id") != number:
                        continue
                    if part.get("done"):
                        done = True
                        if "error" in part:
                            raise ConverseError(f"{self.name}: {part['error']}")
                        return
                    yield part, data
            finally:
                if not done:
                    await self._abandon(process, number)

    async def close(self) -> None:
        """End the process."""
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
        await self._kill()

    async def _ensure(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._kill()
        self.starts += 1
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE_BYTES,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise ConverseError(f"{self.name} cannot be started: {self._command[0]}: {error.strerror}") from None
        self._process = process
        assert process.stdin is not None
        assert process.stderr is not None
        self._stderr = asyncio.create_task(_tail(process.stderr))
        process.stdin.write(pack(self._first))
        try:
            answer, _ = await self._read(process, self._load_s)
        except BaseException:
            await self._kill()
            raise
        if "failed" in answer:
            await self._kill()
            raise ConverseError(f"{self.name}: {answer['failed']}")
        return process

    async def _read(self, process: asyncio.subprocess.Process, timeout_s: float) -> tuple[Header, bytes]:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                message = await read_async(process.stdout)
        except TimeoutError:
            await self._replace()
            raise ConverseError(f"{self.name} did not answer for {timeout_s:g} s") from None
        except ConverseError:
            await self._replace()
            raise
        if message is None:
            code = await process.wait()
            words = (await self._stderr).decode(errors="replace").strip() if self._stderr else ""
            raise ConverseError(f"{self.name} ended with {code}: {words.splitlines()[-1] if words else 'no output'}")
        return message

    async def _abandon(self, process: asyncio.subprocess.Process, number: int) -> None:
        """Cancel a request, and wait briefly for its end, so that the process serves the next one."""
        if process.returncode is not None or process is not self._process:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(pack({"cancel": number}))
        try:
            async with asyncio.timeout(GRACE_S):
                while (message := await read_async(process.stdout)) is not None:
                    if message[0].get("id") == number and message[0].get("done"):
                        return
        except (TimeoutError, ConverseError):
            pass
        except asyncio.CancelledError:
            await self._replace()
            raise
        await self._replace()

    async def _replace(self) -> None:
        """Kill the process, and load another in the background."""
        await self._kill()
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        try:
            await self.start()
        except ConverseError as error:
            log.warning("%s", error)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        if self._stderr is not None:
            await asyncio.gather(self._stderr, return_exceptions=True)


async def _tail(stream: asyncio.StreamReader) -> bytes:
    """The last words of a stream, read to its end so that its writer never blocks."""
    kept = b""
    while data := await stream.read(4096):
        kept = (kept + data)[-ERROR_BYTES:]
    return kept


def _environment() -> dict[str, str]:
    """For an engine: no threads but those that it asks for.

    With fewer than it asks for, which is what OMP_THREAD_LIMIT allows, ctranslate2 computes NaN.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_THREAD_LIMIT"}
    return {**inherited, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
