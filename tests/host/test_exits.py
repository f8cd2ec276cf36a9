"""What the end of a service tells."""

import pytest

from mien.errors import ClientError, ConfigError, EarError, MienError
from mien.host.exits import Exit, exit_codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("face.fps: too high"), Exit.CONFIG),
        (EarError("echo cancellation needs pywebrtc-audio"), Exit.CONFIG),
        (MienError("no display"), Exit.FAILED),
        (ClientError("nothing answers"), Exit.UNREACHABLE),
        (ClientError("an agent speaks", code="floor_taken"), Exit.FAILED),
    ],
)
def test_our_errors_become_a_line_and_a_code(error: MienError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_, exit_codes("mien-face"):
        raise error
    assert exit_.value.code == code
    assert capsys.readouterr().err == f"mien-face: {error}\n"


def test_an_error_that_a_command_expects_becomes_a_line_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_, exit_codes("mien motion", OSError):
        raise OSError("no space left")
    assert exit_.value.code == Exit.FAILED
    assert capsys.readouterr().err == "mien motion: no space left\n"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), exit_codes("mien-face"):
        raise ZeroDivisionError


def test_the_codes_are_those_that_units_and_scripts_count_on() -> None:
    """systemd's RestartPreventExitStatus, `mien run` and shells."""
    codes = {code.name: code.value for code in Exit}
    assert codes == {"DONE": 0, "FAILED": 1, "CONFIG": 2, "UNREACHABLE": 3, "INTERRUPTED": 130}
