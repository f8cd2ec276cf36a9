"""The command `mien realtime`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mien.adapters.guide import LANGUAGE
from mien.cli.serving import serve
from mien.cli.voice_options import timeout_option, voice_options
from mien.client import connect_async
from mien.errors import ConfigError
from mien.host.exits import exit_codes

if TYPE_CHECKING:
    from mien.adapters.realtime import Heard

KEYS: Final = {
    "openai-realtime": "OPENAI_API_KEY",
    "openai-live": "OPENAI_API_KEY",
    "gemini-live": "GEMINI_API_KEY",
}


@click.command()
@click.option("--model", required=True, help="The service's model, such as gpt-realtime-2.")
@click.option("--url", default="", help="The service's WebSocket, wss:// or, on loopback, ws:// [that of --service].")
@click.option(
    "--service",
    type=click.Choice(list(KEYS)),
    default="openai-realtime",
    show_default=True,
    help="The service's protocol.",
)
@click.option(
    "--key-file", type=click.Path(path_type=Path), help="File with the service's key [OPENAI_API_KEY, GEMINI_API_KEY]."
)
@click.option(
    "--instructions", default="", metavar="TEXT", help="What the model is told about its role; @FILE reads a file."
)
@click.option("--service-voice", default="", metavar="NAME", help="A voice of the service, such as cedar.")
@click.option(
    "--tools",
    "tools_path",
    type=click.Path(path_type=Path),
    help="Python file whose public functions the model may call.",
)
@click.option("--backend", default="", metavar="MODEL", help="For openai-live with --tools: the model that calls them.")
@click.option("--no-ear", is_flag=True, help="Send no sound of the customer.")
@click.option(
    "--language",
    default=LANGUAGE,
    show_default=True,
    help="Of the speech, as in en or pt-BR, for its lips; '': unknown.",
)
@voice_options
@timeout_option()
@click.option("--json", "as_json", is_flag=True, help="Print how each item was heard, one JSON object a line.")
def realtime(
    model: str,
    url: str,
    service: str,
    key_file: Path | None,
    instructions: str,
    service_voice: str,
    tools_path: Path | None,
    backend: str,
    no_ear: bool,
    language: str,
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Let a speech-to-speech service talk through this kiosk: the microphone up, speech and lips down.

    \b
    Examples: mien realtime --model gpt-realtime-2 --instructions "You are the desk of a museum."
              mien realtime --url ws://127.0.0.1:8080/v1/realtime --model local --no-ear

    Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the service refused, 2 bad usage, 3 mien-voice is unreachable.
    """
    with exit_codes("mien realtime"):
        from mien.adapters.realtime import DIALECTS, Bridge, Settings, Tools, load_tools

        if url and not url.startswith(("ws://", "wss://")):
            raise ConfigError(f"--url {url}: it begins with wss:// or, on loopback, ws://")
        tools = Tools() if tools_path is None else load_tools(tools_path)
        settings = Settings(
            model=model,
            url=url,
            key=_service_key(key_file, KEYS[service]),
            instructions=_text(instructions),
            voice=service_voice,
            tools=tools.schemas(),
            backend=backend,
        )
        rate_hz = DIALECTS[service].output_rate_hz
        connecting = connect_async(
            endpoint,
            rate_hz=rate_hz,
            timeout_s=timeout_s,
            name="mien realtime",
            key=key,
            voice_key=voice_key,
            capabilities=("relay",) if DIALECTS[service].relays else (),
        )

        async def talk() -> None:
            async with connecting as agent:
                on_heard = _print if as_json else _ignore
                bridge = Bridge(
                    agent,
                    DIALECTS[service](),
                    settings,
                    tools=tools,
                    on_heard=on_heard,
                    say=_say,
                    listen=not no_ear,
                    language=language or None,
                )
                await bridge.run()

        serve(talk())


def _service_key(path: Path | None, variable: str) -> str:
    if path is None:
        return os.environ.get(variable, "")
    return _read(path, "--key-file").strip()


def _text(text: str) -> str:
    return _read(Path(text[1:]), "--instructions") if text.startswith("@") else text


def _read(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option} {path} cannot be read: {error}") from None


def _print(heard: Heard) -> None:
    click.echo(json.dumps(asdict(heard)))


def _ignore(heard: Heard) -> None:
    """The voice logs what was heard."""


def _say(line: str) -> None:
    click.echo(f"mien realtime: {line}", err=True)
