"""What is checked before anything is changed. Each raises InstallRefused with the remedy."""

from pathlib import Path

from mien import __version__
from mien.config import load_config
from mien.errors import ConfigError, InstallRefused
from mien.install import environment as environments
from mien.install import environment_copy, places
from mien.install.environment import Environment
from mien.install.places import within
from mien.install.receipt import Receipt
from mien.install.system import is_packaged
from mien.install.versions import is_older


def refuse_package(root: Path) -> None:
    if is_packaged(root):
        raise InstallRefused(
            "mien is installed as a Debian package: use apt-get (install, upgrade, remove, purge) instead"
        )
    if within(root, Path("/etc/mien-release")).exists():
        raise InstallRefused("this is mien's own image, which contains the service: `mien-update` upgrades it")


def refuse_conflicts(root: Path, before: Receipt | None, *, must_exist: bool, allow_downgrade: bool) -> None:
    refuse_package(root)
    if before is None:
        if must_exist:
            raise InstallRefused("there is nothing to upgrade: run `mien service install`")
        return
    if must_exist and before.state == "begun":
        raise InstallRefused(
            f"the last change (to {before.version}) was not finished: run `mien service install` to finish it, "
            "or `mien service uninstall`"
        )
    if is_older(__version__, before.version) and not allow_downgrade:
        raise InstallRefused(
            f"{before.version} is installed, and this is {__version__}: a newer version's settings may not suit an "
            "older one; --allow-downgrade does it anyway"
        )


def refuse_bad_settings(root: Path) -> None:
    """An upgrade keeps the settings, so they must be valid for the new version."""
    path = within(root, places.SETTINGS_FILE)
    if not path.exists():
        return
    try:
        load_config(path)
    except ConfigError as error:
        raise InstallRefused(f"the settings do not suit mien {__version__}: {error}; correct them first") from None


def refuse_environment(
    root: Path, environment: Environment, before: Receipt | None, commands: Path, *, copies: bool
) -> None:
    if not copies:
        environments.refuse_hidden(environment)
        environments.check_commands(root, commands)
        return
    if root == Path("/"):
        environments.refuse_hidden(environment)
    environments.refuse_missing_python(root, environment)
    distributions = list(environment_copy.required("mien"))
    environments.refuse_uncopyable(distributions)
    environments.refuse_mute(root, distributions)
    if within(root, places.RUNTIME).exists() and not (before and before.runtime):
        raise InstallRefused(
            f"{places.RUNTIME} exists, and was not made by `mien service install`: use the mien in it, "
            f"`sudo {places.RUNTIME}/bin/mien service install`, or delete it"
        )
