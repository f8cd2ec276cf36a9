"""The command `mien livekit` with the real package, and no server."""

from click.testing import CliRunner

from mien.cli import main
from mien.host.exits import Exit


def test_a_server_that_is_not_there_is_one_clear_error(tmp_path):
    arguments = ["--url", "ws://127.0.0.1:9", "--token", "nonsense", "--endpoint", f"ipc://{tmp_path}/none.sock"]
    result = CliRunner().invoke(main, ["livekit", *arguments])
    assert result.exit_code == Exit.FAILED
    assert "mien livekit: the room at ws://127.0.0.1:9 cannot be joined" in result.output
    assert "check --url, and that --token is valid now" in result.output


def test_url_and_token_may_come_from_the_environment():
    result = CliRunner().invoke(main, ["livekit"], env={"LIVEKIT_URL": "", "LIVEKIT_TOKEN": ""})
    assert result.exit_code == Exit.CONFIG
    assert "LIVEKIT_URL" in CliRunner().invoke(main, ["livekit", "--help"]).output
