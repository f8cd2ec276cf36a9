"""What the end of a service tells."""

import pytest

from mien.errors import ConfigError, MienError
from mien.host.exits import EXIT_CONFIG, EXIT_FAILED, exit_codes


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("face.fps: too high"), EXIT_CONFIG), (MienError("no display"), EXIT_FAILED)]
)
def test_our_errors_become_a_line_and_a_code(error: MienError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_, exit_codes("mien-face"):
        raise error
    assert exit_.value.code == code
    assert capsys.readouterr().err == f"mien-face: {error}\n"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), exit_codes("mien-face"):
        raise ZeroDivisionError
