"""Memory that was needed to start and is not needed to go on, given back to the system.

Loading Mesa runs through most of libLLVM once, 50 MB of it, and compiling shaders through more; Python's and numpy's
libraries are the same in small. Those pages are clean copies of files: when one is needed again, the kernel maps it
again. What malloc keeps of large blocks that were freed goes back too.
"""

import contextlib
import ctypes
import gc
import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path


def give_back() -> None:
    """Give back free heap and clean pages of mapped files. Takes tens of ms, and what is in use is mapped again.

    No other thread may unload a library meanwhile.
    """
    gc.collect()
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):
        libc.malloc_trim(0)  # glibc's own
    madvise = libc.madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for first, last in clean_file_ranges(_smaps()):
        madvise(first, last - first, mmap.MADV_DONTNEED)


def clean_file_ranges(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Address ranges, by the lines of /proc/PID/smaps, that are wholly read from files and were never written to.

    A page that was written to, as by the dynamic linker, is anonymous: it exists nowhere else, and its whole range is
    left alone.
    """
    candidate: tuple[int, int] | None = None
    for line in smaps:
        words = line.split()
        if not words[0].endswith(":"):
            candidate = _file_range(words)
        elif words[0] in ("Anonymous:", "Swap:", "Locked:") and words[1] != "0":
            candidate = None
        elif candidate and words[0] == "VmFlags:":
            yield candidate
            candidate = None


def _file_range(words: list[str]) -> tuple[int, int] | None:
    """The range of a mapping's first line: addresses, permissions, offset, device, inode, path."""
    is_file = len(words) >= 6 and words[5].startswith("/") and words[4] != "0"
    if not is_file or "w" in words[1] or words[1][3] != "p":
        return None
    first, last = (int(word, 16) for word in words[0].split("-"))
    return first, last


def _smaps() -> list[str]:
    try:
        return Path("/proc/self/smaps").read_text().splitlines()
    except OSError:
        return []
