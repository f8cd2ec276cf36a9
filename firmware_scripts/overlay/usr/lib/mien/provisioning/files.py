"""Reading what lies on the card: text, of a settings file's size."""

import tomllib
from pathlib import Path
from typing import Any, Final

from provisioning.mistake import Mistake

MOST_BYTES: Final = 64 * 1024

# Paths below /data/etc and what they are to hold; None removes the file.
Files = dict[str, str | None]


def read_text(path: Path) -> str:
    """The file's text, without a byte order mark, its lines ended by \\n. Raises Mistake, OSError."""
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Mistake(f"larger than {MOST_BYTES // 1024} KiB, which no file here needs to be")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Mistake(f"not UTF-8 (byte {error.start + 1}): save it as a text file in UTF-8") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a table. Raises Mistake, OSError."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Mistake("not valid TOML: too many brackets inside one another") from None
    except ValueError as error:  # tomllib's own error is one, and so is int()'s for too many digits
        raise Mistake(f"not valid TOML: {error}") from None


def check_keys(table: dict[str, Any], known: dict[str, type], where: str) -> None:
    """Every key known and of its type. where: what comes before the keys, such as "wifi.". Raises Mistake."""
    names = {str: "a text in quotes", bool: "true or false", list: "a list in [ ]", dict: "a section"}
    wrong = []
    for key, value in table.items():
        if key not in known:
            wrong.append(f"{where}{key}: no such key; the keys here are {', '.join(known)}")
        elif not isinstance(value, known[key]):
            wrong.append(f"{where}{key}: must be {names[known[key]]}")
    if wrong:
        raise Mistake("\n".join(wrong))
