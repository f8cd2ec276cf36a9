"""Opens the display as the face would, in a process of its own, which gives it back.

python -m mien.bench.board.display KEY=VALUE... prints a `Display` as JSON.
"""

import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from mien.config import load_config, parse_overrides
from mien.errors import MienError
from mien.host.clock import MonotonicClock
from mien.host.exits import exit_codes
from mien.host.parent import end_with_parent
from mien.host.stack import service_environment

OPENING_S: Final = 300.0
LAST_LINE: Final = -1


class Display(Struct, frozen=True, kw_only=True):
    """What was opened. device: the GL renderer string. vsync: whether showing a frame waits for the screen."""

    device: str
    version: str
    width: int
    height: int
    vsync: bool


def probe_display(settings: Mapping[str, str]) -> Display:
    """Open the face's display and close it. settings: dotted configuration overrides.

    Raises MienError with the reason if nothing can be drawn here.
    """
    command = [sys.executable, "-m", "mien.bench.board.display"]
    command += [f"{key}={value}" for key, value in settings.items()]
    try:
        made = subprocess.run(command, capture_output=True, env=service_environment(), timeout=OPENING_S)
    except subprocess.TimeoutExpired:
        raise MienError(f"the display did not open within {OPENING_S:.0f} s") from None
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip().splitlines()
        raise MienError(said[LAST_LINE] if said else f"opening the display ended with {made.returncode}")
    return msgspec.json.decode(made.stdout.splitlines()[LAST_LINE], type=Display)


def main(pairs: tuple[str, ...]) -> None:
    """Print what was opened. Exits 1 with the reason if nothing can be drawn."""
    end_with_parent()
    from mien.face.opening import open_renderer

    with exit_codes("display"):
        renderer = open_renderer(load_config(None, parse_overrides(pairs)), MonotonicClock())
        info = renderer.info
        renderer.close()
    opened = Display(device=info.device, version=info.version, width=info.width, height=info.height, vsync=info.vsync)
    sys.stdout.buffer.write(msgspec.json.encode(opened) + b"\n")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
