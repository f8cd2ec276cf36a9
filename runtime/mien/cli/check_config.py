"""mien check-config."""

import json
from pathlib import Path

import click
import msgspec

from mien.cli.config_checks import Problem, problems_of
from mien.cli.errors import EXIT_FAILED, EXIT_USAGE
from mien.config import SYSTEM_CONFIG, Config, load_config, parse_overrides
from mien.errors import ConfigError
from mien.printable import printable


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
@click.option("--file-only", is_flag=True, help="Check what stands in the file, not what it names on this machine.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole configuration as it will be used, and the problems."
)
def check_config(path: Path | None, pairs: tuple[str, ...], file_only: bool, as_json: bool) -> None:
    """Check a configuration file and what it names: keys, folders, model, avatar. /etc/mien/mien.toml where no file is
    named.

    Example: mien check-config mien.toml

    Exit codes: 0 good, 1 warnings (the services start and do without something), 2 errors (a service would not start).
    """
    name = printable(str(path or (SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else "the defaults")))
    config: Config | None = None
    try:
        config = load_config(path, parse_overrides(pairs))
    except ConfigError as error:
        problems = [Problem(severity="error", text=str(error))]
        click.echo(str(error), err=True)
    else:
        problems = [] if file_only else problems_of(config)
        for problem in problems:
            click.echo(f"{name}: {problem.severity}: {problem.text}", err=True)
    if as_json:
        click.echo(
            json.dumps(
                {**(msgspec.to_builtins(config) if config else {}), "problems": msgspec.to_builtins(problems)}, indent=2
            )
        )
    elif not problems:
        click.echo(f"{name}: good")
    raise SystemExit(_exit_code(problems))


def _exit_code(problems: list[Problem]) -> int:
    if any(problem.severity == "error" for problem in problems):
        return EXIT_USAGE
    return EXIT_FAILED if problems else 0
