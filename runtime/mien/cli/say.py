"""The command `mien say`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import click
import msgspec

from mien.cli.long_speech import TurnCutter
from mien.cli.said_phones import language_of, send_phones
from mien.cli.terminal import heard_bar
from mien.cli.tts import ENGINES, find_engine, synthesize
from mien.cli.voice_options import timeout_option, voice_options
from mien.client import Client, Finished, Turn, connect
from mien.client.wav import WavReader, wav_chunks
from mien.core.wire import RATES_HZ
from mien.errors import ClientError
from mien.host.exits import Exit, exit_codes

_READ_BYTES = 4096
_CAPTION_CHARACTERS = 4000
_MAX_TURN_MS = 600_000  # until the voice has sent its limits
STREAM_RATE_HZ = 24000  # of --stream, whatever the engine's rate
_RIFF_HEAD = b"RIFFsizeWAVE"


class Source(NamedTuple):
    """Speech as s16le chunks at rate_hz. what: its name, for the progress bar. text: for the caption and the lips, in
    `language`."""

    what: str
    rate_hz: int
    chunks: Iterable[bytes]
    text: str = ""
    language: str = "en"


@click.command()
@click.argument("text", required=False)
@click.option("--stream", is_flag=True, help="Speak each line of text on stdin as it comes, until its end.")
@click.option("--file", "-f", "path", type=click.Path(path_type=Path), help="Speak a WAV file instead of a text.")
@click.option("--engine", type=click.Choice([engine.name for engine in ENGINES]), help="TTS engine [first installed].")
@click.option("--voice", default="", help="A voice of the engine, such as en-us+f3 (espeak-ng) or awb (flite).")
@click.option(
    "--rate", "rate_hz", type=int, default=16000, show_default=True, help="Rate of raw PCM on stdin (TEXT is -), in Hz."
)
@voice_options
@timeout_option()
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object; --stream: one a line.")
def say(
    text: str | None,
    stream: bool,
    path: Path | None,
    engine: str | None,
    voice: str,
    rate_hz: int,
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Speak TEXT, a WAV file, or stdin: a WAV, raw PCM (mono s16le) or lines of text. Returns once it was heard.

    Ctrl-C stops the speech and reports how much was heard. Speech longer than one turn is split into several turns.

    \b
    Examples: mien say "Good morning"
              mien say --file hello.wav --endpoint tcp://kiosk.local:5570
              espeak-ng --stdout "Good morning" | mien say -
              my-tts "Good morning" | mien say - --rate 24000
              my-llm | mien say --stream

    Exit codes: 0 heard, 1 failed or cut short, 2 bad usage, 3 mien-voice is unreachable, 130 stopped by Ctrl-C.
    """
    if [text is not None, path is not None, stream].count(True) != 1:
        raise click.UsageError("give either a TEXT, or - for PCM on stdin, or --file WAV, or --stream")
    if rate_hz not in RATES_HZ:
        raise click.UsageError(f"--rate {rate_hz}: it must be one of {', '.join(map(str, RATES_HZ))}")
    if stream:
        from mien.cli.say_stream import say_lines

        with (
            exit_codes("mien say"),
            connect(
                endpoint, rate_hz=STREAM_RATE_HZ, timeout_s=timeout_s, name="mien say", key=key, voice_key=voice_key
            ) as agent,
        ):
            sys.exit(say_lines(agent, sys.stdin, find_engine(engine or ""), voice, as_json=as_json))
    with exit_codes("mien say"), ExitStack() as stack:
        if path is not None:
            source = _from_wav(WavReader(path), path)
        elif text == "-":
            source = _from_stdin(cast("BufferedReader", sys.stdin.buffer), rate_hz)
        else:
            source = stack.enter_context(_from_text(text or "", engine or "", voice))
        agent = stack.enter_context(
            connect(
                endpoint, rate_hz=source.rate_hz, timeout_s=timeout_s, name="mien say", key=key, voice_key=voice_key
            )
        )
        turns, stopped = _speak(agent, source, quiet=as_json)
    _report(turns, as_json)
    sys.exit(_exit_code(turns, stopped))


@contextmanager
def _from_text(text: str, engine: str, voice: str) -> Iterator[Source]:
    chosen = find_engine(engine)
    with synthesize(text, chosen, voice) as speech:
        rate_hz = _spoken_rate(speech.rate_hz)
        language = language_of(voice or chosen.voice)
        yield Source(" ".join(text.split()), rate_hz, speech.chunks(rate_hz), text, language)


