"""Fake commands, implemented as shell scripts."""

import os
from pathlib import Path


def act(folder: Path, **commands: str) -> dict[str, str]:
    """An environment whose PATH begins with `folder`, which holds these commands. commands: name -> shell script."""
    for name, script in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
