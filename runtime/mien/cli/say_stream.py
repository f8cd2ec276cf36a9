"""Speaks lines of text as they come, one turn a line."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NamedTuple

import click
import msgspec

from mien.cli.said_phones import language_of, send_phones
from mien.cli.say import Source, together, write_speech
from mien.cli.tts import Engine, synthesize
from mien.client import Client, Finished, Turn
from mien.errors import ClientError
from mien.host.exits import Exit

_CAPTION_CHARACTERS: Final = 4000


class _Line(NamedTuple):
    text: str
    turns: list[Turn]


def say_lines(agent: Client, lines: Iterable[str], engine: Engine, voice: str, *, as_json: bool) -> Exit:
    """Speak each line; the next is synthesized while one is heard. Empty lines are skipped.

    Prints how much of each line was heard, as soon as it was. Returns DONE when all of them were heard whole,
    INTERRUPTED after Ctrl-C, else FAILED. Raises SpeechError when the engine fails.
    """
    waiting: queue.SimpleQueue[_Line | None] = queue.SimpleQueue()
    whole: list[bool] = []

    def report() -> None:
        while (line := waiting.get()) is not None:
            whole.append(_report(line, as_json))

    reporter = threading.Thread(target=report, name="reports")
    reporter.start()
    try:
        for text in lines:
            if text.strip():
                _say_line(agent, " ".join(text.split()), engine, voice, waiting)
        waiting.put(None)
        while reporter.is_alive():
            reporter.join(0.1)  # a join without a limit is deaf to Ctrl-C
    except BaseException as error:
        with suppress(ClientError):
            agent.interrupt()
        if isinstance(error, KeyboardInterrupt):
            return Exit.INTERRUPTED
        raise
    finally:
        waiting.put(None)
        reporter.join()
    return Exit.DONE if all(whole) else Exit.FAILED


def _say_line(agent: Client, text: str, engine: Engine, voice: str, waiting: queue.SimpleQueue[_Line | None]) -> None:
    """Synthesize a line and send it. A line that the voice refuses is told, and the next one follows."""
    turns = [agent.turn()]
    with synthesize(text, engine, voice) as speech:
        source = Source(text, agent.rate_hz, speech.chunks(agent.rate_hz), text)
        try:
            turns[0].caption(text[:_CAPTION_CHARACTERS])
            send_phones(turns[0], text, language_of(voice or engine.voice))
            write_speech(agent, source, turns, lambda: None)
        except ClientError as error:
            click.echo(f"mien say: {error}", err=True)
            _stop(turns)
        finally:
            waiting.put(_Line(text, turns))


def _stop(turns: list[Turn]) -> None:
    for turn in turns:
        if not turn.over:
            with suppress(ClientError):
                turn.interrupt()


def _report(line: _Line, as_json: bool) -> bool:
    """Print how a line was heard, once it was. Returns whether it was heard whole."""
    try:
        finished = together([turn.wait() for turn in line.turns])
    except ClientError:
        played_ms = sum(turn.played_ms for turn in line.turns)
        finished = Finished(turn=line.turns[0].name, played_ms=played_ms, interrupted=True, reason="client_gone")
        _print(line.text, finished, "lost", as_json)
        return False
    _print(line.text, finished, finished.reason, as_json)
    return finished.reason == "played"


def _print(text: str, finished: Finished, reason: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**msgspec.to_builtins(finished), "reason": reason, "text": text}))
    else:
        how = "" if reason == "played" else f", then {reason.replace('_', ' ')}"
        click.echo(f"{finished.played_ms:.0f} ms heard{how}: {text}")
