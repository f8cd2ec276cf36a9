"""Commands that are played by shell scripts."""

import os
from pathlib import Path


def act(folder: Path, **commands: str) -> dict[str, str]:
    """An environment in which these commands are found in `folder` first. commands: name -> the script's lines."""
    for name, script in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
