"""Examines the rig of an environment file: its resources, then each part at work (hil/doctor).

python -m hil.examine hil/env/rpi4.yaml
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from hil.resources import Resource, resources

WORDS = {True: "found  ", False: "MISSING", None: "?      "}


def report(found: Iterable[Resource]) -> int:
    """Print each resource with its key. Returns how many are missing."""
    missing = 0
    for resource in found:
        print(f"{WORDS[resource.found]}  {resource.key} = {resource.wanted}\n         {resource.said}", flush=True)
        missing += resource.found is False
    return missing


def main() -> int:
    """Print what is missing; with everything in place, test every part and print the verdicts."""
    from labgrid.config import Config

    path = Path(sys.argv[1])
    if missing := report(resources(Config(str(path)).data, path.resolve().parent)):
        print(f"{missing} missing in {path}: nothing was switched on")
        return 1
    return _parts_at_work(path)


def _parts_at_work(path: Path) -> int:
    from labgrid import Environment

    from hil.diagnose import diagnose

    target = Environment(str(path)).get_target("main")
    try:
        strategy = target.get_driver("MienStrategy")
        if strategy.rig.emulated:
            strategy.transition("flashed")  # never overwrite a bench's card
    except Exception as error:  # whatever labgrid or a part raises, nothing can be tested
        print(f"BROKEN   {path}: {error or type(error).__name__}")
        return 1
    broken = 0
    for verdict in diagnose(strategy.rig):
        word = {True: "works  ", False: "BROKEN ", None: "?      "}[verdict.works]
        print(f"{word}  {verdict.part:22} {verdict.said}", flush=True)
        broken += verdict.works is not True
    target.cleanup()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
