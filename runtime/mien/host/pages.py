"""Memory that was needed to start and is not needed to go on, given back to the system.

Loading Mesa runs through most of libLLVM once, 50 MB of it, and compiling shaders through more; Python's and numpy's
libraries are the same in small. Those pages are copies of files: when one is needed again, the kernel maps it again.
What malloc keeps of blocks that were freed goes back too.
"""

import contextlib
import ctypes
import gc
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

Range = tuple[int, int]

# elf(5), 64 bit: where the program headers lie, and one of them: type, flags, offset, address, physical, size in the
# file, size in memory, alignment.
_HEADER_BYTES: Final = 64
_ELF64: Final = b"\x7fELF\x02"
_HEADERS_AT, _HEADER_COUNT_AT = 32, 56
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_LOADED, _WRITABLE = 1, 2


class _LinkMap(ctypes.Structure):
    """struct link_map of <link.h>: a library that is loaded, and the next."""

    _fields_ = (("base", ctypes.c_size_t), ("name", ctypes.c_char_p), ("dynamic", ctypes.c_void_p),
                ("next", ctypes.c_void_p), ("previous", ctypes.c_void_p))  # fmt: skip


def give_back() -> None:
    """Give back free heap and the libraries' pages that nothing can have written to.

    Takes tens of ms, and what is in use is mapped again. No thread may unload a library meanwhile; loading is safe,
    since a library is only seen here when it is mapped whole.
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
    """The addresses of every loaded library's code and constants."""
    mapped = _mapping_starts()
    for base in _library_bases():
        if base in mapped:
            header = ctypes.string_at(base, _HEADER_BYTES)
            if header.startswith(_ELF64):
                at, count = _program_headers(header)
                yield from unwritten(base, ctypes.string_at(base + at, count * _SEGMENT.size), mmap.PAGESIZE)


def unwritten(base: int, segments: bytes, page: int) -> Iterator[Range]:
    """Whole pages of those segments that are never writable, not even to the dynamic linker.

    segments: ELF64 program headers. base: where the library lies. Relocations go to writable segments, which are
    protected afterwards, so that protection as it is now tells nothing.
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
    """Where libraries lie, by the dynamic linker's own list; the program itself, which has no name there, left out."""
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
