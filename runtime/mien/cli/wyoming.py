"""The command `mien wyoming`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mien.adapters.guide import LANGUAGE
from mien.cli.voice_options import voice_options
from mien.core.wire import RATES_HZ
from mien.errors import MienError
from mien.host.exits import exit_codes

if TYPE_CHECKING:
    from mien.adapters.wyoming import Options

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 is every one.")
@click.option("--satellite-port", default=10700, show_default=True, type=_PORT, help="0 leaves a service out.")
@click.option("--snd-port", default=10601, show_default=True, type=_PORT)
@click.option("--mic-port", default=10600, show_default=True, type=_PORT)
@click.option("--tts-port", default=10602, show_default=True, type=_PORT)
@click.option("--tts-uri", default="", help="A TTS to put a proxy in front of, such as tcp://127.0.0.1:10200.")
@click.option("--name", default="mien", show_default=True, help="Of the satellite.")
@click.option("--rate", "rate_hz", default=22050, show_default=True, help="What clients are asked to send, in Hz.")
@click.option("--zeroconf", "discoverable", is_flag=True, help="Let Home Assistant find the satellite by mDNS.")
@click.option(
    "--language",
    default=LANGUAGE,
    show_default=True,
    help="Of the speech, as in en or pt-BR, for its lips; '': unknown.",
)
@voice_options
def wyoming(
    host: str,
    satellite_port: int,
    snd_port: int,
    mic_port: int,
    tts_port: int,
    tts_uri: str,
    name: str,
    rate_hz: int,
    discoverable: bool,
    language: str,
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
) -> None:
    """Serve Home Assistant: a satellite, its halves snd and mic, and a proxy for a TTS. Until Ctrl-C.

    Wyoming has no authentication: whoever reaches a port can speak and, with mien-ear, listen. Only this machine can
    by default.

    \b
    Examples: mien wyoming
              mien wyoming --host 0.0.0.0 --zeroconf --name kiosk
              mien wyoming --tts-uri tcp://127.0.0.1:10200

    Exit codes: 0 stopped, 1 failed, 2 bad usage, 3 mien-voice refuses.
    """
    if rate_hz not in RATES_HZ:
        raise click.UsageError(f"--rate {rate_hz}: it must be one of {', '.join(map(str, RATES_HZ))}")
    if tts_uri and not tts_uri.startswith(("tcp://", "unix://")):
        raise click.UsageError(f"--tts-uri {tts_uri}: it must be tcp://HOST:PORT or unix:///PATH")
    logging.basicConfig(level=logging.INFO, format="mien wyoming: %(message)s")
    with exit_codes("mien wyoming"):
        try:
            from mien.adapters.wyoming import Options
            from mien.adapters.wyoming.serve import is_loopback
        except ImportError as error:
            raise MienError(str(error)) from None
        options = Options(
            host=host,
            satellite_port=satellite_port,
            snd_port=snd_port,
            mic_port=mic_port,
            tts_port=tts_port,
            tts_uri=tts_uri,
            name=name,
            rate_hz=rate_hz,
            discoverable=discoverable,
            language=language or None,
            endpoint=endpoint,
            key=key,
            voice_key=voice_key,
        )
        if not is_loopback(host):
            click.echo(
                f"mien wyoming: anybody who reaches {host} can speak here, and listen through mien-ear: Wyoming has no "
                "authentication; let a firewall admit Home Assistant alone",
                err=True,
            )
        elif discoverable:
            raise click.UsageError("--zeroconf announces an address that others can reach: give --host too")
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(options))


async def _serve(options: Options) -> None:
    from mien.adapters.wyoming import Service

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with Service(options) as service:
            for name, where in service.served.items():
                click.echo(f"{name}: {where}")
            await stopped.wait()
    except OSError as error:
        raise MienError(
            f"a port cannot be opened: {error.strerror or error}; is mien wyoming running already?"
        ) from None
