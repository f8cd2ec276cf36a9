"""Bounded reading of text files on the card."""

import tomllib
from pathlib import Path
from typing import Any, Final

from provisioning.mistake import Mistake

MOST_BYTES: Final = 64 * 1024

# Paths below /data/etc to their content; None removes the file.
Files = dict[str, str | None]


def read_text(path: Path) -> str:
    """The file's text without a byte order mark, with \\n line endings. Raises Mistake, OSError."""
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Mistake(f"larger than {MOST_BYTES // 1024} KiB, the limit for files here")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Mistake(f"not UTF-8 (byte {error.start + 1}): save it as a text file in UTF-8") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a TOML table. Raises Mistake, OSError."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Mistake("not valid TOML: brackets nested too deeply") from None
    except ValueError as error:  # of tomllib, or of int() for too many digits
        raise Mistake(f"not valid TOML: {error}") from None


def check_keys(table: dict[str, Any], known: dict[str, type], where: str) -> None:
    """Check that every key is known and of its type. where: prefix of the keys, such as "wifi.". Raises Mistake."""
    names = {str: "a text in quotes", bool: "true or false", list: "a list in [ ]", dict: "a section"}
    wrong = []
    for key, value in table.items():
        if key not in known:
            wrong.append(f"{where}{key}: unknown key; known keys are {', '.join(known)}")
        elif not isinstance(value, known[key]):
            wrong.append(f"{where}{key}: must be {names[known[key]]}")
    if wrong:
        raise Mistake("\n".join(wrong))
