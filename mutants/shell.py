"""Mutation sites of a shell script, line by line: tests, guards, numbers, commands."""

import re
from collections.abc import Iterator

from mutants.source import Edit, Mutation, mutation

_EDITS: tuple[tuple[str, str, str], ...] = (
    ("dropped guard", r" \|\| (true|exit 0|:)", ""),
    ("dropped check", r"(?<=if )\[ [^\]]* \]", "true"),
    ("dropped check", r"(?<=if )\[ [^\]]* \]", "false"),
    ("dropped check", r"^\[ [^\]]* \] && ", ""),
    ("comparison", r" = ", " != "),
    ("and/or", r" && ", " || "),
    ("constant", r"(?<=[ =])[1-9]\b(?!\))", "0"),
    ("constant", r"(?<=[ =])[1-9]\b(?!\))", "10"),
    ("redirection", r" ?>&2", ""),
    ("redirection", r" 2>/dev/null", ""),
    ("option", r" --?[a-z][a-z-]*(?= )", ""),
    ("default", r":-[^}]+\}", "}"),
    ("dropped statement", r"^\s*(systemctl|sleep|note|printf)\b.*$", ":"),
)


def mutations(package: str, file: str, data: bytes) -> Iterator[Mutation]:
    """All mutations of the script, without comments."""
    at = 0
    for number, line in enumerate(data.decode().splitlines(keepends=True), 1):
        if not line.lstrip().startswith("#"):
            for edit in _line(line, at):
                yield mutation(package, file, data, edit, (number, number), at_import=True)
        at += len(line.encode())


def _line(line: str, at: int) -> Iterator[Edit]:
    for kind, pattern, text in _EDITS:
        for found in re.finditer(pattern, line.rstrip("\n")):
            start, end = (at + len(line[:place].encode()) for place in found.span())
            yield Edit(kind, start, end, text)
