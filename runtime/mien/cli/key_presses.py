"""Single key presses of a terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from typing import Final

_NAMES: Final = {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1b[5~": "page up", b"\x1b[6~": "page down", b"\x1b": "escape"}


class KeyPresses:
    """Reads keys without echo. On something that is no terminal there are none."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_terminal = os.isatty(descriptor)

    def wait(self, seconds: float) -> str | None:
        """The next key within so many seconds: a letter, or up, down, page up, page down, escape; None without one."""
        if not self._is_terminal:
            time.sleep(seconds)
            return None
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return None
        pressed = os.read(self._descriptor, 8)
        return _NAMES.get(pressed, pressed[:1].decode("ascii", "replace"))


@contextlib.contextmanager
def key_presses() -> Iterator[KeyPresses]:
    """Keys of standard input, whose settings come back afterwards."""
    descriptor = sys.stdin.fileno()
    if not os.isatty(descriptor):
        yield KeyPresses(descriptor)
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield KeyPresses(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
