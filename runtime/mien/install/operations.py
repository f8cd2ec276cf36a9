"""The operations on the service: install, upgrade, remove."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mien import __version__
from mien.config import load_config
from mien.install import environment as environments
from mien.install import environment_copy, places, refusals, tree
from mien.install.environment import Environment
from mien.install.places import within
from mien.install.receipt import Receipt, read_receipt, write_receipt
from mien.install.system import System
from mien.motion.interpreter import installed_interpreter, interpreter_remedy

Tell = Callable[[str], None]


@dataclass
class Outcome:
    """What was done. version_before: "" if nothing was installed. changed: files that are new or different."""

    version: str
    version_before: str = ""
    commands: str = ""
    runtime: str = ""
    changed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def install(
    root: Path,
    environment: Environment,
    *,
    start: bool = True,
    allow_downgrade: bool = False,
    must_exist: bool = False,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Install, repair or upgrade. must_exist: refuse if nothing is installed. start: (re)start the services.

    Raises InstallRefused before anything was changed, InstallError or OSError after that; then a second call continues.
    """
    system = System(root)
    system.refuse_unfit()
    before = read_receipt(root)
    refusals.refuse_conflicts(root, before, must_exist=must_exist, allow_downgrade=allow_downgrade)
    refusals.refuse_bad_settings(root)
    copies = root != Path("/") or not environment.is_shared
    commands = places.RUNTIME / "bin" if copies else environment.commands
    refusals.refuse_environment(root, environment, before, commands, copies=copies)

    outcome = Outcome(__version__, before.version if before else "", str(commands))
    files = tree.stage(commands)
    files |= tree.command_link(root, commands)
    receipt = _begin(root, before, files, commands, copies=copies)
    if copies:
        tell("copying the Python environment to /opt/mien")
        outcome.runtime = receipt.runtime
        fresh = environment_copy.copy_environment(root, environment)
        environment_copy.swap_in(root, fresh)
        environments.check_commands(root, commands)
    tell("putting files in place")
    outcome.changed = [str(path) for path, entry in files.items() if tree.write(root, path, entry)]
    outcome.removed = _remove_superseded(root, before, files)
    _keep_or_create_settings(root, outcome)
    tell("creating users and folders")
    system.create_accounts()
    system.enable(*_wanted_options(root))
    receipt.state = "complete"
    write_receipt(root, receipt)
    if start and system.is_live:
        tell("starting the services")
        system.restart()
    outcome.notes = _missing_abilities(root, commands, copies=copies)
    return outcome


def uninstall(root: Path, *, purge: bool = False, tell: Tell = lambda _: None) -> Outcome:
    """Remove what was installed. Settings, logs and accounts are kept unless `purge`.

    Raises InstallRefused before anything was changed, InstallError or OSError after that; then a second call continues.
    """
    system = System(root)
    system.refuse_unfit()
    refusals.refuse_package(root)
    receipt = read_receipt(root)
    outcome = Outcome(receipt.version if receipt else "", receipt.version if receipt else "")
    services = places.service_names()
    users = places.accounts()
    if receipt is not None:
        tell("stopping the services")
        receipt.state = "begun"
        write_receipt(root, receipt)
        system.stop(services)
        tell("removing files")
        outcome.removed = list(receipt.files)
        tree.remove_files(root, [Path(path) for path in receipt.files])
        if receipt.runtime:
            environment_copy.remove_environment(root, Path(receipt.runtime))
        within(root, places.RECEIPT).unlink()
        tree.remove_folders(root, [Path(path) for path in receipt.folders])
        system.forget(services)
    if purge:
        _purge(system, services, users, outcome)
    elif within(root, places.SETTINGS).exists():
        outcome.kept.append(str(places.SETTINGS))
    return outcome


def _missing_abilities(root: Path, commands: Path, *, copies: bool) -> list[str]:
    """What the services will lack, each with its remedy."""
    notes = []
    if installed_interpreter() == "none":
        notes.append(f"no motion model can run here, so the jaw will only follow the loudness: {interpreter_remedy()}")
    if not environments.draws_on_a_console(root, commands):
        first = "" if copies else f"{commands}/pip uninstall -y pygame, "
        notes.append(
            "the face cannot draw on a screen without a desktop: PyPI's pygame lacks KMSDRM. "
            f"{first}apt-get install python3-pygame, then run `mien service install` again"
        )
    if not environments.plays_sound(root, commands):
        notes.append(
            "there will be no sound: pyalsaaudio is missing. Install mien with its extra `board`, which compiles it, "
            "then run `mien service install` again"
        )
    return notes


def _begin(
    root: Path, before: Receipt | None, files: dict[Path, tree.Entry], commands: Path, *, copies: bool
) -> Receipt:
    """Note what will be there before any of it is: then a broken-off installation can be finished or removed."""
    runtime = str(places.RUNTIME) if copies else ""
    if before and before.runtime and not copies:
        environment_copy.remove_environment(root, Path(before.runtime))
    wanted = [*files, places.RECEIPT, places.SETTINGS_FILE, *([places.RUNTIME] if copies else [])]
    created = [str(path) for path in tree.make_folders(root, wanted)]
    receipt = Receipt(
        version=__version__,
        commands=str(commands),
        runtime=runtime,
        files={**(before.files if before else {}), **{str(path): entry.digest for path, entry in files.items()}},
        folders=[*(before.folders if before else []), *created],
    )
    write_receipt(root, receipt)
    receipt.files = {str(path): entry.digest for path, entry in files.items()}
    return receipt


def _remove_superseded(root: Path, before: Receipt | None, files: dict[Path, tree.Entry]) -> list[str]:
    """Delete what an older version had installed and this one has not, and what install.sh had put below /usr."""
    gone = [Path(path) for path in (before.files if before else {}) if Path(path) not in files]
    by_hand = [path for path in tree.stage(Path("/usr/bin"), places.PACKAGED_PREFIX) if within(root, path).exists()]
    tree.remove_files(root, [*gone, *by_hand])
    leftover = within(root, places.PACKAGED_PREFIX / "lib/mien")
    if by_hand and leftover.is_dir() and not any(leftover.iterdir()):
        leftover.rmdir()
    return [str(path) for path in (*gone, *by_hand)]


def _keep_or_create_settings(root: Path, outcome: Outcome) -> None:
    path = within(root, places.SETTINGS_FILE)
    if path.exists():
        outcome.kept.append(str(places.SETTINGS_FILE))
    else:
        shutil.copyfile(within(root, places.DEFAULTS), path)
        path.chmod(0o644)
        outcome.changed.append(str(places.SETTINGS_FILE))


def _wanted_options(root: Path) -> tuple[str, ...]:
    """The optional services that the settings ask for."""
    ear = load_config(within(root, places.SETTINGS_FILE)).ear.enabled
    link = within(root, places.LINK_FILE).exists()
    return (*(("mien-ear",) if ear else ()), *(("mien-link",) if link else ()))


def _purge(system: System, services: list[str], users: list[str], outcome: Outcome) -> None:
    """Remove settings, logs and accounts. Reads nothing of the package: the command may run from the removed copy."""
    root = system.root
    units = (places.TARGET, *(f"{name}.service" for name in services))
    drop_ins = [f"/etc/systemd/system/{unit}.d" for unit in units]
    folders = [places.SETTINGS, places.LOGS, *map(Path, drop_ins)]
    folders += [Path("/run/mien"), places.LINK_STATE]
    for folder in folders:
        if within(root, folder).exists():
            shutil.rmtree(within(root, folder))
            outcome.removed.append(str(folder))
    system.delete_accounts(users, places.GROUPS)
