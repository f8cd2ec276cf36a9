"""Composition root of mien converse: the agent with its engines, from the configuration."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mien.client import AsyncClient
from mien.config import Config, ConverseConfig
from mien.converse.agent import Agent, Told
from mien.converse.conversation import Conversation
from mien.converse.endpoint import Timing
from mien.converse.phrases import PHRASES
from mien.converse.relays import Relays
from mien.converse.stages import LANGUAGES, Hearing, Speaking, Tell, Thinking, default_cache
from mien.converse.think.knowledge_file import SHIPPED, Knowledge, read_knowledge, sentences_of
from mien.converse.visit.log.keeper import keeper
from mien.converse.visit.record import Record
from mien.converse.visit.visiting import Visiting
from mien.errors import ConfigError, ConverseError

log = logging.getLogger("mien.converse")

RATE_HZ: Final = 22_050
"""Of the session with the voice: Piper's and espeak-ng's own."""
CAPABILITIES: Final = ("relay", "drain")
"""What it asks the voice for in its hello."""


@dataclass(slots=True)
class Engines:
    """Loaded, each in its process."""

    hearing: Hearing
    thinking: Thinking
    speaking: Speaking
    recognising_s: float = 0.0
    """How long an utterance takes on this machine."""

    @property
    def pids(self) -> list[int]:
        """Of the running processes."""
        processes = (self.hearing.process, self.thinking.process, self.speaking.process)
        return [process.pid for process in processes if process.pid is not None]


def _log(line: str) -> None:
    log.warning("%s", line)


@asynccontextmanager
async def engines(config: ConverseConfig, tell: Tell = _log) -> AsyncIterator[Engines]:
    """Load all three at once. tell: what is too slow on this machine, and what is done instead, a line each.

    Recognition is measured before the first conversation, which needs its time; the others while that may begin.
    Raises ConverseError or ConfigError with what is missing.
    """
    made = Engines(
        Hearing(config, cache_folder(config)),
        Thinking(config, cache_folder(config)),
        Speaking(config, cache_folder(config)),
    )
    measuring: asyncio.Task[None] | None = None
    try:
        loading = (made.hearing.process.start(), made.thinking.start(), made.speaking.process.start())
        for result in await asyncio.gather(*loading, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        made.recognising_s = await made.hearing.measure(tell)
        measuring = asyncio.create_task(_measure(made, tell))
        yield made
    finally:
        if measuring is not None:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)
        await asyncio.gather(made.hearing.process.close(), made.thinking.process.close(), made.speaking.close())


async def _measure(made: Engines, tell: Tell) -> None:
    """The stages that the first question needs last; an engine that fails is told, and conversed with as it is."""
    for stage in (made.thinking, made.speaking):
        try:
            await stage.measure(tell)
        except ConverseError as error:
            tell(f"could not be measured: {error}")


def make_agent(
    client: AsyncClient,
    config: ConverseConfig,
    loaded: Engines,
    told: Told,
    whole: Config | None = None,
    ended: Callable[[Record], None] = lambda _: None,
) -> Agent:
    """The agent, ready to run. whole: the file's other sections, where [visit] is wanted. ended(record): of a visit.

    Raises ConfigError where the log of visits cannot be kept as configured.
    """
    timing = Timing(
        recognise_ms=max(Timing().recognise_ms, round(3000 * loaded.recognising_s)),
        question_ms=config.question_ms,
        end_ms=config.end_ms,
        open_ms=config.open_ms,
        filler_ms=config.filler_ms,
        deadline_ms=config.deadline_ms,
    )
    conversation = Conversation(timing=timing, language=config.language, forbidden=config.forbidden)
    visiting, kept = None, None
    if whole is not None and whole.visit.enabled:
        check_buttons(whole)
        kept = keeper(whole)

        def over(record: Record) -> None:
            ended(record)
            if kept is not None:
                kept.ended(record, made.latencies.answers)
                made.latencies.answers.clear()

        visiting = Visiting(
            client,
            conversation,
            whole.visit,
            whole.screen,
            speak_keys=whole.choices.numbers,
            ended=over,
            refused=kept.refused if kept is not None else lambda *_: None,
            languages=LANGUAGES if config.language == "auto" else (config.language,),
            captions=whole.captions.enabled,
            caption=lambda on: made.show_captions(on),
            questions=kept.questions if kept is not None else lambda _: (),
        )
    relays = Relays(thinks=config.think == "url")
    made = Agent(client, conversation, loaded.hearing, loaded.thinking, loaded.speaking, told, visiting, relays)
    return made


def check_buttons(config: Config) -> None:
    """Raises ConfigError for a button of a visit that could change nothing."""
    buttons = config.visit.buttons
    if "captions" in buttons and not config.captions.enabled:
        raise ConfigError(
            "visit.buttons: 'captions' needs captions.enabled = true, also in the configuration of mien-face"
        )
    if "language" in buttons and config.converse.language != "auto":
        raise ConfigError(
            "visit.buttons: 'language' needs converse.language = \"auto\", with a hear_model of several languages"
        )


def cache_folder(config: ConverseConfig) -> Path:
    """Where prepared speech is kept."""
    return Path(config.cache).expanduser() if config.cache else default_cache()


def knowledge(config: ConverseConfig) -> Knowledge:
    """The knowledge file. Raises ConfigError."""
    return read_knowledge(Path(config.knowledge).expanduser() if config.knowledge else SHIPPED)


def fixed_sentences(config: ConverseConfig) -> list[tuple[str, str]]:
    """(language, sentence) of everything that can be synthesised in advance. Raises ConfigError."""
    languages = LANGUAGES if config.language == "auto" else (config.language,)
    said = [(language, text) for language in languages for text in PHRASES[language].every()]
    said += [(languages[0], text) for entry in knowledge(config).entries for text in sentences_of(entry.answer)]
    return list(dict.fromkeys(said))


async def prepare(config: ConverseConfig, progress: Callable[[str], None]) -> tuple[int, int]:
    """Fill the cache: vectors of the knowledge file, speech of every fixed sentence.

    Returns how many sentences were made, and how many were there. Raises ConverseError, ConfigError.
    """
    sentences = fixed_sentences(config)
    thinking = Thinking(config, cache_folder(config))
    progress("reading the knowledge file")
    try:
        await thinking.start()
    finally:
        await thinking.process.close()
    speaking = Speaking(config, cache_folder(config))
    made = 0
    try:
        for number, (language, text) in enumerate(sentences, 1):
            progress(f"{number}/{len(sentences)}: {text}")
            made += await speaking.prepare(text, language)
    finally:
        await speaking.close()
    return made, len(sentences) - made
