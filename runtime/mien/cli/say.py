"""mien say."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, cast

import click
import msgspec

from mien.cli.errors import EXIT_INTERRUPTED, exit_codes
from mien.cli.options import FiniteRange
from mien.cli.progress import heard_bar
from mien.cli.tts import ENGINES, find_engine, synthesize
from mien.client import Client, Finished, Turn, connect
from mien.client.wav import WavReader, wav_chunks
from mien.core.wire import RATES_HZ
from mien.errors import ClientError

_READ_BYTES = 4096
_CAPTION_CHARACTERS = 4000


class Source(NamedTuple):
    """Speech to be spoken: s16le chunks at rate_hz. what: its name, for the progress bar. text: for the caption."""

    what: str
    rate_hz: int
    chunks: Iterable[bytes]
    text: str = ""


@click.command()
@click.argument("text", required=False)
@click.option("--file", "-f", "path", type=click.Path(path_type=Path), help="Speak a WAV file instead of a text.")
@click.option("--engine", type=click.Choice([engine.name for engine in ENGINES]), help="TTS engine [first installed].")
@click.option("--voice", default="", help="The engine's name of a voice, such as en-us+f3 (espeak-ng) or awb (flite).")
@click.option("--rate", "rate_hz", type=int, default=16000, show_default=True,
              help="Of raw PCM on stdin (TEXT is -), in Hz.")
@click.option("--endpoint", help="Where mien-voice listens, such as tcp://HOST:5570 [this machine's].")
@click.option("--key", type=click.Path(path_type=Path), help="For a voice elsewhere: NAME.key_secret of `mien keys`.")
@click.option("--voice-key", type=click.Path(path_type=Path), help="And voice.key, which came with it.")
@click.option("--timeout", "timeout_s", type=FiniteRange(0.1, 600), default=5.0, show_default=True, metavar="S",
              help="How long to wait for mien-voice.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def say(text: str | None, path: Path | None, engine: str | None, voice: str, rate_hz: int, endpoint: str | None,
        key: Path | None, voice_key: Path | None, timeout_s: float, as_json: bool) -> None:
    """Speak TEXT, a WAV file, or raw PCM (mono s16le) from stdin. Returns when it has been heard.

    Ctrl-C stops the speech and tells how much was heard.

    \b
    Examples: mien say "Good morning"
              mien say --file hello.wav --endpoint tcp://kiosk.local:5570
              my-tts "Good morning" | mien say - --rate 24000

    Exit codes: 0 heard, 1 failed or cut short, 2 bad usage, 3 mien-voice is out of reach, 130 stopped by Ctrl-C.
    """
    if (text is None) == (path is None):
        raise click.UsageError("give either a TEXT, or - for PCM on stdin, or --file WAV")
    if rate_hz not in RATES_HZ:
        raise click.UsageError(f"--rate {rate_hz}: it must be one of {', '.join(map(str, RATES_HZ))}")
    with exit_codes("mien say"), ExitStack() as stack:
        if path is not None:
            source = _from_file(path)
        elif text == "-":
            stdin = cast("BufferedReader", sys.stdin.buffer)
            source = Source("stdin", rate_hz, iter(lambda: stdin.read1(_READ_BYTES), b""))
        else:
            source = stack.enter_context(_from_text(text or "", engine or "", voice))
        agent = stack.enter_context(connect(endpoint, rate_hz=source.rate_hz, timeout_s=timeout_s, name="mien say",
                                            key=key, voice_key=voice_key))
        finished, stopped = _speak(agent, source, quiet=as_json)
    _report(finished, as_json)
    sys.exit(EXIT_INTERRUPTED if stopped else finished.reason != "played")


@contextmanager
def _from_text(text: str, engine: str, voice: str) -> Iterator[Source]:
    with synthesize(text, find_engine(engine), voice) as speech:
        rate_hz = _spoken_rate(speech.rate_hz)
        yield Source(" ".join(text.split()), rate_hz, speech.chunks(rate_hz), text)


def _from_file(path: Path) -> Source:
    """A WAV of any PCM format; what is converted is told."""
    wav = WavReader(path)
    fmt, rate_hz = wav.format, _spoken_rate(wav.format.rate_hz)
    if fmt.channels > 1:
        click.echo(f"mien say: {path} has {fmt.channels} channels; mixed down to one", err=True)
    if fmt.bits != 16 or fmt.floating:
        click.echo(f"mien say: {path} has {fmt.bits}-bit samples; converted to 16 bit", err=True)
    if rate_hz != fmt.rate_hz:
        click.echo(f"mien say: {path} has {fmt.rate_hz} Hz; resampled to {rate_hz} Hz", err=True)
    return Source(path.name, rate_hz, wav_chunks(wav, rate_hz))


def _spoken_rate(rate_hz: int) -> int:
    """The rate itself where the protocol has it, else the next higher one."""
    return min((rate for rate in RATES_HZ if rate >= rate_hz), default=RATES_HZ[-1])


def _speak(agent: Client, source: Source, *, quiet: bool) -> tuple[Finished, bool]:
    """Speak it as one turn. Returns how it finished, and whether Ctrl-C did it."""
    turn = agent.turn()
    try:
        with turn, heard_bar(source.what, shown=not quiet) as update:
            if source.text:
                turn.caption(source.text[:_CAPTION_CHARACTERS])
            _write(turn, source.chunks, update)
            turn.end()
            while not turn.over:
                agent.poll(timeout_s=0.1)
                update(turn.played_ms, turn.sent_ms)
        return turn.wait(), False
    except KeyboardInterrupt:
        return turn.interrupt(), True


def _write(turn: Turn, chunks: Iterable[bytes], update: Callable[[float, float], None]) -> None:
    """Send all of it, or until somebody interrupts the turn."""
    try:
        for chunk in chunks:
            turn.write(chunk)
            update(turn.played_ms, turn.sent_ms)
    except ClientError as error:
        if error.code != "turn_closed":
            raise


def _report(finished: Finished, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(finished)))
        return
    how = "" if finished.reason == "played" else f", then {finished.reason.replace('_', ' ')}"
    click.echo(f"{finished.played_ms:.0f} ms heard{how}")
