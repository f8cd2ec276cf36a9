"""Executes an act of the schedule: a fault injected here, or a hostile client in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from chaos.catalogue import HOSTILE_NAMES
from chaos.ear_lives import EAR_LIVES
from chaos.files import FILES
from chaos.keys import KEYS
from chaos.lives import LIVES
from chaos.plan import Action, Args
from chaos.world import World

FAULTS: Final = {**LIVES, **EAR_LIVES, **FILES, **KEYS}
HOSTILE_S: Final = 60.0  # a hostile client that takes longer is killed
ROOT: Final = Path(__file__).resolve().parents[1]


def do(world: World, action: Action) -> dict[str, Any]:
    """Execute the act. Returns notes for the report."""
    if action.kind in HOSTILE_NAMES:
        return send_hostile(world, action.kind, action.args)
    return FAULTS[action.kind](world, action.args)


def send_hostile(world: World, kind: str, args: Args) -> dict[str, Any]:
    """Run a hostile client and wait for it."""
    order = json.dumps({"kind": kind, "args": args, "doors": world.doors})
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos.hostile", order],
        cwd=ROOT,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    try:
        out, err = process.communicate(timeout=HOSTILE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return {"killed": f"after {HOSTILE_S:.0f} s"}
    if process.returncode:
        return {"hostile client failed": err[-300:]}
    answer = json.loads(out)
    for oracle, about, what in answer["wrong"]:
        if not world.faults.explain("voice"):
            world.verdicts.add(oracle, about, what)
    notes: dict[str, Any] = answer["notes"]
    return notes
