"""The command `mien livekit` where its framework is not installed."""

from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from mien.cli import main
from mien.host.exits import Exit


@pytest.mark.skipif(find_spec("livekit") is not None, reason="livekit is installed here")
def test_without_the_package_it_says_what_to_install():
    result = CliRunner().invoke(main, ["livekit", "--url", "ws://x", "--token", "t"])
    assert result.exit_code == Exit.CONFIG
    assert "pip install 'mien[livekit-room]'" in result.output
