"""What a user reads who has another release of a package than an adapter supports, or none."""

from importlib.metadata import PackageNotFoundError

import pytest
from click.testing import CliRunner

from mien.adapters import supported
from mien.cli.http import http
from mien.cli.realtime import realtime
from mien.errors import ConfigError


def install(monkeypatch, found):
    def version(package):
        if found is None:
            raise PackageNotFoundError(package)
        return found

    monkeypatch.setattr(supported, "version", version)


@pytest.mark.parametrize("found", ["13.1", "9.0.2", "14.0rc1"])
def test_an_old_release_says_which_are_supported(found, monkeypatch):
    install(monkeypatch, found)
    with pytest.raises(ConfigError, match=f"things {found} is too old; things 14.1 or newer"):
        supported.require("things", (14, 1), "extra")


@pytest.mark.parametrize("found", ["14.1", "14.1.0.dev3", "15.0rc2", "17.4"])
def test_a_supported_release_is_accepted(found, monkeypatch):
    install(monkeypatch, found)
    supported.require("things", (14, 1), "extra")


@pytest.mark.parametrize(("command", "arguments"), [(realtime, ["--model", "m"]), (http, [])])
def test_a_command_without_its_package_says_what_to_install(command, arguments, monkeypatch):
    install(monkeypatch, None)
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "is not installed" in result.stderr
    assert "pip install 'mien[" in result.stderr
