"""examples/livekit_avatar.py, run as it stands there against a real voice."""

import os
import subprocess
import sys
from pathlib import Path

from rigs.services import running_voice

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "livekit_avatar.py"


def test_the_example_is_heard(tmp_path):
    with running_voice(tmp_path):
        result = subprocess.run(
            [sys.executable, EXAMPLE],
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=110,  # importing LiveKit takes its time on a busy machine
            check=False,
        )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "heard"
