"""What `rauc info` says of a bundle."""

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from mien.errors import UpdateError
from mien.link.update.board import Inspection

TIMEOUT_S: Final = 300.0

Run = Callable[[Sequence[str]], tuple[int, str, str]]


def run(command: Sequence[str]) -> tuple[int, str, str]:
    """(exit status, standard output, standard error). Raises UpdateError where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(f"{command[0]}: {error}") from None
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def inspect(bundle: str, compatible: str, options: Sequence[str] = (), run: Run = run) -> Inspection:
    """A bundle's signature and manifest, by `rauc info`. compatible: the board's. Raises UpdateError."""
    status, out, err = run(["rauc", *options, "info", "--output-format=json", bundle])
    if status:
        return Inspection(why=f"RAUC refuses the bundle: {_reason(err)}")
    try:
        told = json.loads(out[out.index("{") :])
        found = Inspection(version=str(told.get("version") or ""), build=str(told.get("build") or ""))
        wanted = str(told["compatible"])
    except (ValueError, KeyError, AttributeError, RecursionError):
        raise UpdateError("rauc info: no JSON") from None
    if wanted != compatible:
        return Inspection(why=f"the bundle is for {wanted[:80]!r}, and this board is {compatible!r}")
    return found


def _reason(err: str) -> str:
    """RAUC's last line, reduced to printable characters."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return "".join(c for c in (lines or ["no reason"])[-1] if c.isprintable())[:300]
