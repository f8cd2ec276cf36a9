"""The README's ten lines, run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from rigs.services import running_voice

README = Path(__file__).parents[2] / "README.md"


def test_the_ten_lines_speak(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    assert len(blocks) == 1
    assert len(blocks[0].splitlines()) <= 10
    with running_voice(tmp_path):
        ran = subprocess.run(
            [sys.executable, "-c", blocks[0]],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
            timeout=60,
        )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout.split(" ms heard")[0]) > 1000


def test_every_command_of_the_readme_exists():
    from mien.cli import COMMANDS

    named = set(re.findall(r"`mien ([a-z-]+)", README.read_text()))
    assert named <= set(COMMANDS)
    assert set(COMMANDS) <= named