def _from_stdin(stdin: BufferedReader, rate_hz: int) -> Source:
    """A WAV, recognized by its header, or else raw PCM at rate_hz."""
    head = b""
    while len(head) < len(_RIFF_HEAD) and (more := stdin.read1(len(_RIFF_HEAD) - len(head))):
        head += more
    stream = _Prefixed(head, stdin)
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        return _from_wav(WavReader(cast("BinaryIO", stream)), "stdin")
    return Source("stdin", rate_hz, iter(lambda: stream.read1(_READ_BYTES), b""))


class _Prefixed:
    """A stream whose first bytes were already read."""

    def __init__(self, head: bytes, rest: BufferedReader) -> None:
        self._head = head
        self._rest = rest

    def read1(self, size: int) -> bytes:
        """At most `size` bytes, as soon as any are available; empty at the end."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return self._rest.read1(size)


def _from_wav(wav: WavReader, path: Path | str) -> Source:
    """A WAV of any PCM format. Reports conversions on stderr."""
    fmt, rate_hz = wav.format, _spoken_rate(wav.format.rate_hz)
    if fmt.channels > 1:
        click.echo(f"mien say: {path} has {fmt.channels} channels; mixed down to one", err=True)
    if fmt.bits != 16 or fmt.floating:
        click.echo(f"mien say: {path} has {fmt.bits}-bit samples; converted to 16 bit", err=True)
    if rate_hz != fmt.rate_hz:
        click.echo(f"mien say: {path} has {fmt.rate_hz} Hz; resampled to {rate_hz} Hz", err=True)
    return Source(Path(path).name, rate_hz, wav_chunks(wav, rate_hz))


def _spoken_rate(rate_hz: int) -> int:
    """The rate itself if the protocol supports it, else the next higher one, else the highest."""
    return min((rate for rate in RATES_HZ if rate >= rate_hz), default=RATES_HZ[-1])


def _speak(agent: Client, source: Source, *, quiet: bool) -> tuple[list[Finished], bool]:
    """Speak a source in as many turns as it needs. Returns how each finished, and whether Ctrl-C stopped them."""
    turns = [agent.turn()]
    try:
        with heard_bar(source.what, shown=not quiet) as update:

            def tell() -> None:
                update(sum(turn.played_ms for turn in turns), sum(turn.sent_ms for turn in turns))

            if source.text:
                turns[0].caption(source.text[:_CAPTION_CHARACTERS])
                send_phones(turns[0], source.text, source.language)
            write_speech(agent, source, turns, tell)
            while not all(turn.over for turn in turns):
                agent.poll(timeout_s=0.1)
                tell()
                _cut_short(turns)
        return [turn.wait() for turn in turns], False
    except KeyboardInterrupt:
        return [turn.finished or turn.interrupt() for turn in turns], True
    except BaseException:
        with suppress(ClientError):
            agent.interrupt()
        raise


def write_speech(agent: Client, source: Source, turns: list[Turn], tell: Callable[[], None]) -> None:
    """Send all speech, appending turns to `turns`, until it ends or one of them is interrupted."""
    most_ms = agent.welcome.limits.max_turn_ms if agent.welcome else _MAX_TURN_MS
    full = False
    try:
        for piece, ends in TurnCutter(source.rate_hz, most_ms).cut(source.chunks):
            if _cut_short(turns):
                return
            if full:
                turns.append(agent.turn())
            turns[-1].write(piece)
            if full := ends:
                turns[-1].end()
            tell()
        turns[-1].end()
    except ClientError as error:
        if error.code != "turn_closed":
            raise


def _cut_short(turns: list[Turn]) -> bool:
    """Whether a turn was cut short. The turns behind it continue the same speech, so they are stopped as well."""
    if all(turn.finished is None or turn.finished.reason == "played" for turn in turns):
        return False
    for turn in turns:
        if not turn.over:
            turn.interrupt()
    return True


def together(turns: list[Finished]) -> Finished:
    """All turns as one: played_ms is the sum; the first turn that was cut short gives the reason."""
    short = next((turn for turn in turns if turn.reason != "played"), turns[-1])
    return Finished(
        turn=turns[0].turn,
        played_ms=sum(turn.played_ms for turn in turns),
        interrupted=any(turn.interrupted for turn in turns),
        reason=short.reason,
        words_heard=sum(turn.words_heard for turn in turns),
        last_word=next((turn.last_word for turn in reversed(turns) if turn.last_word), ""),
    )


def _exit_code(turns: list[Finished], stopped: bool) -> Exit:
    if stopped:
        return Exit.INTERRUPTED
    return Exit.DONE if together(turns).reason == "played" else Exit.FAILED


def _report(turns: list[Finished], as_json: bool) -> None:
    finished = together(turns)
    if as_json:
        click.echo(json.dumps({**msgspec.to_builtins(finished), "turns": len(turns)}))
        return
    how = "" if finished.reason == "played" else f", then {finished.reason.replace('_', ' ')}"
    click.echo(f"{finished.played_ms:.0f} ms heard{how}")
