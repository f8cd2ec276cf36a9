"""The memory that a process uses, measured, with its unused part released.

Loading Mesa runs through most of libLLVM once, 50 MB of it, and compiling shaders through more; the libraries of Python
and numpy do the same on a smaller scale. Those pages are copies of files: the kernel maps one again when it is needed.
"""

import contextlib
import ctypes
import gc
import mmap
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from mien.core.clock import Clock
from mien.core.counters import Counters
from mien.units import NS_PER_S

EVERY_NS: Final = 10 * NS_PER_S
_BYTES_PER_KIB = 1024
_BYTES_PER_MB = 1_000_000


def pss_mb(pid: int | None = None) -> float:
    """The proportional set size of a process (None: this one), in MB of 10**6 bytes.

    PSS divides every shared page among the processes that map it, so that the sum over processes is their total use.
    Raises OSError when the process has ended or belongs to another user.
    """
    return _rollup_mb(pid, "Pss:")


def private_mb(pid: int | None = None) -> float:
    """The memory that a process (None: this one) shares with no other, in MB. Unlike PSS it does not change when other
    processes come and go. Raises OSError as pss_mb()."""
    return _rollup_mb(pid, "Private_Clean:") + _rollup_mb(pid, "Private_Dirty:")


def _rollup_mb(pid: int | None, key: str) -> float:
    rollup = Path("/proc", "self" if pid is None else str(pid), "smaps_rollup")
    for line in rollup.read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * _BYTES_PER_KIB / _BYTES_PER_MB
    raise OSError(f"{rollup}: has no {key[:-1]} line")


def pss_of_files_mb(pid: int, names: tuple[str, ...]) -> float:
    """The part of a process's PSS that maps files with one of `names` in their path, in MB. Raises OSError."""
    total, counts = 0, False
    for line in Path("/proc", str(pid), "smaps").read_text().splitlines():
        if line[:1].islower() or line[:1].isdigit():  # a mapping's own line; the figures' lines begin with a capital
            counts = any(name in line for name in names)
        elif counts and line.startswith("Pss:"):
            total += int(line.split()[1])
    return total * _BYTES_PER_KIB / _BYTES_PER_MB


class MemoryGauge:
    """This process's PSS, for a report that must never end the service.

    When /proc cannot be read (no descriptor is left), mb() is the last value, 0.0 at first, and `memory_unread` counts
    it. Measures at most once in EVERY_NS, because the kernel takes milliseconds to count the pages. measure: for tests.
    """

    def __init__(self, clock: Clock, counters: Counters, measure: Callable[[], float] = pss_mb) -> None:
        self._clock = clock
        self._counters = counters
        self._measure = measure
        self._due_ns = 0
        self._last_mb = 0.0

    def mb(self) -> float:
        """The last measured value, in MB of 10**6 bytes. Never raises."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + EVERY_NS
            try:
                self._last_mb = self._measure()
            except (OSError, ValueError):  # ValueError: a line that is not as proc(5) has it
                self._counters.count("memory_unread")
        return self._last_mb


Range = tuple[int, int]

# elf(5), 64 bit: where the program headers lie, and one of them: type, flags, offset, address, physical, size in the
# file, size in memory, alignment.
_HEADER_BYTES: Final = 64
_ELF64: Final = b"\x7fELF\x02"
_HEADERS_AT, _HEADER_COUNT_AT = 32, 56
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_LOADED, _WRITABLE = 1, 2


class _LinkMap(ctypes.Structure):
    """struct link_map of <link.h>: a loaded library and the next one."""

    _fields_ = (("base", ctypes.c_size_t), ("name", ctypes.c_char_p), ("dynamic", ctypes.c_void_p),
                ("next", ctypes.c_void_p), ("previous", ctypes.c_void_p))  # fmt: skip


def release_unused_pages() -> None:
    """Release free heap memory, and the pages of libraries that are never written.

    Takes tens of ms; pages in use are mapped again. No other thread may unload a library meanwhile. Loading one is
    safe: it is seen here only when it is mapped completely.
    """
    gc.collect()
    libc = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):
        libc.malloc_trim(0)  # glibc's own
    madvise = libc.madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for first, last in library_ranges():
        madvise(first, last - first, mmap.MADV_DONTNEED)


def library_ranges() -> Iterator[Range]:
    """The address ranges of every loaded library's code and constants."""
    mapped = _mapping_starts()
    for base in _library_bases():
        if base in mapped:
            header = ctypes.string_at(base, _HEADER_BYTES)
            if header.startswith(_ELF64):
                at, count = _program_headers(header)
                yield from unwritten(base, ctypes.string_at(base + at, count * _SEGMENT.size), mmap.PAGESIZE)


def unwritten(base: int, segments: bytes, page: int) -> Iterator[Range]:
    """Whole pages of the segments that are never writable, not even to the dynamic linker.

    segments: ELF64 program headers. base: the library's load address. The current protection does not tell: the linker
    protects a segment after it has written relocations to it.
    """
    for kind, flags, _, address, _, size, *_ in _SEGMENT.iter_unpack(segments):
        first = -(-(base + address) // page) * page
        last = (base + address + size) // page * page
        if kind == _LOADED and not flags & _WRITABLE and last > first:
            yield first, last


def _program_headers(header: bytes) -> tuple[int, int]:
    (at,) = struct.unpack_from("<Q", header, _HEADERS_AT)
    (count,) = struct.unpack_from("<H", header, _HEADER_COUNT_AT)
    return at, count


def _library_bases() -> Iterator[int]:
    """Load addresses from the dynamic linker's list, without the program itself, which has no name there."""
    at: int | None = ctypes.CDLL(None)._handle
    while at:
        entry = _LinkMap.from_address(at)
        if entry.name:
            yield entry.base
        at = entry.next


def _mapping_starts() -> set[int]:
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return set()
    return {int(line.partition("-")[0], 16) for line in lines if "/" in line}
