"""The command `mien http`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from mien.adapters.guide import LANGUAGE
from mien.adapters.supported import require
from mien.cli.said_phones import language_of
from mien.cli.serving import serve
from mien.cli.tts import ENGINES, SpeechError, find_engine, synthesize
from mien.cli.voice_options import timeout_option, voice_options
from mien.client import connect_async
from mien.core.wire import RATES_HZ
from mien.host.exits import exit_codes


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address; no other is served.")
@click.option("--port", type=click.IntRange(0, 65535), default=8157, show_default=True, help="0 takes a free one.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="A web page that may use it, such as http://localhost:3000.",
)
@click.option("--engine", type=click.Choice([engine.name for engine in ENGINES]), help="TTS engine [first installed].")
@click.option("--voice", default="", help="A voice of the engine, such as en-us+f3 (espeak-ng) or awb (flite).")
@click.option(
    "--rate",
    "rate_hz",
    type=int,
    default=24000,
    show_default=True,
    help="Rate of the speech sent to mien-voice, in Hz.",
)
@click.option("--relay", is_flag=True, help="Take what a supervisor relays: see /events and /relay_done.")
@voice_options
@timeout_option()
def http(
    host: str,
    port: int,
    origins: tuple[str, ...],
    engine: str | None,
    voice: str,
    rate_hz: int,
    relay: bool,
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
    timeout_s: float,
) -> None:
    """Speak what comes by HTTP on loopback: POST text or a WAV to /say, and read what was heard as events.

    \b
    Examples: mien http
              curl -N -H "Content-Type: text/plain" -d "Good morning" http://127.0.0.1:8157/say
              curl -N -H "Content-Type: audio/wav" --data-binary @hello.wav http://127.0.0.1:8157/say
              curl -X POST http://127.0.0.1:8157/interrupt

    Exit codes: 0 stopped by Ctrl-C or SIGTERM, 2 bad usage, 3 mien-voice is unreachable.
    """
    if rate_hz not in RATES_HZ:
        raise click.UsageError(f"--rate {rate_hz}: it must be one of {', '.join(map(str, RATES_HZ))}")
    with exit_codes("mien http"):
        require("aiohttp", (3, 10), "http")
        from mien.adapters.http import HttpService, serve_http

        def speech(text: str, rate_hz: int) -> Iterable[bytes]:
            with synthesize(text, find_engine(engine or ""), voice) as spoken:
                yield from spoken.chunks(rate_hz)

        language = _language(engine or "", voice)

        async def run() -> None:
            async with connect_async(
                endpoint,
                rate_hz=rate_hz,
                timeout_s=timeout_s,
                name="mien http",
                key=key,
                voice_key=voice_key,
                capabilities=("relay",) if relay else (),
            ) as agent:
                service = HttpService(agent, speech, origins, language)
                await serve_http(service, host, port, lambda url: click.echo(f"mien http: {url}/say", err=True))

        serve(run())


def _language(engine: str, voice: str) -> str:
    """Of the speech, by its voice; without an engine only WAVs are spoken."""
    try:
        return language_of(voice or find_engine(engine).voice)
    except SpeechError:
        return LANGUAGE
