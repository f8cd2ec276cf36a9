"""Log records in systemd's journal, with fields that can be searched.

log.info("...", extra={"turn": ..., "session": ..., "level": ...}) becomes MIEN_TURN, MIEN_SESSION and MIEN_LEVEL:
journalctl -u mien-voice MIEN_TURN=t42, or journalctl -o json.
"""

import importlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

FIELDS: Final = ("turn", "session", "level")
_PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))  # syslog(3)
_DEBUG: Final = 7


def log_handler() -> logging.Handler:
    """A handler for the journal if stderr goes there and systemd-python is installed, otherwise for stderr."""
    if os.environ.get("JOURNAL_STREAM"):
        try:
            return JournalHandler(importlib.import_module("systemd.journal").send)
        except ImportError:
            pass  # stderr reaches the journal too, without fields
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    return handler


class JournalHandler(logging.Handler):
    """send: systemd.journal.send, or a test's replacement."""

    def __init__(self, send: Callable[..., object]) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))  # level and logger are separate fields
        self._send = send
        self._identifier = Path(sys.argv[0]).name if Path(sys.argv[0]).name.startswith("mien") else "mien"

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record. If the journal is gone, logging reports it once."""
        try:
            self._send(
                self.format(record),
                PRIORITY=str(_priority(record.levelno)),
                LOGGER=record.name,
                CODE_FILE=record.pathname,
                CODE_LINE=record.lineno,
                CODE_FUNC=record.funcName,
                SYSLOG_IDENTIFIER=self._identifier,
                **_fields(record),
            )
        except Exception:
            self.handleError(record)


def _fields(record: logging.LogRecord) -> dict[str, str]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {f"MIEN_{name.upper()}": str(value) for name, value in found.items() if value not in (None, "")}


def _priority(level: int) -> int:
    return next((priority for least, priority in _PRIORITIES if level >= least), _DEBUG)
