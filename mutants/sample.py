"""Which mutants are tried: drawn by a seed, a line first and then what to do to it."""

import random
from pathlib import Path

from mutants import python, shell
from mutants.source import Mutation, Source
from mutants.targets import ROOT, Package

LEAST_A_PACKAGE = 5
_WIRE = "runtime/mien/core/wire.py"


def candidates(package: Package, root: Path = ROOT) -> list[Mutation]:
    """Every mutation of a package, in the order of its files."""
    codes = python.protocol_codes((root / _WIRE).read_bytes())
    found: list[Mutation] = []
    for file in package.files(root):
        data = (root / file).read_bytes()
        if data.startswith(b"#!/bin/sh"):
            found += shell.mutations(package.name, file, data)
        else:
            found += python.mutations(package.name, Source(file, data), codes)
    return found


def draw(of: list[Mutation], count: int, seed: int) -> list[Mutation]:
    """At most count of them, none twice. A line with many mutations is drawn no more often than one with a single."""
    chance = random.Random(seed)
    lines: dict[tuple[str, int], list[Mutation]] = {}
    for one in of:
        lines.setdefault((one.file, one.line), []).append(one)
    drawn: list[Mutation] = []
    while lines and len(drawn) < count:
        for place in chance.sample(sorted(lines), min(count - len(drawn), len(lines))):
            drawn.append(_one(lines[place], chance))
            if not lines[place]:
                del lines[place]
    return sorted(drawn, key=lambda one: (one.file, one.edit.start, one.edit.text))


def _one(of: list[Mutation], chance: random.Random) -> Mutation:
    """A kind first, since most mutations are of numbers."""
    kind = chance.choice(sorted({one.edit.kind for one in of}))
    chosen = chance.choice([one for one in of if one.edit.kind == kind])
    of.remove(chosen)
    return chosen


def shares(sizes: dict[str, int], count: int) -> dict[str, int]:
    """How many of count each package gets: by the root of its size, so that small ones are heard too."""
    weights = {name: size**0.5 for name, size in sizes.items() if size}
    total = sum(weights.values())
    least = min(LEAST_A_PACKAGE, count // max(1, len(weights)))
    return {name: min(sizes[name], max(least, round(count * weight / total))) for name, weight in weights.items()}
