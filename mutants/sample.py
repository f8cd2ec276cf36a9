"""Seeded sampling of mutants: first a line, then a mutation of it."""

import random
from pathlib import Path

from mutants import python, shell
from mutants.source import Mutation, Source
from mutants.targets import ROOT, Package

LEAST_A_PACKAGE = 5
_WIRE = "runtime/mien/core/wire.py"


def candidates(package: Package, root: Path = ROOT) -> list[Mutation]:
    """All mutations of a package, in file order."""
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
    """A sample without replacement. A line with many mutations is drawn no more often than a line with one."""
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
    """Draw the kind first, since most mutations are of numbers."""
    kind = chance.choice(sorted({one.edit.kind for one in of}))
    chosen = chance.choice([one for one in of if one.edit.kind == kind])
    of.remove(chosen)
    return chosen


def shares(sizes: dict[str, int], count: int) -> dict[str, int]:
    """Distribute count over packages by the square root of their sizes, so that small ones are represented."""
    weights = {name: size**0.5 for name, size in sizes.items() if size}
    total = sum(weights.values())
    least = min(LEAST_A_PACKAGE, count // max(1, len(weights)))
    return {name: min(sizes[name], max(least, round(count * weight / total))) for name, weight in weights.items()}
