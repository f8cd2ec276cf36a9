"""The process of one engine: `python -m mien.converse.child KIND`, with its options as the first message.

The engine runs in the main thread; another reads requests and cancels.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from mien.converse.channel import Header, pack, read
from mien.converse.hear.base import Recogniser
from mien.converse.speak.base import Synthesiser
from mien.converse.think.base import Question, Thinker
from mien.errors import MienError

Run = Callable[[Header, bytes], Iterator[tuple[Header, bytes]]]


def make(kind: str, engine: str, options: dict[str, Any]) -> Recogniser | Thinker | Synthesiser:
    """The engine of a name. Raises ConverseError or ConfigError."""
    if kind == "hear":
        from mien.converse.hear.engines import make_recogniser

        return make_recogniser(engine, options)
    if kind == "think":
        from mien.converse.think.engines import make_thinker

        return make_thinker(engine, options)
    from mien.converse.speak.engines import make_synthesiser

    return make_synthesiser(engine, options)


def runner(kind: str, engine: Any) -> Run:
    """The engine as a function of messages."""
    match kind:
        case "hear":
            return _hear(engine)
        case "think":
            return _think(engine)
    return _speak(engine)


def _hear(engine: Recogniser) -> Run:
    def run(header: Header, payload: bytes) -> Iterator[tuple[Header, bytes]]:
        yield msgspec.to_builtins(engine.recognise(payload, header["language"])), b""

    return run


def _think(engine: Thinker) -> Run:
    def run(header: Header, _payload: bytes) -> Iterator[tuple[Header, bytes]]:
        for part in engine.think(msgspec.convert(header["question"], Question)):
            yield msgspec.to_builtins(part), b""

    return run


def _speak(engine: Synthesiser) -> Run:
    def run(header: Header, _payload: bytes) -> Iterator[tuple[Header, bytes]]:
        for sound in engine.speak(header["text"], header["language"], header["speed"]):
            yield {"rate_hz": sound.rate_hz, "words": sound.words}, sound.pcm

    return run


class Child:
    """Serves one engine over two streams until the input ends."""

    def __init__(self, requests: BinaryIO, results: BinaryIO) -> None:
        self._requests = requests
        self._results = results
        self._waiting: queue.SimpleQueue[tuple[Header, bytes] | None] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._running = 0

    def serve(self) -> int:
        """Returns the exit code."""
        first = read(self._requests)
        if first is None:
            return 0
        kind, name, options = first[0]["kind"], first[0]["engine"], first[0]["options"]
        try:
            engine = make(kind, name, options)
            engine.load()
        except (MienError, ImportError, OSError) as error:
            self._send({"failed": str(error)})
            return 1
        self._send({"ready": True})
        threading.Thread(target=self._read, args=(engine.cancel,), name="requests", daemon=True).start()
        run = runner(kind, engine)
        while (request := self._waiting.get()) is not None:
            self._serve_one(run, *request)
        return 0

    def _serve_one(self, run: Run, header: Header, payload: bytes) -> None:
        self._running = number = header["id"]
        try:
            if number not in self._cancelled:
                for part, sound in run(header, payload):
                    if number in self._cancelled:
                        break
                    self._send({"id": number, **part}, sound)
            end: Header = {"id": number, "done": True}
        except Exception as error:  # whatever an engine does wrong, it is told, and the next request is served
            end = {"id": number, "done": True, "error": f"{type(error).__name__}: {error}"}
        self._running = 0
        self._cancelled.discard(number)
        self._send(end)

    def _read(self, cancel: Callable[[], None]) -> None:
        while (message := read(self._requests)) is not None:
            if "cancel" in message[0]:
                self._cancelled.add(message[0]["cancel"])
                if self._running == message[0]["cancel"]:
                    cancel()
            else:
                self._waiting.put(message)
        os._exit(0)  # mien converse is gone: an engine in mid-computation has nobody left to tell

    def _send(self, header: Header, payload: bytes = b"") -> None:
        self._results.write(pack(header, payload))
        self._results.flush()


def main() -> None:
    """Serve over the standard streams. What an engine prints goes to standard error."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.exit(Child(sys.stdin.buffer, results).serve())


if __name__ == "__main__":
    main()
