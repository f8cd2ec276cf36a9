"""examples/pipecat_bot.py, run as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

from rigs.services import running_voice

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "pipecat_bot.py"


def test_the_example_speaks_and_says_what_was_heard(tmp_path):
    with running_voice(tmp_path):
        made = subprocess.run(
            [sys.executable, str(EXAMPLE), "Hello there"],
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
    assert made.returncode == 0, made.stderr
    (line,) = made.stdout.splitlines()
    assert line.startswith("played: ")
    assert int(line.split()[1]) > 300
