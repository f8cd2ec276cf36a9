"""The command line. Commands are imported when they are called: `mien say` needs neither a model nor GL."""

import importlib
import os
from typing import Final

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: its threads cost memory and win nothing here
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import click

from mien import __version__

COMMANDS: Final = {
    "run": "start both services in the foreground",
    "say": "speak a text, a WAV file or raw PCM",
    "watch": "the live state, in the terminal",
    "motion": "the motion of a WAV file as CSV",
    "record": "a WAV file as MP4, with the face",
    "demo": "two services, a voice stack and a face",
    "avatar": "bake or inspect a head of your own",
    "bench": "what this machine reaches",
    "doctor": "what this machine has",
    "check-config": "check a configuration file",
    "keys": "make and list the keys of clients on other machines",
}


class LazyGroup(click.Group):
    """Finds a command in the module of its own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return it; None for a name that is not known."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"mien.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mien")
def main() -> None:
    """mien: a face for voice agents, on the kiosk itself.

    Example: mien run, and in another terminal: mien say "Good morning"
    """
