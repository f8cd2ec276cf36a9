"""What `mien check-config` looks at beyond the file: what it names, as the services would find it on this machine."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from mien.config import Config
from mien.errors import ConfigError, MienError
from mien.host.rundir import cannot_write_in, examine_run_dir, resolve_run_dir
from mien.transport import VOICE_SOCKET
from mien.transport.access import is_local, plan_access
from mien.transport.keys import KeyFolder

Severity = Literal["error", "warning"]


class Problem(Struct, frozen=True, kw_only=True):
    """severity: error, a service would not start; warning, it would do without. text: the key, what, and the remedy."""

    severity: Severity
    text: str


def problems_of(config: Config) -> list[Problem]:
    """All of them, the errors first."""
    found = [problem for check in CHECKS for problem in check(config)]
    return sorted(found, key=lambda problem: problem.severity)


def check_run_dir(config: Config) -> Iterator[Problem]:
    """The folder of the sockets."""
    try:
        examine_run_dir(resolve_run_dir(config.run_dir))
    except ConfigError as error:
        yield _error(str(error))


def check_listen(config: Config) -> Iterator[Problem]:
    """The endpoints: each once, in a folder that is there, and with keys where others can reach it."""
    listen = config.voice.listen
    local = f"ipc://{resolve_run_dir(config.run_dir) / VOICE_SOCKET}"
    for endpoint, count in Counter((*listen, local)).items():
        if count > 1 and not endpoint.endswith("*"):
            yield _error(
                f"voice.listen: {endpoint} can be opened once only; remove it where it stands again"
                if endpoint != local
                else f"voice.listen: {local} is open always; remove it here"
            )
    for endpoint in listen:
        folder = Path(endpoint.removeprefix("ipc://")).parent
        if endpoint.startswith("ipc://") and (problem := _no_folder(folder)):
            yield _error(f"voice.listen: {endpoint}: {problem}")
    yield from _check_keys(listen, KeyFolder(Path(config.access.keys)))


def check_sink(config: Config) -> Iterator[Problem]:
    """The file of the sink that writes one. Whether there is a sound card is `mien doctor`'s to say."""
    if config.playback.sink == "wav" and (problem := _no_folder(Path(config.playback.wav_path).absolute().parent)):
        yield _warning(f"playback.wav_path: {config.playback.wav_path}: {problem}; the voice would be silent")


def check_journal(config: Config) -> Iterator[Problem]:
    """The folder of the session log."""
    from mien.voice.journal_writer import journal_folder

    if config.journal.enabled:
        folder = journal_folder(config.journal, resolve_run_dir(config.run_dir))
        if problem := cannot_write_in(folder.absolute()):
            yield _error(
                f"journal.folder: {folder}: cannot be written ({problem}); name another, or set journal.enabled = false"
            )


def check_face(config: Config) -> Iterator[Problem]:
    """A model and an avatar that are named, loaded for real."""
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
    """What sets text over the picture."""
    from mien.text.typesetter import missing_scripts

    if not (config.captions.enabled or config.face.status_line):
        return
    try:
        missing_scripts()
    except MienError as error:
        key = "captions.enabled" if config.captions.enabled else "face.status_line"
        yield _warning(f"{key}: {error}; apt-get install libpangocairo-1.0-0, or nothing would be written")


CHECKS: tuple[Callable[[Config], Iterator[Problem]], ...] = (
    check_run_dir,
    check_listen,
    check_sink,
    check_journal,
    check_face,
    check_captions,
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
    """Why no file can be made in a folder that has to be there; "" where one can."""
    if not folder.is_dir():
        return f"the folder {folder} is not there; make it"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"this user may not write in {folder}; let it, or name another"
    return ""


def _error(text: str) -> Problem:
    return Problem(severity="error", text=text)


def _warning(text: str) -> Problem:
    return Problem(severity="warning", text=text)
