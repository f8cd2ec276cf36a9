"""The command line. Each command is imported on demand: `mien say` needs neither a model nor GL."""

import importlib
import os
from typing import Final

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: its threads cost memory and gain no speed here
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import click

from mien import __version__

COMMANDS: Final = {
    "run": "start the services in the foreground",
    "say": "speak a text, a WAV file or raw PCM",
    "livekit": "join a LiveKit room and speak what an agent there sends",
    "realtime": "let a speech-to-speech service talk through this kiosk",
    "http": "speak text or WAV files that come by HTTP on loopback",
    "watch": "show the live state in the terminal",
    "motion": "write the facial motion of a WAV file as CSV",
    "converse": "answer customers by voice, without a network",
    "ear": "meter, record or calibrate the microphone",
    "record": "render a WAV file as MP4, with the face",
    "demo": "run both services with a sample voice stack",
    "avatar": "bake, inspect, preview or tune a head of your own",
    "bench": "measure this machine's performance",
    "doctor": "check this machine's devices and software",
    "check-config": "check a configuration file",
    "wyoming": "serve Home Assistant: satellite, speaker, microphone",
    "link": "report to a broker, obey commands from it",
    "fleet": "boards on a broker: enrol, renew, revoke, see how they are",
    "console": "serve the supervisor's page: all kiosks of a broker",
    "service": "install mien as a service of this machine, and remove it",
    "update": "show what an update from the fleet's server has reached",
    "keys": "make, list and remove the keys of clients on other machines",
}


class LazyGroup(click.Group):
    """Loads each command from the module of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        try:
            module = importlib.import_module(f"mien.cli.{name}")
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith("mien.avatar."):
                raise
            raise click.ClickException(
                f"a board's image leaves the avatar tools out; run `mien {cmd_name}` on a desktop machine"
            ) from None
        command = getattr(module, name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for --help without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mien")
def main() -> None:
    """mien: a talking avatar for voice agents, rendered on the kiosk itself.

    Example: mien run, and in another terminal: mien say "Good morning"
    """
