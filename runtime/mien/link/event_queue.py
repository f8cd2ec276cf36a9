"""The durable queue of events that wait for the broker.

    events/queue            the queue's name, chosen when the folder was made
    events/sent             the number of the last event that the broker has
    events/000000000123.log segments, by the number of their first event

Events are appended to the newest segment. When all are too large together, the oldest segment goes, and a
`dropped` event says
which numbers it held. Numbers continue after a restart. An event is sent only after it is on the card, so that a number
that a subscriber saw never comes again with another content. While the card takes nothing, events are sent from memory.
"""

import contextlib
import errno
import logging
import os
import secrets
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from mien.errors import StorageError
from mien.fleet.event import Dropped, EventBase
from mien.link.event_lines import Entry, entries, line

log = logging.getLogger("mien.link")

SEGMENT_BYTES: Final = 128_000
LEAST_SEGMENTS: Final = 4
MOST_SEGMENTS: Final = 1000  # every start begins one
MEMORY_ENTRIES: Final = 1000
"""Of events that could not be written: a card that is full or read-only."""
_NAME_BYTES: Final = 6


class _Segment:
    """A file of the queue. first: its first event's number. last: first - 1 while it is empty."""

    def __init__(self, path: Path, first: int) -> None:
        self.path = path
        self.first = first
        self.last = first - 1
        self.size = 0


