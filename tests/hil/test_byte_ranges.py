"""The rig's HTTP server: whole files, ranges, ranges that do not exist, and the count of what was sent."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.byte_ranges import Served, serve

CONTENT = bytes(range(256)) * 600  # more than two chunks


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "a.raucb").write_bytes(CONTENT)
    with serve(tmp_path) as served:
        yield served


def get(served: Served, name: str, ranged: str | None = None) -> tuple[int, str | None, bytes]:
    """Status, Content-Range and content of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.request("GET", f"/{name}", headers={"Range": ranged} if ranged else {})
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Content-Range"), answer.read()
    connection.close()
    return found


def test_a_whole_file(served: Served) -> None:
    assert get(served, "a.raucb") == (200, None, CONTENT)
    assert (served.whole, served.ranges, served.sent) == ({"a.raucb": 1}, {}, {"a.raucb": len(CONTENT)})


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-3", 0, 4), ("bytes=1000-", 1000, len(CONTENT)), ("bytes=70000-999999999", 70_000, len(CONTENT))],
)
def test_a_range(served: Served, asked: str, first: int, end: int) -> None:
    wanted = CONTENT[first:end]
    assert get(served, "a.raucb", asked) == (206, f"bytes {first}-{end - 1}/{len(CONTENT)}", wanted)
    assert (served.whole, served.ranges, served.sent) == ({}, {"a.raucb": 1}, {"a.raucb": len(wanted)})


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=9-3", "bytes=-5", "lines=1-2"])
def test_a_range_that_does_not_exist(served: Served, asked: str) -> None:
    assert get(served, "a.raucb", asked) == (416, f"bytes */{len(CONTENT)}", b"")
    assert served.sent == {}


def test_a_file_that_does_not_exist(served: Served) -> None:
    assert get(served, "b.raucb")[0] == 404
    assert get(served, "a.raucb")[0] == 200
