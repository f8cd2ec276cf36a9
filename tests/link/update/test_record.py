"""The record on the disk: whole or not there, whatever a power cut leaves."""

from pathlib import Path

import pytest

from mien.errors import ConfigError, StorageError
from mien.link.update.ddi import Artifact
from mien.link.update.record import FILE, Last, Record, Store, read_record
from mien.link.update.window import Window

WHOLE = Record(
    phase="trial",
    action="7",
    version='0.3.0 "x"}\n',
    artifact=Artifact(href="https://x/y", size=5, sha1="a" * 40),
    face=True,
    last=Last(action="6", version="0.2.0", outcome="failed", why="}\n"),
)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    assert store.load() == Record()
    store.save(WHOLE)
    assert Store(tmp_path / "new").load() == WHOLE
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


def test_every_torn_file_is_put_aside(tmp_path: Path) -> None:
    Store(tmp_path).save(WHOLE)
    path = tmp_path / FILE
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert Store(tmp_path).load() == Record(), length
        assert not path.exists()
    for index in range(0, len(whole), 3):
        path.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert Store(tmp_path).load() == Record(), index


@pytest.mark.parametrize("content", [b"\0" * 4096, b"x" * 1_000_000, b'{"crc":0,"record":}\n', b"[" * 50_000])
def test_what_is_no_record_is_put_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ValueError):
        read_record(tmp_path / FILE)
    assert Store(tmp_path).load() == Record()


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="the update waits"):
        Store(tmp_path / "file").save(WHOLE)


def test_an_old_record_stays_while_the_new_one_is_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(WHOLE)
    (tmp_path / "update.new").write_bytes(b"half")  # as a power cut leaves it
    assert store.load() == WHOLE
    store.save(Record())
    assert store.load() == Record()


@pytest.mark.parametrize(
    ("text", "opens", "shuts"),
    [("02:00-05:00", 120, 300), ("22:30-04:00", 22 * 60 + 30, 240), ("23:59-00:00", 1439, 0)],
)
def test_a_window_opens_and_shuts(text: str, opens: int, shuts: int) -> None:
    window = Window(text)
    assert window.is_open(opens)
    assert not window.is_open((opens - 1) % 1440)
    assert window.is_open((shuts - 1) % 1440)
    assert not window.is_open(shuts)
    assert not window.is_open(None)  # the clock is not set


def test_no_window_is_always_open() -> None:
    assert Window("").is_open(None)
    assert Window("").is_open(0)


@pytest.mark.parametrize(
    "text", ["2:00-5:00", "02:00", "24:00-05:00", "02:00-02:00", "02:60-03:00", "02:00-05:00 ", "night"]
)
def test_a_window_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"update\.window"):
        Window(text)
