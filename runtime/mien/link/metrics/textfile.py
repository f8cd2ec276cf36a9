"""A file of metrics for node_exporter's textfile collector."""

import os
from pathlib import Path

from mien.errors import StorageError


def write_textfile(path: Path, text: bytes) -> None:
    """Replace the file in one step: a reader sees the old or the new text, never a half. Raises StorageError.

    The collector reads names that end with `.prom` only.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        with scratch.open("wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise StorageError(
            f"{path}: {error.strerror}; set metrics.textfile to a file that mien-link may write"
        ) from None
