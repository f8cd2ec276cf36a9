"""Pages that were needed to start are given back, and nothing that was written is lost."""

import ctypes
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from mien.host.memory import library_ranges, release_unused_pages, unwritten

SEGMENT = struct.Struct("<IIQQQQQQ")
LOADED, OTHER = 1, 6
READ, WRITE, EXECUTE = 4, 2, 1


def segment(kind: int, flags: int, address: int, size: int) -> bytes:
    return SEGMENT.pack(kind, flags, address, address, address, size, size, 0x1000)


def test_whole_pages_of_segments_that_are_never_writable() -> None:
    segments = (
        segment(OTHER, READ, 0x40, 0x9000)
        + segment(LOADED, READ, 0, 0x3400)
        + segment(LOADED, READ | EXECUTE, 0x4010, 0x3000)
        + segment(LOADED, READ | WRITE, 0x8000, 0x4000)
        + segment(LOADED, READ, 0xD000, 0x10)
    )
    assert list(unwritten(0x100000, segments, 0x1000)) == [(0x100000, 0x103000), (0x105000, 0x107000)]


def test_what_is_found_is_code_and_constants_of_libraries_and_holds_no_written_page() -> None:
    ranges = list(library_ranges())
    assert sum(last - first for first, last in ranges) > 2**20
    for first, last in ranges:
        assert written_kb(first, last) == 0


def test_numbers_and_libraries_work_as_before() -> None:
    own = np.arange(2**20)
    total, resident = np.linalg.norm(own), resident_kb()
    release_unused_pages()
    assert resident_kb() < resident
    assert np.linalg.norm(own) == total
    assert ctypes.CDLL(None).getpid() > 0


def test_libraries_that_are_loaded_meanwhile_are_not_harmed() -> None:
    script = """
import threading
from mien.host.memory import release_unused_pages
done = threading.Event()
def load():
    import sqlite3, ssl, decimal, lzma, bz2, xml.parsers.expat, curses, numpy.linalg, zmq, pygame
    done.set()
threading.Thread(target=load).start()
while not done.is_set():
    release_unused_pages()
print("whole")
"""
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert made.stdout.endswith("whole\n"), (made.returncode, made.stderr)


def test_another_thread_goes_on_meanwhile() -> None:
    sums: list[int] = []
    thread = threading.Thread(target=lambda: sums.extend(int(np.arange(5000).sum()) for _ in range(200)))
    thread.start()
    for _ in range(3):
        release_unused_pages()
    thread.join()
    assert set(sums) == {12_497_500}


def resident_kb() -> int:
    """What of this process's files is in memory."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile:"))
    return int(line.split()[1])


def written_kb(first: int, last: int) -> int:
    """Anonymous memory, which is what was written to, in the mappings between two addresses."""
    inside, total = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            start, end = (int(word, 16) for word in words[0].split("-"))
            inside = first <= start and end <= last
        elif inside and words[0] == "Anonymous:":
            total += int(words[1])
    return total
