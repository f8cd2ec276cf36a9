"""Equivalent mutants, which change no observable behaviour: listed with reasons in equivalent.toml."""

import tomllib
from pathlib import Path

from mutants.source import Mutation

LIST = Path(__file__).with_name("equivalent.toml")
Known = dict[tuple[str, str, str], str]


def known(path: Path = LIST) -> Known:
    """(file, line, mutated text) -> reason. Raises ValueError for an incomplete entry."""
    found: Known = {}
    for number, entry in enumerate(tomllib.loads(path.read_text()).get("equivalent", [])):
        missing = {"file", "line", "becomes", "why"} - entry.keys()
        if missing:
            raise ValueError(f"{path.name}: equivalent[{number}] lacks {', '.join(sorted(missing))}")
        found[entry["file"], entry["line"], entry["becomes"]] = entry["why"]
    return found


def why(mutation: Mutation, listed: Known) -> str | None:
    """Why the mutant is equivalent; None if it is not listed."""
    return listed.get((mutation.file, mutation.before, mutation.after))
