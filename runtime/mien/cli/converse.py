"""The command `mien converse`."""

import asyncio
import contextlib
import logging
import signal
import time
from pathlib import Path

import click

from mien.cli.converse_lines import line, print_latencies
from mien.cli.converse_report import report
from mien.cli.terminal import data_console, teller
from mien.cli.voice_options import voice_options
from mien.client import connect_async
from mien.config import Config, load_config, parse_overrides
from mien.converse import orders
from mien.converse.latency import Latencies
from mien.converse.start import CAPABILITIES, RATE_HZ, engines, knowledge, make_agent, prepare
from mien.host.clock import MonotonicClock
from mien.host.exits import Exit, exit_codes
from mien.host.notify import ServiceNotifier
from mien.host.rundir import resolve_run_dir
from mien.transport import voice_endpoint

CONFIG = click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
SET = click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as converse.speak=flite."
)


class _Group(click.Group):
    """Imports `demo` when it is used: it needs the benchmark's rooms, which a kiosk does not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return [*super().list_commands(ctx), "demo"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name; None for an unknown one."""
        if cmd_name == "demo":
            from mien.cli.converse_demo import demo

            return demo
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Group, invoke_without_command=True)
@CONFIG
@SET
@voice_options
@click.option("--json", "as_json", is_flag=True, help="Print what is said and done as JSON lines.")
@click.pass_context
def converse(
    context: click.Context,
    config: Path | None,
    pairs: tuple[str, ...],
    endpoint: str | None,
    key: Path | None,
    voice_key: Path | None,
    as_json: bool,
) -> None:
    """Answer customers by voice: hear them through mien-ear, find the answer, speak it with the face. Ctrl-C ends.

    It needs a running voice and ear (`mien run --ear`), the extra mien[converse], and works without a network.

    \b
    Examples: mien converse
              mien converse --set converse.knowledge=shop.md --set converse.speak=espeak-ng

    Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 an engine cannot work, 2 the configuration or the knowledge file must be
    corrected, 3 no voice answers.
    """
    if context.invoked_subcommand is not None:
        return
    with exit_codes("mien converse"):
        loaded = load_config(config, parse_overrides(pairs))
        logging.basicConfig(level=loaded.log.level.upper(), format="mien converse: %(message)s")
        where = endpoint or voice_endpoint(resolve_run_dir(loaded.run_dir))
        latencies = asyncio.run(_converse(loaded, where, key, voice_key, as_json))
    if not as_json:
        print_latencies(latencies)
    raise SystemExit(Exit.DONE)


@converse.command("prepare")
@CONFIG
@SET
def prepare_command(config: Path | None, pairs: tuple[str, ...]) -> None:
    """Synthesise every fixed answer into the cache, and read the knowledge file, so that neither takes time later.

    Example: mien converse prepare
    """
    console = data_console(stderr=True)
    with exit_codes("mien converse"), console.status("starting") as status:
        loaded = load_config(config, parse_overrides(pairs)).converse
        made, kept = asyncio.run(prepare(loaded, teller(status)))
    click.echo(f"{made} sentences made, {kept} were there")


@converse.command()
@CONFIG
@SET
def check(config: Path | None, pairs: tuple[str, ...]) -> None:
    """Check the knowledge file: every mistake with its path and line.

    Example: mien converse check --set converse.knowledge=shop.md

    Exit codes: 0 no mistake, 2 mistakes.
    """
    with exit_codes("mien converse"):
        found = knowledge(load_config(config, parse_overrides(pairs)).converse)
    wordings = sum(len(entry.questions) for entry in found.entries)
    actions = sum(len(entry.actions) for entry in found.entries)
    click.echo(
        f"{found.title or 'untitled'}: {len(found.entries)} answers, {wordings} questions, {len(found.synonyms)} "
        f"synonyms, {actions} actions"
    )


converse.add_command(report)


async def _converse(
    config: Config, endpoint: str, key: Path | None, voice_key: Path | None, as_json: bool
) -> Latencies:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    began_s = time.monotonic()

    def told(order: orders.Note | orders.Perform) -> None:
        click.echo(line(order, time.monotonic() - began_s, as_json=as_json))

    client = connect_async(
        endpoint, rate_hz=RATE_HZ, name="mien converse", key=key, voice_key=voice_key, capabilities=CAPABILITIES
    )
    service = ServiceNotifier(MonotonicClock())

    def tell(text: str) -> None:
        logging.getLogger("mien.converse").warning("%s", text)
        service.status(text)
        if as_json:
            told(orders.Note("note", text))

    async with client as voice, engines(config.converse, tell) as loaded:
        agent = make_agent(voice, config.converse, loaded, told, config)
        told(orders.Note("note", "ready"))
        running = asyncio.ensure_future(agent.run())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if running.done():
            running.result()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return agent.latencies
