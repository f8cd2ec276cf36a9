"""Examines an installation."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from mien import __version__
from mien.errors import InstallError, InstallRefused
from mien.install import environment as environments
from mien.install import places, refusals, tree
from mien.install.places import within
from mien.install.receipt import Receipt, read_receipt
from mien.install.system import System, is_packaged


@dataclass
class Status:
    """What `mien service status` reports. state: how far the installation is. problems: each with its remedy."""

    state: str
    version: str = ""
    program_version: str = __version__
    python: str = sys.version.split()[0]
    commands: str = ""
    runtime: str = ""
    settings: str = ""
    enabled: bool = False
    services: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def status(root: Path) -> Status:
    """Examine the installation. Raises InstallError if the receipt cannot be read."""
    system = System(root)
    receipt = read_receipt(root)
    packaged = is_packaged(root)
    found = Status("package" if packaged else receipt.state if receipt else "absent")
    if within(root, places.SETTINGS_FILE).exists():
        found.settings = str(places.SETTINGS_FILE)
    if receipt is None and not packaged:
        found.problems.append("mien is not installed as a service: run `sudo mien service install`")
        return found
    found.enabled = system.is_enabled()
    if not found.enabled:
        found.problems.append(f"the services do not start at boot: `sudo systemctl enable {places.TARGET}`")
    if system.is_live:
        wanted = [name for name in places.service_names() if name not in places.OPTIONAL or system.is_enabled(name)]
        found.services = {name: system.activity(name) for name in wanted}
        found.problems += [
            f"{name} is {state}: `journalctl -u {name} -n 20` says why, "
            f"`sudo systemctl restart {places.TARGET}` starts it"
            for name, state in found.services.items()
            if state != "active"
        ]
    if receipt is not None and not packaged:
        _examine(root, receipt, found)
    try:
        refusals.refuse_bad_settings(root)
    except InstallRefused as error:
        found.problems.append(str(error))
    return found


def _examine(root: Path, receipt: Receipt, found: Status) -> None:
    found.version, found.commands, found.runtime = receipt.version, receipt.commands, receipt.runtime
    if receipt.state == "begun":
        found.problems.append(
            "the last installation or removal was not finished: `sudo mien service install` finishes it, "
            "`sudo mien service uninstall` removes it"
        )
    wrong = [path for path, digest in receipt.files.items() if tree.digest_of(within(root, Path(path))) != digest]
    if wrong:
        found.problems.append(
            f"{', '.join(wrong)}: missing or changed; `sudo mien service install` puts the original back "
            "(changes of your own belong in `systemctl edit`)"
        )
    try:
        environments.check_commands(root, Path(receipt.commands))
    except InstallError as error:
        found.problems.append(str(error))
    if receipt.version != __version__:
        found.problems.append(
            f"the service is {receipt.version}, this program is {__version__}: `sudo mien service upgrade`"
        )
