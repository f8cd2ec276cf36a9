"""Faults in the folder of keys while clients connect."""

import functools
import shutil
import time
from typing import Final

from chaos.plan import Args
from chaos.probe import Probe
from chaos.world import Fault, Notes, World

LET_IN_S: Final = 10.0
GONE_S: Final = 6.0


def bad_key(world: World, args: Args) -> Notes:
    """Add an invalid key file: other keys must keep working, and unknown keys must stay refused."""
    path = world.places["keys"] / "allowed/speaker/zed.key"
    good = b'    metadata\n    curve\n        public-key = "%s"\n'
    body = {
        "short": good % (b"x" * 35),
        "garbage": b"{no key at all",
        "binary": bytes(range(256)) * 4,
        "huge": b"#" * 2_000_000,
        "folder": b"",
    }[args["how"]]
    if args["how"] == "folder":
        path.mkdir(parents=True)
    else:
        path.write_bytes(body)
    try:
        world.wait(1.5)
        _expect_entry(world, "kim")
    finally:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return {}


def removed_key(world: World, args: Args) -> Notes:
    """Remove a key while its client is connected: its sessions must end within seconds, and no new ones begin."""
    listed, bad = (world.places["keys"] / f"allowed/speaker/{name}.key" for name in ("kim", "yet"))
    kept = listed.read_bytes()
    with Probe(world, "curve", "kim") as probe:
        if not probe.welcomed:
            return {"skipped": "kim was refused"}
        if args["beside_a_bad_one"]:
            bad.write_bytes(b"no key")
        listed.unlink()
        try:
            world.wait(GONE_S)
            if probe.answers():
                _wrong(world, f"is still answered {GONE_S:.0f} s later")
            with Probe(world, "curve", "kim") as another:
                if another.welcomed:
                    _wrong(world, f"is still accepted {GONE_S:.0f} s later")
        finally:
            listed.write_bytes(kept)
            bad.unlink(missing_ok=True)
    return {}


def _wrong(world: World, what: str) -> None:
    world.verdicts.add("access", "removed key", f"a client whose key was removed {what}")


def _expect_entry(world: World, name: str) -> None:
    until_s = time.monotonic() + LET_IN_S
    while time.monotonic() < until_s:
        with Probe(world, "curve", name) as probe:
            if probe.welcomed:
                return
        world.wait(0.3)
    if not world.faults.explain("voice", "run"):
        world.verdicts.add(
            "access",
            "kept out",
            f"{name}, whose key is valid, was refused for {LET_IN_S:.0f} s while another key file was invalid",
        )


def _one_at_a_time(fault: Fault) -> Fault:
    @functools.wraps(fault)
    def alone(world: World, args: Args) -> Notes:
        with world.one_at_a_time["keys"]:
            return fault(world, args)

    return alone


KEYS: Final[dict[str, Fault]] = {fault.__name__: _one_at_a_time(fault) for fault in (bad_key, removed_key)}
