"""What an update has reached, kept over power cuts."""

import json
import logging
import os
import zlib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from mien.errors import StorageError
from mien.link.update.ddi import Artifact

log = logging.getLogger(__name__)

FILE: Final = "update.json"
MAX_FILE_BYTES: Final = 64 * 1024

Phase = Literal["idle", "downloading", "waiting", "draining", "installing", "restarting", "trial", "closed"]
Outcome = Literal["", "good", "failed", "rolled_back", "cancelled"]
Short = Annotated[str, Meta(max_length=1000)]


class Last(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the last action ended."""

    action: Short
    version: Short
    outcome: Outcome
    why: Short = ""


class Record(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """boot: the start of the board in which the phase began. slot: that ran when the installation began.

    tries: installations begun, or starts of the new slot. installs: installations of all actions. stream: RAUC reads
    from the server. face, turn: what the new slot has shown. told: the stage that the server knows.
    """

    phase: Phase = "idle"
    action: Short = ""
    version: Short = ""
    artifact: Artifact | None = None
    stream: bool = False
    boot: Short = ""
    slot: Short = ""
    tries: Annotated[int, Meta(ge=0, le=1000)] = 0
    installs: Annotated[int, Meta(ge=0)] = 0
    face: bool = False
    turn: bool = False
    outcome: Outcome = ""
    why: Short = ""
    told: Short = ""
    last: Last | None = None


class Store:
    """A file with a checksum, replaced in one step. A torn one is put aside and counts as none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def load(self) -> Record:
        """The record; a new one where there is none that can be read. Raises StorageError for a disk that is broken."""
        try:
            record = read_record(self._path)
        except ValueError as error:
            log.warning("%s: %s: the update begins anew", self._path, error)
            self._path.replace(self._path.with_suffix(".torn"))
            return Record()
        return record or Record()

    def save(self, record: Record) -> None:
        """On the disk when this returns. Raises StorageError."""
        body = msgspec.json.encode(record)
        whole = b'{"crc":%d,"record":%s}\n' % (zlib.crc32(body), body)
        scratch = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with scratch.open("wb") as file:
                file.write(whole)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}; the update waits") from None


def read_record(path: Path) -> Record | None:
    """The record of a file; None where there is no file. Raises ValueError for a torn one, StorageError."""
    try:
        whole = path.read_bytes()[: MAX_FILE_BYTES + 1]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from None
    prefix, _, rest = whole.partition(b',"record":')
    body = rest.removesuffix(b"}\n")
    if not rest or rest == body or len(whole) > MAX_FILE_BYTES:
        raise ValueError("torn")
    if prefix != b'{"crc":%d' % zlib.crc32(body):
        raise ValueError("its checksum is wrong")
    try:
        return msgspec.convert(json.loads(body), Record)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise ValueError(f"no record: {error}") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
