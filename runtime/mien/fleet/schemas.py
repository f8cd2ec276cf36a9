"""JSON Schemas of every JSON payload, derived from the structs.

`python -m mien.fleet.schemas FOLDER` writes them.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from mien.fleet import command, event, status

PAYLOADS: Final[dict[str, Any]] = {
    "status": status.Status,
    "health": status.Health,
    "event": event.Event,
    "command": command.Command,
    "answer": command.Answer,
    "watch": command.Watch,
    "caption": command.CaptionLine,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a payload of `PAYLOADS`."""
    return msgspec.json.schema(PAYLOADS[name])


def schema_text(name: str) -> str:
    """The schema as it stands in docs/mqtt/NAME.schema.json."""
    return json.dumps(_plain(schema(name)), indent=2, sort_keys=True) + "\n"


def _plain(value: Any) -> Any:
    """Whole numbers without a point: Python's typing takes `le=1` and `le=1.0` for one, whichever came first."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    for each in PAYLOADS:
        (Path(sys.argv[1]) / f"{each}.schema.json").write_text(schema_text(each))