class Sync:
    """Waits for the card. last: the newest event that was written. error: what the card said, after the call."""

    def __init__(self, file: int, last: int) -> None:
        self._file = file
        self.last = last
        self.error: OSError | None = None

    def __call__(self) -> None:
        """Takes as long as the card does; once."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            self.error = error
        finally:
            os.close(self._file)


class EventQueue:
    """folder: is made. max_bytes: of all segments. Raises StorageError when the folder cannot be made or read."""

    def __init__(self, folder: Path, max_bytes: int, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = max(1, min(segment_bytes, max_bytes // LEAST_SEGMENTS))
        self._segments: deque[_Segment] = deque()
        self._unwritten: deque[Entry] = deque(maxlen=MEMORY_ENTRIES)
        self._head: tuple[Path, list[Entry]] | None = None
        self._file: int | None = None
        self._synced = 0
        self.name = ""
        self.acked = 0
        """The number of the newest event that the broker has, with all before it."""
        self.dropped = 0
        """Events that were given up since the start of the process."""
        self.failing = ""
        """Why the card takes no events now."""
        try:
            self._open()
        except OSError as error:
            raise StorageError(
                f"events.folder: {folder}: {error.strerror}; choose a folder that {_user()} may write"
            ) from None

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._unwritten[-1].seq if self._unwritten else self._segments[-1].last

    @property
    def waiting(self) -> int:
        """How many events the broker does not have yet."""
        return self.last - max(self.acked, self._segments[0].first - 1)

    @property
    def unwritten(self) -> bool:
        """Whether flush() has something to write."""
        return bool(self._unwritten)

    def append(self, event: EventBase) -> int:
        """Number an event and keep it, in memory until flush(). Returns its number."""
        seq = self.last + 1
        if len(self._unwritten) == MEMORY_ENTRIES:
            self.dropped += 1
        self._unwritten.append(Entry(seq, _encode(event, self.name, seq)))
        return seq

    def flush(self) -> bool:
        """Write what was appended to the card. Returns whether the card took it; what it did not take is kept."""
        if not self._attempt(self._write_and_sync):
            return False
        self._works()
        return True

    def begin_flush(self) -> "Sync | None":
        """The same in two halves: write now; the slow half, which waits for the card, is the result's to call.

        It may be called in another thread; then give it to end_flush(). None when there is nothing to wait for.
        """
        if not self._attempt(self._write) or self._synced >= self._segments[-1].last:
            return None
        assert self._file is not None
        return Sync(os.dup(self._file), self._segments[-1].last)

    def end_flush(self, sync: "Sync") -> None:
        """What was written is on the card, if the card said so."""
        if sync.error is None:
            self._synced = max(self._synced, sync.last)
            self._works()
        else:
            self._fails(sync.error)

    def _attempt(self, write: Callable[[], None]) -> bool:
        if not self._unwritten:
            return True
        try:
            write()
        except OSError as error:
            self._reopen()
            self._fails(error)
            return False
        return True

    def _fails(self, error: OSError) -> None:
        if not self.failing:
            log.error("events cannot be written to %s: %s", self._folder, error.strerror)
        self.failing = error.strerror or "unknown"

    def _works(self) -> None:
        if self.failing:
            log.info("events are written again")
        self.failing = ""

    def after(self, seq: int, most: int) -> list[Entry]:
        """Up to `most` events after a number that may be sent, in order. Damaged ones are left out."""
        found: list[Entry] = []
        for segment in self._segments:
            if segment.last > seq and len(found) < most:
                held = self._read(segment)
                begin = bisect_right(held, seq, key=_number)
                found += held[begin : begin + most - len(found)]
        if not self.failing:
            found = [entry for entry in found if entry.seq <= self._synced]
        if self.failing:
            found += [entry for entry in self._unwritten if entry.seq > seq]
        return found[:most]

    def ack(self, seq: int) -> None:
        """The broker has every event up to this one."""
        self.acked = max(self.acked, min(seq, self.last))
        while self._unwritten and self._unwritten[0].seq <= self.acked:
            self._unwritten.popleft()
        while len(self._segments) > 1 and self._segments[0].last <= self.acked:
            self._remove_oldest()
            self.save()

    def save(self) -> None:
        """Note on the card what the broker has. Without it events are sent again after a power cut."""
        with contextlib.suppress(OSError):
            _replace(self._folder / "sent", b"%d\n" % self.acked)

    def close(self) -> None:
        """Write everything and close the files."""
        self.flush()
        self.save()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = _text(self._folder / "queue")
        if not self.name:
            self._begin_anew()
        sent = _text(self._folder / "sent")
        self.acked = int(sent) if sent.isdigit() else 0
        for path in sorted(self._folder.glob("*.log")):
            if path.stem.isdigit():
                self._segments.append(_measured(path))
        if not self._segments:
            self._add_segment(1)
        else:
            self._seal()
            self._make_room()
        self.acked = min(self.acked, self.last)
        self._synced = self._segments[-1].last

    def _begin_anew(self) -> None:
        """A folder without a name: what else is in it belongs to no queue."""
        for path in self._folder.glob("*.log"):
            path.unlink()
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "sent").unlink()
        self.name = secrets.token_hex(_NAME_BYTES)
        _replace(self._folder / "queue", self.name.encode() + b"\n")

    def _seal(self) -> None:
        """Append nothing to a file with a torn end: continue in a new one."""
        newest = self._segments[-1]
        if newest.last < newest.first:  # empty, or nothing in it is whole
            self._segments.pop()
            self._add_segment(newest.first)
        else:
            self._add_segment(newest.last + 1)

    def _write_and_sync(self) -> None:
        self._write()
        if self._file is not None:
            os.fdatasync(self._file)
        self._synced = self._segments[-1].last

    def _write(self) -> None:
        while self._unwritten:
            segment = self._segments[-1]
            if segment.size >= self._segment_bytes:
                if self._file is not None:
                    os.fdatasync(self._file)
                self._add_segment(segment.last + 1)
                self._make_room()
                continue
            batch = list(self._unwritten)
            data = b"".join(map(line, batch))
            assert self._file is not None
            if os.pwrite(self._file, data, segment.size) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            segment.size += len(data)
            segment.last = batch[-1].seq
            if self._head is not None and self._head[0] == segment.path:
                self._head[1].extend(batch)
            self._unwritten.clear()

    def _make_room(self) -> None:
        """Give up the oldest events, and say so in the queue."""
        while len(self._segments) > 2 and self._too_much():
            oldest = self._segments[0]
            self._remove_oldest()
            first = max(oldest.first, self.acked + 1)
            if first <= oldest.last:
                count = oldest.last - first + 1
                self.dropped += count
                self.acked = max(self.acked, oldest.last)
                self.append(Dropped(queue="", seq=0, count=count, first_seq=first, last_seq=oldest.last))

    def _too_much(self) -> bool:
        size = sum(each.size for each in self._segments)
        return size > self._max_bytes or len(self._segments) > MOST_SEGMENTS

    def _remove_oldest(self) -> None:
        oldest = self._segments.popleft()
        with contextlib.suppress(OSError):
            oldest.path.unlink()

    def _add_segment(self, first: int) -> None:
        path = self._folder / f"{first:012d}.log"
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        _sync_folder(self._folder)
        if self._file is not None:
            os.close(self._file)
        self._file = opened
        self._segments.append(_Segment(path, first))

    def _reopen(self) -> None:
        """After a failed write: a read-only card that was mounted anew needs a new descriptor."""
        with contextlib.suppress(OSError):
            opened = os.open(self._segments[-1].path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self._file is not None:
                os.close(self._file)
            self._file = opened

    def _read(self, segment: _Segment) -> list[Entry]:
        if self._head is None or self._head[0] != segment.path:
            try:
                self._head = (segment.path, list(entries(segment.path.read_bytes())))
            except OSError as error:
                log.error("events in %s cannot be read: %s", segment.path, error.strerror)
                self._head = (segment.path, [])
        return self._head[1]


def _number(entry: Entry) -> int:
    return entry.seq


def _encode(event: EventBase, queue: str, seq: int) -> bytes:
    """Without the personal fields that are not told."""
    fields = msgspec.to_builtins(msgspec.structs.replace(event, queue=queue, seq=seq))
    told = {name: value for name, value in fields.items() if value is not None or not name.startswith("pii.")}
    return msgspec.json.encode(told)


def _measured(path: Path) -> _Segment:
    segment = _Segment(path, int(path.stem))
    data = path.read_bytes()
    segment.size = len(data)
    segment.last = max((entry.seq for entry in entries(data)), default=segment.first - 1)
    return segment


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that a power cut leaves the old or the new one."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _user() -> str:
    return f"user {os.getuid()}"
