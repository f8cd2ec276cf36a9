"""Pages that were needed to start are given back, and nothing that was written is lost."""

import mmap
from pathlib import Path

import numpy as np

from mien.host.pages import clean_file_ranges, give_back

_MAPPING = """\
{first:x}-{last:x} {permissions} 00000000 fe:00 {inode} {path}
Rss:                1000 kB
Private_Dirty:       900 kB
Anonymous:             {written} kB
Swap:                  {swap} kB
VmFlags: rd ex mr mw me
"""


def mapping(path: str = "/usr/lib/libx.so", permissions: str = "r-xp", written: int = 0, swap: int = 0) -> list[str]:
    text = _MAPPING.format(first=0x1000, last=0x9000, permissions=permissions, inode=7 if path else 0, path=path,
                           written=written, swap=swap)  # fmt: skip
    return text.splitlines()


def test_clean_private_mappings_of_files_are_found() -> None:
    assert list(clean_file_ranges(mapping() + mapping(permissions="r--p"))) == [(0x1000, 0x9000)] * 2


def test_what_was_written_or_can_be_written_or_is_shared_or_is_no_file_is_left_alone() -> None:
    others = [mapping(written=4), mapping(swap=4), mapping(permissions="rw-p"), mapping(permissions="r--s"),
              mapping(path=""), mapping(path="[heap]"), mapping(path="[vdso]")]  # fmt: skip
    for lines in others:
        assert list(clean_file_ranges(lines)) == []


def test_giving_back_frees_pages_of_a_file_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"mien" * 2**20)
    own = np.arange(2**20)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    view = np.frombuffer(mapped, dtype=np.uint8)
    assert view.sum() > 0
    before = resident_kb(view.ctypes.data)
    give_back()
    assert resident_kb(view.ctypes.data) < before / 2
    assert bytes(mapped[-8:]) == b"mienmien"
    np.testing.assert_array_equal(own, np.arange(2**20))


def resident_kb(address: int) -> int:
    """Rss of the mapping that holds an address."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            first, last = (int(word, 16) for word in words[0].split("-"))
            inside = first <= address < last
        elif inside and words[0] == "Rss:":
            return int(words[1])
    raise AssertionError(f"{address:x} is not mapped")
