"""The command `mien livekit`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from mien.cli.voice_options import voice_options
from mien.errors import ConfigError
from mien.host.exits import Exit, exit_codes


@click.command()
@click.option("--url", required=True, envvar="LIVEKIT_URL", help="The LiveKit server, as wss://HOST. [LIVEKIT_URL]")
@click.option("--token", required=True, envvar="LIVEKIT_TOKEN", help="A token for the room. [LIVEKIT_TOKEN]")
@click.option("--agent", default="", help="The identity of the agent to serve [the first agent in the room].")
@click.option("--microphone/--no-microphone", default=True, help="Publish the ear's microphone [yes].")
@click.option("--relay", is_flag=True, help="Hand what a supervisor relays to the agent (RPC mien.relayed).")
@voice_options
def livekit(
    url: str,
    token: str,
    agent: str,
    microphone: bool,
    relay: bool,
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
) -> None:
    """Join a LiveKit room: speak the agent's audio stream, and publish the microphone that mien-ear cleaned.

    The agent sends with LiveKit's DataStreamAudioOutput; docs/integrate/livekit.md shows it in ten lines. It runs until
    the room is closed or Ctrl-C. After a loss of the network it joins again.

    Example: mien livekit --url wss://example.livekit.cloud --token "$(lk token create ...)"

    Exit codes: 0 the room was closed, 1 the room cannot be joined, 2 an argument must be corrected, 130 Ctrl-C.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with exit_codes("mien livekit"):
        try:
            from mien.adapters.livekit_room import Kiosk
        except ImportError as error:
            raise ConfigError(str(error)) from None
        from mien.adapters.segments.link import Address

        address = Address(endpoint, 24000, "livekit-room", key, voice_key, ("relay",) if relay else ())
        kiosk = Kiosk(url, token, address, agent=agent, microphone=microphone)
        try:
            click.echo(asyncio.run(_until_over(kiosk.run())))
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(Exit.INTERRUPTED)


async def _until_over(serving: Coroutine[Any, Any, str]) -> str:
    """Serve; SIGTERM leaves the room as Ctrl-C does."""
    task: asyncio.Task[str] = asyncio.ensure_future(serving)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task
