"""What goes onto a board's card: the folder mien/link."""

import io
import zipfile
from pathlib import Path
from typing import Final

from mien.enrolment.registry import BoardRecord, FleetRecord
from mien.enrolment.storage import write_private

ON_CARD: Final = "mien/link"  # below the FAT partition
_LINK = """\
# Where this board's broker is, what the board tells, and what it lets others do: docs/operate.md of mien.
# Written by `mien fleet board`. A key that is left out has its default.
[board]
site = "{site}"
name = "{name}"

[broker]
host = "{host}"
port = {port}
ca = "ca.crt"
certificate = "link.crt"
key = "link.key"

[tell]
said = {said}        # the text of what was said, in events

[allow]
captions = {captions}    # live captions, for those who watch
ear = {ear}         # the microphone, for agents and operators
"""


def link_toml(record: FleetRecord, board: BoardRecord) -> str:
    """The text of a board's link.toml."""
    flags = {name: str(getattr(board, name)).lower() for name in ("said", "captions", "ear")}
    return _LINK.format(site=board.site, name=board.name, host=record.hosts[0], port=record.board_port, **flags)


def write_board_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a board's files below `folder`, for its owner alone. Returns the folder to copy onto the card."""
    for name, content in files.items():
        write_private(folder / ON_CARD / name, content)
    return folder / "mien"


def write_board_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write a board's files as a zip to unpack onto the card."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{ON_CARD}/{name}", content)
    write_private(path, packed.getvalue())
